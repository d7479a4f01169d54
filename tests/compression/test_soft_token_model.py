"""The wrapper around a language model: what a soft token meets, for every family."""

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from tests.compression.tiny_models import CONFIGS, HIDDEN, IN_DIM, VOCAB, make_model
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.errors import ProjectorMismatchError, SpliceError

every_family = pytest.mark.parametrize("family", list(CONFIGS))
OUTSIDE = VOCAB + 5
ABSOLUTE_POSITIONS = {"gpt2"}


def wrap(model: PreTrainedModel) -> SoftTokenModel:
    torch.manual_seed(3)
    return SoftTokenModel(model, Projector(IN_DIM, HIDDEN))


def first_layer_input(model: PreTrainedModel, run: SoftTokenModel, **inputs: Tensor) -> Tensor:
    """What reaches the first decoder layer."""
    stack = next(m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == 2)
    seen: list[Tensor] = []
    hook = stack[0].register_forward_pre_hook(
        lambda _module, args, kwargs: seen.append((*args, *kwargs.values())[0]), with_kwargs=True
    )
    run(**inputs)
    hook.remove()
    return seen[0]


@every_family
def test_the_first_layer_receives_the_soft_token_as_the_projector_made_it(family: str) -> None:
    model = make_model(family)
    wrapped = wrap(model)
    ids = torch.tensor([[1, 5, OUTSIDE, 6]])
    passages = torch.randn(1, IN_DIM)

    seen = first_layer_input(
        model,
        wrapped,
        input_ids=ids,
        is_placeholder=ids == OUTSIDE,
        passage_embeddings=passages,
    )

    made = wrapped.projector(passages)[0]
    if family in ABSOLUTE_POSITIONS:
        made = made + model.get_parameter("transformer.wpe.weight")[2]
    assert torch.equal(seen[0, 2], made)


@every_family
def test_a_prompt_of_text_alone_gives_the_plain_models_logits_bit_for_bit(family: str) -> None:
    model = make_model(family)
    ids = torch.tensor([[1, 5, 9, 6], [3, 4, 5, 7]])
    plain = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits

    wrapped = wrap(model)(ids, torch.ones_like(ids)).logits

    assert torch.equal(wrapped, plain)


@every_family
def test_left_padding_changes_neither_logits_nor_generated_ids(family: str) -> None:
    wrapped = wrap(make_model(family))
    short = torch.tensor([[1, OUTSIDE, 6]])
    long = torch.tensor([[1, OUTSIDE, 6, OUTSIDE, 8, 9]])
    both = torch.cat([torch.tensor([[0, 0, 0, 1, OUTSIDE, 6]]), long])
    mask = torch.tensor([[0, 0, 0, 1, 1, 1], [1] * 6])
    passages = torch.randn(3, IN_DIM)
    options = {"max_new_tokens": 4, "do_sample": False, "pad_token_id": 0, "eos_token_id": -1}

    batch = wrapped(both, mask, both == OUTSIDE, passages).logits
    batch_ids = wrapped.generate(both, mask, both == OUTSIDE, passages, **options)

    for row, ids, own in ((0, short, passages[:1]), (1, long, passages[1:])):
        ones = torch.ones_like(ids)
        alone = wrapped(ids, ones, ids == OUTSIDE, own).logits
        assert torch.allclose(batch[row, -ids.shape[1] :], alone[0], atol=1e-4)
        alone_ids = wrapped.generate(ids, ones, ids == OUTSIDE, own, **options)
        assert batch_ids[row].tolist() == alone_ids[0].tolist()


@every_family
def test_only_the_projector_gets_gradients(family: str) -> None:
    wrapped = wrap(make_model(family)).train()
    ids = torch.tensor([[1, OUTSIDE, 6, 7]])
    labels = torch.tensor([[-100, -100, 6, 7]])

    wrapped(
        ids, torch.ones_like(ids), ids == OUTSIDE, torch.randn(1, IN_DIM), labels=labels
    ).loss.backward()

    with_gradient = {name for name, p in wrapped.named_parameters() if p.grad is not None}
    assert with_gradient == set(wrapped.state_dict())
    assert not wrapped.language_model.training


def test_the_state_is_the_projectors_and_loads_into_another_wrapper() -> None:
    wrapped = wrap(make_model("llama-tied"))
    other = SoftTokenModel(make_model("llama-tied"), Projector(IN_DIM, HIDDEN))

    other.load_state_dict(wrapped.state_dict())

    assert {key.split(".")[0] for key in wrapped.state_dict()} == {"projector"}
    passage = torch.randn(1, IN_DIM)
    assert torch.equal(other.projector(passage), wrapped.projector(passage))


def test_a_projector_in_float32_feeds_a_model_in_bfloat16() -> None:
    wrapped = SoftTokenModel(make_model("llama").bfloat16(), Projector(IN_DIM, HIDDEN))
    ids = torch.tensor([[1, OUTSIDE]])

    embeds = wrapped.embed(ids, ids == OUTSIDE, torch.randn(1, IN_DIM))

    assert (embeds.dtype, wrapped.projector.dtype) == (torch.bfloat16, torch.float32)


def test_a_projector_of_another_width_is_refused() -> None:
    with pytest.raises(ProjectorMismatchError, match=r"width 24.*16 wide"):
        SoftTokenModel(make_model("llama"), Projector(IN_DIM, 24))


def test_placeholders_without_passages_are_refused() -> None:
    ids = torch.tensor([[1, OUTSIDE]])

    with pytest.raises(SpliceError, match="1 placeholders, but no passage"):
        wrap(make_model("llama")).embed(ids, ids == OUTSIDE, None)
