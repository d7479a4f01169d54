"""`xorag import` as a user sees it."""

import json
from pathlib import Path

import pytest
import torch

from tests.compression.test_published import publish, save_whole
from tests.compression.tiny_models import HIDDEN, IN_DIM
from xorag.cli.main import main
from xorag.compression.projector import Projector, published_state


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["import", *map(str, words)])
    return int(ended.value.code or 0)


def test_a_checkpoint_is_parted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "x", "mistral", save_whole, Projector(IN_DIM, HIDDEN))

    code = run(tmp_path / "x", "--to", tmp_path / "out")

    shown = capsys.readouterr().out
    assert code == 0
    assert "tokenizer: none; copy the base model's" in shown
    assert (tmp_path / "out" / "language-model" / "config.json").is_file()


def test_json_names_the_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(published_state(Projector(IN_DIM, HIDDEN)), tmp_path / "ckpt.pth")

    code = run(tmp_path / "ckpt.pth", "--to", tmp_path / "out", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["projector"] == str(tmp_path / "out" / "projector")
    assert document["language_model"] is None


def test_a_projector_alone_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(published_state(Projector(IN_DIM, HIDDEN)), tmp_path / "ckpt.pth")

    assert run(tmp_path / "ckpt.pth", "--to", tmp_path / "out") == 0
    assert "name its base model with --model" in capsys.readouterr().out


def test_a_missing_checkpoint_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none", "--to", tmp_path / "out") == 1
    assert "no checkpoint at" in capsys.readouterr().err
