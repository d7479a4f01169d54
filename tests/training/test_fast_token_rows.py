"""Token rows computed the fast way are peft's."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.compression.tiny_models import make_model
from xorag.training.fast_token_rows import speed_up_token_rows

peft = pytest.importorskip("peft")
ROWS = [9, 4, 30]
IDS = torch.tensor([[3, 4, 5, 30], [4, 8, 9, 1]])


def with_rows(family: str) -> nn.Module:
    model: Any = make_model(family).requires_grad_(requires_grad=False)
    layers = {"embed_tokens": ROWS}
    if not model.config.tie_word_embeddings:
        layers["lm_head"] = ROWS
    model.add_adapter(
        peft.LoraConfig(r=2, target_modules=["o_proj"], trainable_token_indices=layers)
    )
    torch.manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "trainable_tokens" in name:
                parameter.normal_()
    module: nn.Module = model
    return module


def gradients(model: nn.Module) -> dict[str, Tensor]:
    model.zero_grad()
    model(input_ids=IDS).logits.square().mean().backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("family", "layers"), [("llama", 2), ("llama-tied", 2), ("gemma2", 1)])
def test_outputs_and_gradients_are_those_of_peft(family: str, layers: int) -> None:
    model = with_rows(family)
    wanted, wanted_gradients = model(input_ids=IDS).logits, gradients(model)

    count = speed_up_token_rows(model)

    assert count == layers  # Gemma's embeddings scale what they return, and keep peft's way
    assert torch.allclose(model(input_ids=IDS).logits, wanted, atol=1e-5)
    found = gradients(model)
    assert found.keys() == wanted_gradients.keys()
    for name, gradient in wanted_gradients.items():
        assert torch.allclose(found[name], gradient, atol=1e-5), name


def test_rows_that_have_changed_are_read_at_the_next_pass() -> None:
    model = with_rows("llama-tied")
    speed_up_token_rows(model)
    before = model(input_ids=IDS).logits

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "trainable_tokens" in name:
                parameter.add_(1.0)

    assert not torch.allclose(model(input_ids=IDS).logits, before)


def test_a_model_without_trained_rows_is_left_alone() -> None:
    assert speed_up_token_rows(make_model("llama")) == 0
