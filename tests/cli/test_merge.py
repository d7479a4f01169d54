"""`xorag merge`, and `xorag import` of Open-RAG's checkpoints, as a user sees them."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.generation.reader.tiny_readers import (
    add_lora,
    logits_of,
    make_base,
    opened,
    publish_merged,
    train,
)
from xorag.artifact.store import read_manifest
from xorag.cli.main import main
from xorag.generation.reader.artifact import save_reader


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words)])
    return int(ended.value.code or 0)


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    language, manifest = train(make_base(tmp_path / "base"))
    add_lora(language)
    save_reader(tmp_path / "reader", language=language, manifest=manifest, dtype=torch.float32)
    return tmp_path / "reader"


def test_a_reader_is_merged_into_one_directory(
    reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = logits_of(opened(reader).language.model)

    code = run("merge", reader, "--out", tmp_path / "merged", "--dtype", "float32")

    shutil.rmtree(tmp_path / "base")
    assert code == 0
    assert f"reader: {tmp_path / 'merged'}" in capsys.readouterr().out
    after = logits_of(opened(tmp_path / "merged").language.model)
    assert torch.allclose(after, before, atol=1e-5)


def test_the_type_that_is_kept_is_chosen(
    reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("merge", reader, "--out", tmp_path / "merged", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["manifest"]["settings"]["dtype"] == "bfloat16"
    assert document["manifest"] == read_manifest(tmp_path / "merged", kind="reader").model_dump(
        mode="json"
    )


def test_a_missing_base_model_is_told_in_one_sentence(
    reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(tmp_path / "base")

    code = run("merge", reader, "--out", tmp_path / "merged")

    assert code == 1
    assert f"no language model at '{tmp_path / 'base'}'" in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_published_reader_is_imported_with_its_base_model(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    language, _ = train(make_base(tmp_path / "base"))
    before = logits_of(language.model)
    published = publish_merged(language, tmp_path / "published")

    code = run("import", published, "--to", tmp_path / "reader", *options)

    shown = capsys.readouterr().out
    assert code == 0
    assert str(tmp_path / "reader") in shown
    assert not options or json.loads(shown)["experts"] == 3
    after = opened(tmp_path / "reader")
    assert torch.allclose(logits_of(after.language.model), before, atol=1e-5)
    assert after.manifest is not None
    assert after.manifest.settings["dtype"] == "float32"


def test_options_of_open_rag_are_refused_with_xrag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("import", make_base(tmp_path / "x"), "--to", tmp_path / "out", "--tokenizer", "t")

    assert code == 2
    assert "--tokenizer is for Open-RAG checkpoints" in capsys.readouterr().err
