"""A merged reader answers as the one that it was made of, with nothing beside it."""

import shutil
from pathlib import Path

import pytest
import torch

from tests.generation.reader.tiny_readers import (
    CPU,
    add_lora,
    logits_of,
    make_base,
    opened,
    train,
)
from xorag.errors import ArtifactError
from xorag.generation.reader.artifact import save_reader
from xorag.generation.reader.merging import save_merged
from xorag.generation.reader.opening import open_parts
from xorag.generation.reader.parts import Place
from xorag.generation.reader.published import Beside

FLOAT = Place(CPU, torch.float32)


@pytest.mark.parametrize("family", ["llama", "llama-tied", "gemma2", "phi3"])
def test_a_merged_reader_needs_no_base_model(family: str, tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base", family))
    add_lora(language)
    before = logits_of(language.model)
    save_reader(tmp_path / "reader", language=language, manifest=manifest, dtype=torch.float32)

    parts = open_parts(tmp_path / "reader", FLOAT, Beside())
    save_merged(tmp_path / "merged", parts, origin="reader")
    shutil.rmtree(tmp_path / "base")
    merged = opened(tmp_path / "merged")

    assert torch.allclose(logits_of(merged.language.model), before, atol=1e-4)
    assert merged.language.name == str(tmp_path / "base")
    assert merged.manifest is not None
    assert merged.manifest.base_model == manifest.base_model
    assert merged.manifest.settings["merged_from"] == "reader"


def test_a_merged_reader_may_be_merged_again(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    save_reader(tmp_path / "reader", language=language, manifest=manifest, dtype=torch.float32)
    save_merged(tmp_path / "one", open_parts(tmp_path / "reader", FLOAT, Beside()), origin="a")

    save_merged(tmp_path / "two", open_parts(tmp_path / "one", FLOAT, Beside()), origin="b")

    one, two = opened(tmp_path / "one"), opened(tmp_path / "two")
    assert torch.equal(logits_of(one.language.model), logits_of(two.language.model))


def test_a_directory_that_is_there_is_left_alone(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    save_reader(tmp_path / "reader", language=language, manifest=manifest)
    parts = open_parts(tmp_path / "reader", FLOAT, Beside())

    with pytest.raises(ArtifactError, match="exists already"):
        save_merged(tmp_path / "base", parts, origin="reader")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "reader"]
