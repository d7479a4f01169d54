"""`xorag adapters` as a user sees it, and whether peft reads what it writes."""

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM, PreTrainedModel

from tests.compression.tiny_models import HIDDEN, IN_DIM, make_model
from xorag.artifact.manifest import Manifest
from xorag.cli.main import main
from xorag.compression.adapters import AdapterSwitch, LayerAdapter, LowRankAdapters
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import base_model_shape, save_projector

IDS = torch.tensor([[3, 9, 27, 4]])


def _save(folder: Path, adapters: LowRankAdapters | None) -> Path:
    shape = base_model_shape(make_model("llama"), "tiny")
    manifest = Manifest(kind="projector", base_model=shape)
    save_projector(folder / "projector", Projector(IN_DIM, HIDDEN), manifest, adapters=adapters)
    return folder / "projector"


def _adapters(model: PreTrainedModel) -> LowRankAdapters:
    layers = {}
    torch.manual_seed(4)
    for name in ("model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj"):
        out, wide = model.get_submodule(name).get_parameter("weight").shape
        layers[name] = LayerAdapter(torch.randn(2, wide), torch.randn(out, 2))
    return LowRankAdapters(2, 3.0, layers)


def _run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["adapters", *map(str, words)])
    return int(ended.value.code or 0)


def test_peft_computes_with_them_what_the_projector_does(tmp_path: Path) -> None:
    model = make_model("llama")
    adapters = _adapters(model)
    projector = _save(tmp_path, adapters)

    code = _run(projector, "--out", tmp_path / "peft")

    with torch.no_grad(), AdapterSwitch(model, adapters).on():
        expected = model(IDS).logits
    base = make_model("llama")
    assert isinstance(base, LlamaForCausalLM)
    with torch.no_grad():
        given = PeftModel.from_pretrained(base, str(tmp_path / "peft"))(IDS).logits
    assert code == 0
    assert torch.allclose(given, expected, atol=1e-4)


def test_the_server_s_options_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    projector = _save(tmp_path, _adapters(make_model("llama")))

    _run(projector, "--out", tmp_path / "peft")

    assert f"--enable-lora --max-lora-rank 8 --lora-modules NAME={tmp_path}" in (
        capsys.readouterr().out.replace("\n", "")
    )


def test_json_names_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    projector = _save(tmp_path, _adapters(make_model("llama")))

    _run(projector, "--out", tmp_path / "peft", "--json")

    found = json.loads(capsys.readouterr().out)
    assert found == {"adapters": str(tmp_path / "peft"), "rank": 2, "alpha": 3.0}


def test_a_projector_without_adapters_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _run(_save(tmp_path, None), "--out", tmp_path / "peft")

    assert code == 1
    assert "has no adapters" in capsys.readouterr().err


def test_a_directory_that_is_there_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "peft").mkdir()

    code = _run(_save(tmp_path, _adapters(make_model("llama"))), "--out", tmp_path / "peft")

    assert code == 1
    assert "exists already" in capsys.readouterr().err
