"""Low-rank adapters: as peft computes them, where soft tokens are read and nowhere else."""

import threading
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.compression.tiny_adapters import adapters_of
from tests.compression.tiny_models import CONFIGS, HIDDEN, IN_DIM, make_model
from xorag.compression.adapters import (
    FEW_TOKENS,
    AdapterSwitch,
    LayerAdapter,
    LowRankAdapters,
)
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.errors import ProjectorMismatchError

IDS = torch.tensor([[5, 6, 7, 8, 9], [10, 11, 12, 13, 14]])
PLACES = torch.tensor([[False, True, False, False, False], [False, False, True, True, False]])
NO_PLACES = torch.zeros_like(PLACES)
PASSAGES = torch.linspace(-1, 1, 3 * IN_DIM).reshape(3, IN_DIM)
FAMILIES = ["llama", "mixtral", "qwen3", "gemma2", "phi3", "gpt2", "gptneox"]
needs_peft = pytest.mark.skipif(find_spec("peft") is None, reason="peft, of xorag[train], is away")


def reader_of(
    family: str, *, size: float | None = 0.5, dtype: torch.dtype = torch.float32
) -> SoftTokenModel:
    """A tiny model with adapters of that size, or with none."""
    model = make_model(family)
    nn.Module.to(model, dtype)
    torch.manual_seed(5)
    projector = Projector(IN_DIM, HIDDEN)
    return SoftTokenModel(model, projector, None if size is None else adapters_of(model, size=size))


@torch.inference_mode()
def logits_of(reader: SoftTokenModel, places: Tensor = PLACES) -> Tensor:
    passages = PASSAGES if places.any() else None
    logits: Tensor = reader(IDS, is_placeholder=places, passage_embeddings=passages).logits
    return logits


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_adapters_act_on_soft_tokens_and_leave_all_else_bit_for_bit(family: str) -> None:
    plain, adapted = reader_of(family, size=None), reader_of(family)

    assert torch.equal(logits_of(adapted, NO_PLACES), logits_of(plain, NO_PLACES))
    assert not torch.allclose(logits_of(adapted), logits_of(plain), atol=1e-3)
    assert torch.equal(logits_of(adapted, NO_PLACES), logits_of(plain, NO_PLACES))


@pytest.mark.parametrize("family", FAMILIES)
def test_adapters_that_were_not_trained_change_no_bit(family: str) -> None:
    assert torch.equal(
        logits_of(reader_of(family, size=0.0)), logits_of(reader_of(family, size=None))
    )


