"""What xorag's plugin makes of vLLM's models, shown with a stand-in for what it takes from vLLM."""

import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from tests.pipeline.tiny_reader import merge_tiny_reader, save_tiny_reader
from tests.pipeline.tiny_world import World, make_world
from xorag.errors import ArtifactError, ExpertError
from xorag.generation.reader.opening import open_reader
from xorag.generation.reader.served import ARCHITECTURE
from xorag.generation.vllm_plugin import register
from xorag.generation.vllm_plugin.layers import dense_name, install_experts
from xorag.moe.experts import ExpertMLP
from xorag.moe.options import ExpertOptions

CPU = torch.device("cpu")
UTILS = "vllm.model_executor.models.utils"
PLUGIN = "xorag.generation.vllm_plugin.model"


class Inner(nn.Module):
    """A dense model with the verbs of vLLM's, computed by transformers."""

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        build: Any = AutoModelForCausalLM.from_config
        whole: PreTrainedModel = build(config)
        self.model, self.lm_head = whole.model, whole.lm_head

    def forward(self, input_ids: Tensor, *_: object) -> Tensor:
        states: Tensor = self.model(input_ids=input_ids).last_hidden_state
        return states

    def compute_logits(self, states: Tensor) -> Tensor:
        logits: Tensor = self.lm_head(states)
        return logits

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> set[str]:
        given = dict(weights)
        fitting = self.load_state_dict(given, strict=False)
        assert not fitting.unexpected_keys
        return set(given)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The plugin's module, which imports two functions of vLLM's."""
    asked: list[list[str]] = []

    def build(vllm_config: SimpleNamespace, *, prefix: str, architectures: list[str]) -> nn.Module:
        asked.append(architectures)
        assert prefix == "language_model"
        return Inner(vllm_config.model_config.hf_config)

    utils = ModuleType(UTILS)
    vars(utils).update(
        init_vllm_registered_model=build,
        maybe_prefix=lambda prefix, name: f"{prefix}.{name}" if prefix else name,
    )
    for name in ("vllm", "vllm.model_executor", "vllm.model_executor.models"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, UTILS, utils)
    module = importlib.import_module(PLUGIN)
    vars(module)["asked"] = asked
    yield module
    del sys.modules[PLUGIN]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def merged(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge_tiny_reader(save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny"))


def settings_of(folder: Path) -> SimpleNamespace:
    config = AutoConfig.from_pretrained(folder)
    return SimpleNamespace(model_config=SimpleNamespace(hf_config=config, model=str(folder)))


def test_the_plugin_names_its_class_to_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    named: dict[str, str] = {}
    vllm = ModuleType("vllm")
    vars(vllm)["ModelRegistry"] = SimpleNamespace(register_model=named.__setitem__)
    monkeypatch.setitem(sys.modules, "vllm", vllm)

    register()

    assert named == {ARCHITECTURE: f"{PLUGIN}:ReaderForCausalLM"}


def test_a_merged_reader_asks_for_the_plugin_and_for_its_dense_model(
    merged: Path, plugin: ModuleType
) -> None:
    config = json.loads((merged / "model" / "config.json").read_text())

    plugin.ReaderForCausalLM(vllm_config=settings_of(merged / "model"))

    assert config["architectures"] == [ARCHITECTURE]
    assert plugin.asked == [["LlamaForCausalLM"]]


@torch.inference_mode()
def test_a_merged_reader_computes_what_it_computes_here(merged: Path, plugin: ModuleType) -> None:
    here = open_reader(merged, device=CPU, dtype=torch.float32).language.model
    stored = AutoModelForCausalLM.from_pretrained(merged / "model", dtype=torch.float32)
    ids = torch.tensor([[1, 9, 30, 31, 7, 22, 40]])

    model = plugin.ReaderForCausalLM(vllm_config=settings_of(merged / "model"))
    loaded = model.load_weights(stored.state_dict().items())

    assert {name for name, _ in model.named_parameters()} <= loaded
    there = model.compute_logits(model(ids, torch.arange(7)))
    assert torch.allclose(there, here(ids).logits, atol=1e-4)
    dense = stored(ids).logits
    assert not torch.allclose(there, dense, atol=1e-2)


def test_weights_can_be_loaded_again(merged: Path, plugin: ModuleType) -> None:
    stored = AutoModelForCausalLM.from_pretrained(merged / "model", dtype=torch.float32)
    model = plugin.ReaderForCausalLM(vllm_config=settings_of(merged / "model"))

    first = model.load_weights(stored.state_dict().items())

    assert model.load_weights(stored.state_dict().items()) == first


def test_a_folder_beside_which_there_are_no_experts_is_refused(
    world: World, plugin: ModuleType
) -> None:
    settings = settings_of(world.model)
    settings.model_config.hf_config.xorag_base_architecture = "LlamaForCausalLM"

    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        plugin.ReaderForCausalLM(vllm_config=settings)


def test_a_model_that_keeps_its_layers_elsewhere_is_refused(
    merged: Path, plugin: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "init_vllm_registered_model", lambda *_, **__: nn.Linear(2, 2))

    with pytest.raises(ExpertError, match="keeps its layers elsewhere"):
        plugin.ReaderForCausalLM(vllm_config=settings_of(merged / "model"))


class Layer(nn.Module):
    """A decoder layer with an MLP and nothing else."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mlp = nn.Linear(hidden, hidden)


def test_layers_of_other_processes_get_no_experts() -> None:
    layers = [nn.Identity(), Layer(6), Layer(6)]

    wrapped = install_experts(layers, ExpertOptions(2, 3), 6, like=torch.empty(0))

    assert list(wrapped) == [1, 2]
    assert isinstance(layers[2].mlp, ExpertMLP)


def test_experts_compile_into_one_graph_whatever_the_number_of_tokens() -> None:
    wrapped = install_experts([Layer(6)], ExpertOptions(4, 3), 6, like=torch.empty(0))[0]
    wrapped.initialize(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(wrapped.up)
    compiled: Any = torch.compile(wrapped, fullgraph=True, dynamic=True, backend="eager")

    for tokens in (1, 7, 64):
        states = torch.randn(tokens, 6)
        assert torch.allclose(compiled(states), wrapped(states), atol=1e-6)


@given(number=st.integers(0, 99), around=st.sets(st.integers(0, 99)))
def test_only_mlps_with_experts_are_renamed(number: int, around: set[int]) -> None:
    name = f"model.layers.{number}.mlp.up_proj.weight"

    renamed = dense_name(name, around)

    expected = f"model.layers.{number}.mlp.dense.up_proj.weight"
    assert renamed == (expected if number in around else name)
    other = f"model.layers.{number}.self_attn.q_proj.weight"
    assert dense_name(other, around) == other
