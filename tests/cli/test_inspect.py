"""`xorag inspect` as a user sees it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

import xorag
from tests.generation.tiny_tokenizers import byte_level
from xorag.artifact.manifest import Manifest
from xorag.cli.main import main
from xorag.compression.projector_artifact import base_model_shape
from xorag.generation.reader.artifact import save_reader
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import upcycle
from xorag.reflection.vocabulary import add_reflection_tokens
from xorag.runtime.loading import LanguageModel

SHIPPED = Path(xorag.__file__).parent / "pretrained" / "smollm2-135m-minilm-l6"
TEXT = "Marie Curie discovered polonium and radium. [Relevant]"


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["inspect", *map(str, words)])
    return int(ended.value.code or 0)


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """A reader with random experts in its second layer, and its base model beside it."""
    tokenizer, base = byte_level(), tmp_path / "base"
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
    )
    build: Any = AutoModelForCausalLM.from_config
    model = build(config)
    model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    shape = base_model_shape(model, str(base))
    add_reflection_tokens(tokenizer, model)
    upcycle(model, ExpertOptions(experts=4, width=6, layers=(1,)))
    language = LanguageModel(model, tokenizer, str(base))
    save_reader(
        tmp_path / "reader",
        language=language,
        manifest=Manifest(kind="reader", base_model=shape, metrics={"dev": {"loss": 2.5}}),
        dtype=torch.float32,
    )
    return tmp_path / "reader"


def test_a_projector_shows_its_models_settings_and_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(SHIPPED) == 0

    shown = capsys.readouterr().out
    assert "projector at" in shown
    assert "base model: smollm2-135m-instruct (30 layers, 576 wide, 49152 tokens)" in shown
    assert "encoder: all-minilm-l6-v2 (384 wide, cosine)" in shown
    assert "file projector-00001.safetensors:" in shown


def test_a_reader_shows_how_its_experts_are_used(
    reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(reader, "--text", TEXT, "--device", "cpu", "--dtype", "float32") == 0

    shown = capsys.readouterr().out
    assert "metric dev.loss: 2.5" in shown
    assert "experts: 4 a layer of width 6, 2 a token, scale 0.25" in shown
    assert "dead experts: " in shown


def test_json_holds_the_manifest_and_the_health_of_each_layer(
    reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")

    code = run(reader, "--text-file", tmp_path / "text.txt", "--device", "cpu", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["manifest"]["kind"] == "reader"
    assert document["experts"]["options"]["width"] == 6
    (health,) = document["experts"]["health"]
    assert health["layer"] == 1
    assert sum(health["load"]) == pytest.approx(1.0)
    assert 0 < health["entropy"] <= 1


def test_a_text_longer_than_the_model_reads_is_cut_and_said(
    reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(reader, "--text", "Zaragoza " * 200, "--device", "cpu", "--json") == 0

    captured = capsys.readouterr()
    assert "the first 64 are read" in captured.err
    assert json.loads(captured.out)["experts"]["tokens"] == 64


def test_an_empty_text_exits_with_1(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(reader, "--text", "", "--device", "cpu") == 1
    assert "the text has no token" in capsys.readouterr().err


def test_a_text_for_what_has_no_experts_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SHIPPED, "--text", "hello") == 2
    assert "of kind 'projector' and has no experts" in capsys.readouterr().err


def test_two_texts_exit_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SHIPPED, "--text", "a", "--text-file", tmp_path / "b") == 2
    assert "give one of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no artifact at"),
        ("{", "not valid JSON"),
        ('{"kind": "poem"}', "names the kind 'poem', which xorag does not know"),
        ("[]", "names the kind None"),
    ],
)
def test_what_is_no_artifact_exits_with_1(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, encoding="utf-8")

    assert run(tmp_path) == 1
    assert message in capsys.readouterr().err


def test_an_altered_file_exits_with_1(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = reader / "experts.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x7f")

    assert run(reader) == 1
    assert "its sha256 differs" in capsys.readouterr().err


def test_a_text_file_that_is_missing_exits_with_1(
    reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(reader, "--text-file", reader / "none.txt") == 1
    assert "give a text file in UTF-8" in capsys.readouterr().err
