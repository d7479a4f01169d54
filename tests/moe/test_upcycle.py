"""Dense decoders get experts in place, and their small part goes out and in."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, OPTConfig, PreTrainedModel

from tests.compression.tiny_models import make_model
from tests.moe.tiny_experts import DENSE_FAMILIES, IDS, OPTIONS, make_sparse_model
from xorag.errors import ConfigError, ExpertError
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import (
    expert_layers,
    expert_options,
    expert_parameters,
    expert_state,
    load_expert_state,
    upcycle,
)

every_family = pytest.mark.parametrize("family", DENSE_FAMILIES)


def logits_of(model: PreTrainedModel) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = model(input_ids=IDS, attention_mask=torch.ones_like(IDS)).logits
    return logits


@every_family
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_new_experts_leave_the_logits_bit_for_bit(family: str, dtype: torch.dtype) -> None:
    model = make_model(family)
    anywhere: nn.Module = model  # the stubs of PreTrainedModel.to take no dtype
    anywhere.to(dtype)
    dense = logits_of(model)

    upcycle(model, OPTIONS)

    assert torch.equal(logits_of(model), dense)


@every_family
def test_experts_with_weights_change_the_logits(family: str) -> None:
    dense = logits_of(make_model(family))

    assert not torch.allclose(logits_of(make_sparse_model(family)), dense, atol=1e-3)


@every_family
def test_the_small_part_makes_a_dense_model_the_same_sparse_model(family: str) -> None:
    trained, other = make_sparse_model(family), make_model(family)
    upcycle(other, OPTIONS, seed=99)

    load_expert_state(other, expert_state(trained))

    assert torch.equal(logits_of(other), logits_of(trained))


def test_the_small_part_has_the_stated_keys_and_shapes() -> None:
    state = expert_state(make_sparse_model())

    assert {key: tuple(tensor.shape) for key, tensor in state.items()} == {
        f"layers.{layer}.{name}": shape
        for layer in (0, 1)
        for name, shape in (("router.weight", (4, 16)), ("down", (4, 16, 6)), ("up", (4, 6, 16)))
    }
    assert all(tensor.is_contiguous() for tensor in state.values())


def test_the_small_part_is_a_copy() -> None:
    model = make_sparse_model()
    before = logits_of(model)

    for tensor in expert_state(model).values():
        tensor.zero_()

    assert torch.equal(logits_of(model), before)


def test_only_the_named_layers_get_experts() -> None:
    model = make_model("llama")

    upcycle(model, ExpertOptions(experts=4, width=6, layers=(1,)))

    assert list(expert_layers(model)) == [1]
    assert set(expert_state(model)) == {f"layers.1.{n}" for n in ("router.weight", "down", "up")}


def test_options_are_read_back_from_the_model() -> None:
    assert expert_options(make_sparse_model()) == OPTIONS
    assert expert_options(make_model("llama")) is None


def test_a_seed_gives_the_same_experts_whatever_else_was_drawn() -> None:
    first, second, third = (make_model("llama") for _ in range(3))
    torch.manual_seed(1)
    upcycle(first, OPTIONS, seed=3)
    torch.manual_seed(2)
    expected = torch.rand(1)
    torch.manual_seed(2)
    upcycle(second, OPTIONS, seed=3)
    upcycle(third, OPTIONS, seed=4)

    assert torch.equal(torch.rand(1), expected)
    assert all(map(torch.equal, expert_parameters(first), expert_parameters(second)))
    assert not all(map(torch.equal, expert_parameters(first), expert_parameters(third)))


def test_routers_and_down_begin_within_one_over_the_root_of_hidden_and_up_at_zero() -> None:
    model = make_model("llama")
    upcycle(model, ExpertOptions(experts=8, width=64))

    for layer in expert_layers(model).values():
        assert 0.2 < float(layer.down.detach().abs().max()) <= 16**-0.5
        assert 0.1 < float(layer.router.detach().abs().max()) <= 16**-0.5
        assert not layer.up.any()


def test_expert_parameters_are_all_that_upcycling_adds() -> None:
    model = make_model("llama")
    dense = {id(parameter) for parameter in model.parameters()}
    upcycle(model, OPTIONS)

    added = [p for p in model.parameters() if id(p) not in dense]

    assert [id(p) for p in added] == [id(p) for p in expert_parameters(model)]


def test_a_model_that_has_experts_is_refused() -> None:
    with pytest.raises(ExpertError, match="has experts already"):
        upcycle(make_sparse_model(), OPTIONS)


def test_a_mixture_of_experts_is_refused() -> None:
    with pytest.raises(ExpertError, match="mixture of experts already"):
        upcycle(make_model("mixtral"), OPTIONS)


def test_layers_that_do_not_exist_are_refused_and_nothing_is_changed() -> None:
    model = make_model("llama")

    with pytest.raises(ExpertError, match="layers 2, 5, but this model has layers 0 to 1"):
        upcycle(model, ExpertOptions(layers=(0, 2, 5)))

    assert expert_layers(model) == {}


def test_a_model_without_mlps_is_refused() -> None:
    config = OPTConfig(
        vocab_size=20, hidden_size=8, ffn_dim=8, num_hidden_layers=1, num_attention_heads=2
    )
    build: Any = AutoModelForCausalLM.from_config
    model = build(config)

    with pytest.raises(ExpertError, match="OPTForCausalLM has none called `mlp`"):
        upcycle(model, OPTIONS)


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        ({"top_k": 9}, "top_k is 9, but a layer has only 8 experts"),
        ({"experts": 0, "width": -1}, "experts must be at least 1, got 0.*width must be at least"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        ({"layers": ()}, "names no layer"),
        ({"layers": (1, -1)}, "has -1, but layers count from 0"),
        ({"layers": (1, 1)}, "names a layer twice"),
    ],
)
def test_impossible_options_are_refused(faulty: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExpertOptions(**faulty)


def test_a_state_of_another_shape_is_refused_and_nothing_is_changed() -> None:
    model = make_sparse_model()
    before = logits_of(model)
    other = make_sparse_model(options=ExpertOptions(experts=4, width=8))

    with pytest.raises(ExpertError, match=r"'layers.0.down' has the shape \(4, 16, 8\), but"):
        load_expert_state(model, expert_state(other))

    assert torch.equal(logits_of(model), before)


def test_a_state_of_other_layers_is_refused() -> None:
    one = make_sparse_model(options=ExpertOptions(experts=4, width=6, layers=(1,)))

    with pytest.raises(ExpertError, match=r"lacks 'layers.0.down' and 2 more; upcycle"):
        load_expert_state(make_sparse_model(), expert_state(one))
    with pytest.raises(ExpertError, match=r"holds 'layers.0.down' and 2 more unknown"):
        load_expert_state(one, expert_state(make_sparse_model()))


def test_a_dense_model_has_no_state() -> None:
    with pytest.raises(ExpertError, match="has no experts"):
        expert_state(make_model("llama"))
