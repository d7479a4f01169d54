"""LoRA computed the fast way is LoRA."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.compression.tiny_models import make_model
from xorag.training.fast_lora import speed_up_lora

peft = pytest.importorskip("peft")


def with_lora(family: str, **options: object) -> nn.Module:
    model: Any = make_model(family).requires_grad_(requires_grad=False)
    targets = ["q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"]
    chosen = [name for name in targets if any(n.endswith(name) for n, _ in model.named_modules())]
    torch.manual_seed(3)
    model.add_adapter(peft.LoraConfig(r=3, lora_alpha=5, target_modules=chosen, **options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.3)
    module: nn.Module = model
    return module


def gradients(model: nn.Module) -> dict[str, Tensor]:
    ids = torch.tensor([[3, 4, 5, 6], [7, 8, 9, 1]])
    model.zero_grad()
    model(input_ids=ids).logits.square().mean().backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma2", "phi"])
def test_outputs_and_gradients_are_those_of_peft(family: str) -> None:
    model = with_lora(family)
    ids = torch.tensor([[3, 4, 5, 6]])
    wanted, wanted_gradients = model(input_ids=ids).logits, gradients(model)

    count = speed_up_lora(model)

    assert count > 0
    assert torch.allclose(model(input_ids=ids).logits, wanted, atol=1e-5)
    found = gradients(model)
    assert found.keys() == wanted_gradients.keys()
    for name, gradient in wanted_gradients.items():
        assert torch.allclose(found[name], gradient, atol=1e-5), name


def test_mixed_precision_stays_close_to_full_precision() -> None:
    full = with_lora("llama")
    wanted = gradients(full)
    half: Any = with_lora("llama").to(torch.bfloat16)
    for name, parameter in half.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()

    speed_up_lora(half)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = gradients(half)
    for name, gradient in wanted.items():
        assert found[name].dtype is torch.float32
        same = torch.cosine_similarity(found[name].flatten(), gradient.flatten(), dim=0)
        assert float(same) > 0.98, name


@pytest.mark.parametrize("options", [{"lora_dropout": 0.1}, {"use_dora": True}])
def test_layers_that_compute_something_else_are_left_alone(options: dict[str, object]) -> None:
    assert speed_up_lora(with_lora("llama", **options)) == 0


def test_a_model_without_adapters_is_left_alone() -> None:
    assert speed_up_lora(make_model("llama")) == 0
