"""`xorag models` lists the readers that come with the package."""

import json
from pathlib import Path

import pytest

import xorag
from tests.generation.reader.tiny_readers import make_base, train
from xorag.cli.main import main
from xorag.generation.reader.artifact import save_reader


def test_readers_of_the_package_are_listed_with_their_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    save_reader(tmp_path / "readers" / "tiny", language=language, manifest=manifest)
    monkeypatch.setattr(xorag, "__file__", str(tmp_path / "__init__.py"))

    with pytest.raises(SystemExit) as ended:
        main(["models", "--json"])

    listed = json.loads(capsys.readouterr().out)["models"]
    reader = next(item for item in listed if item["role"] == "reader")
    assert ended.value.code == 0
    assert (reader["name"], reader["installed"]) == ("tiny", True)
    assert str(tmp_path / "base") in reader["description"]