@needs_peft
@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_peft_with_the_same_factors(family: str) -> None:
    from peft import LoraConfig  # noqa: PLC0415 - an extra

    ours = reader_of(family)
    adapters = ours.adapters
    assert adapters is not None
    theirs = reader_of(family, size=None)
    inside: Any = theirs.language_model
    config = LoraConfig(
        r=2, lora_alpha=6, target_modules=list(adapters.layers), fan_in_fan_out=family == "gpt2"
    )
    inside.add_adapter(config)
    for name, adapter in adapters.layers.items():
        layer: Any = inside.get_submodule(name)
        layer.lora_A["default"].weight.data = adapter.down
        layer.lora_B["default"].weight.data = adapter.up

    assert torch.allclose(logits_of(ours), logits_of(theirs), atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_adapters_compute_in_the_type_of_the_model(dtype: torch.dtype) -> None:
    adapted = logits_of(reader_of("llama", dtype=dtype))

    assert adapted.dtype == dtype
    assert torch.allclose(adapted.float(), logits_of(reader_of("llama")), atol=1.0, rtol=0.1)
    assert not torch.allclose(adapted, logits_of(reader_of("llama", size=None, dtype=dtype)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("tokens", [1, FEW_TOKENS - 1, FEW_TOKENS, 3 * FEW_TOKENS])
@torch.inference_mode()
def test_few_and_many_tokens_get_the_same_change(dtype: torch.dtype, tokens: int) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(32, 24, bias=False, dtype=dtype)
    down, up, read = torch.randn(4, 32), torch.randn(24, 4), torch.randn(1, tokens, 32)
    model: Any = nn.Sequential(layer)
    before = layer(read.to(dtype))
    switch = AdapterSwitch(model, LowRankAdapters(4, 8.0, {"0": LayerAdapter(down, up)}))

    with switch.on():
        changed = layer(read.to(dtype))

    exact = read @ layer.weight.float().T + 2.0 * read @ down.T @ up.T
    assert changed.dtype == dtype
    assert changed.shape == before.shape
    scale = float(exact.abs().max())
    assert torch.allclose(
        changed.float(), exact, atol=scale * (1e-5 if dtype.itemsize == 4 else 0.02)
    )
    assert torch.equal(layer(read.to(dtype)), before)


@pytest.mark.parametrize("family", ["llama", "gemma3", "gpt2"])
def test_each_generated_token_is_that_of_reading_all_before_it(family: str) -> None:
    reader = reader_of(family)
    mask = torch.ones_like(IDS)

    new = reader.generate(IDS, mask, PLACES, PASSAGES, max_new_tokens=4, do_sample=False)

    ids, places = IDS, PLACES
    for step in range(new.shape[1]):
        with torch.inference_mode():
            logits = reader(ids, is_placeholder=places, passage_embeddings=PASSAGES).logits
        assert torch.equal(logits[:, -1].argmax(-1), new[:, step])
        ids = torch.cat([ids, new[:, step : step + 1]], dim=1)
        places = torch.cat([places, NO_PLACES[:, :1]], dim=1)


def test_adapters_are_off_again_after_an_error_and_in_other_threads() -> None:
    plain, adapted = logits_of(reader_of("llama", size=None), NO_PLACES), reader_of("llama")
    read: list[Tensor] = []

    def read_and_fail() -> None:
        with adapted.adapted(reads_soft_tokens=True):
            read.append(adapted.language_model(IDS).logits)
            other = threading.Thread(target=lambda: read.append(logits_of(adapted, NO_PLACES)))
            other.start()
            other.join()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        read_and_fail()

    here, elsewhere = read
    assert not torch.allclose(here, plain, atol=1e-3)
    assert torch.equal(elsewhere, plain)
    assert torch.equal(logits_of(adapted, NO_PLACES), plain)


def test_two_projectors_of_one_model_have_adapters_of_their_own() -> None:
    one = reader_of("llama")
    before = logits_of(one)
    other = SoftTokenModel(
        one.language_model, one.projector, adapters_of(one.language_model, size=2.0)
    )

    assert not torch.allclose(logits_of(other), before)
    assert torch.equal(logits_of(one), before)


def test_only_the_projector_is_in_the_state() -> None:
    reader = reader_of("llama")

    assert all(name.startswith("projector.") for name in reader.state_dict())
    assert not any(p.requires_grad for p in reader.language_model.parameters())


def changed(name: str, down: Tensor, up: Tensor) -> LowRankAdapters:
    return LowRankAdapters(2, 4.0, {name: LayerAdapter(down, up)})


@pytest.mark.parametrize(
    ("adapters", "reason"),
    [
        (changed("no.such", torch.ones(2, HIDDEN), torch.ones(HIDDEN, 2)), "does not have"),
        (
            changed("model.norm", torch.ones(2, HIDDEN), torch.ones(HIDDEN, 2)),
            "LlamaRMSNorm and no linear layer",
        ),
        (
            changed("model.layers.0.mlp.up_proj", torch.ones(2, 8), torch.ones(32, 2)),
            "from width 8 to 32, but in LlamaForCausalLM it is from 16 to 32",
        ),
    ],
)
def test_adapters_of_another_model_are_refused(adapters: LowRankAdapters, reason: str) -> None:
    with pytest.raises(ProjectorMismatchError, match=reason):
        SoftTokenModel(make_model("llama"), Projector(IN_DIM, HIDDEN), adapters)
