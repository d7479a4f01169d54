"""Reading once what the prompts of a batch begin with."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.compression.tiny_models import CONFIGS, IN_DIM, make_model
from xorag.compression.model import SoftTokenModel, embedding_width
from xorag.compression.projector import Projector
from xorag.generation.examples import NOT_SCORED
from xorag.training.distill_objective import DistillObjective, LossWeights
from xorag.training.shared_prefix import PrefixReader, shared_length

N = NOT_SCORED
GOES_ON = ("gpt2", "gptneox", "granite", "llama", "mixtral", "phi", "qwen2", "qwen3")


def batch() -> dict[str, Tensor]:
    """Two prompts that begin with three tokens alike, and are padded on the right."""
    return {
        "input_ids": torch.tensor([[1, 4, 6, 0, 5, 7, 8, 2], [1, 4, 6, 0, 9, 2, 0, 0]]),
        "attention_mask": torch.tensor([[1] * 8, [1] * 6 + [0] * 2]),
        "is_placeholder": torch.tensor([[0, 0, 0, 1, 0, 0, 0, 0]] * 2, dtype=torch.bool),
        "passage_embeddings": torch.randn(2, IN_DIM, generator=torch.Generator().manual_seed(3)),
        "labels": torch.tensor([[N, N, N, N, N, 7, 8, 2], [N, N, N, N, N, 2, N, N]]),
    }


def objective_of(family: str) -> DistillObjective:
    model = make_model(family)
    torch.manual_seed(0)
    reader = SoftTokenModel(model, Projector(IN_DIM, embedding_width(model)))
    return DistillObjective(reader, LossWeights(kl=0.0))


def test_the_prefix_ends_before_the_first_soft_token() -> None:
    rows = batch()

    assert shared_length(rows["input_ids"], rows["is_placeholder"], rows["labels"]) == 3


@given(
    ids=st.lists(st.lists(st.integers(0, 2), min_size=6, max_size=6), min_size=1, max_size=4),
    first_scored=st.integers(1, 5),
    soft=st.integers(0, 5),
)
def test_the_prefix_is_alike_and_leaves_what_must_be_read(
    ids: list[list[int]], first_scored: int, soft: int
) -> None:
    input_ids = torch.tensor(ids)
    is_placeholder = torch.zeros_like(input_ids, dtype=torch.bool)
    is_placeholder[-1, soft] = True
    labels = torch.full_like(input_ids, N)
    labels[0, first_scored] = 7

    length = shared_length(input_ids, is_placeholder, labels)

    assert length <= min(soft, first_scored - 1)
    assert (input_ids[:, :length] == input_ids[:1, :length]).all()
    could_be_longer = length < min(soft, first_scored - 1)
    assert not could_be_longer or len(set(input_ids[:, length].tolist())) > 1


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_loss_and_gradients_are_those_of_reading_everything(family: str) -> None:
    shared, whole = objective_of(family), objective_of(family)
    whole._prefixes = None

    losses = [objective(**batch())["loss"] for objective in (shared, whole)]
    for loss in losses:
        loss.backward()

    assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-5)
    for ours, theirs in zip(
        shared.reader.projector.parameters(), whole.reader.projector.parameters(), strict=True
    ):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-5)


@pytest.mark.parametrize("family", GOES_ON)
def test_a_prefix_is_read_once_for_many_batches(family: str) -> None:
    model = make_model(family)
    reads = 0

    def count(*_: object) -> None:
        nonlocal reads
        reads += 1

    model.register_forward_hook(count)
    prefixes = PrefixReader(model)

    read = [prefixes.read(batch()["input_ids"], 3) for _ in range(3)]

    assert [item is not None and item.past.get_seq_length() for item in read] == [3, 3, 3]
    assert reads == 1


def test_a_model_that_learns_reads_everything() -> None:
    model = make_model("llama")
    reader = SoftTokenModel(model, Projector(IN_DIM, embedding_width(model)))
    next(model.parameters()).requires_grad_()

    assert DistillObjective(reader, LossWeights())._prefixes is None
