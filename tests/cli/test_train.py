"""The verbs of training: `xorag train projector` and `xorag config show`."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.training.conftest import TrainingWorld, training_world  # noqa: F401 - a fixture
from xorag.cli.main import main
from xorag.training.distill import DistillReport
from xorag.training.evaluation import TokenLosses
from xorag.training.instruction_splits import Dropped


def run(*words: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(words)
    return caught.value.code


@pytest.fixture
def recipe_file(training_world: TrainingWorld, tmp_path: Path) -> Path:  # noqa: F811
    path = tmp_path / "recipe.toml"
    path.write_text(
        f"""
        out = {json.dumps(str(tmp_path / "run"))}
        [model]
        language_model = {json.dumps(str(training_world.model))}
        dtype = "float32"
        [passages]
        index = {json.dumps(str(training_world.index))}
        validation = 4
        report = 6
        max_tokens = 150
        [train]
        batch_size = 4
        trackers = []
        """,
        encoding="utf-8",
    )
    return path


def test_training_prints_one_json_document_and_shows_progress_on_stderr(
    recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        *("train", "projector", str(recipe_file), "train.max_steps=2"),
        *("--device", "cpu", "--threads", "1", "--json"),
    )

    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert code == 0, printed.err
    assert found["steps"] == 2
    assert found["projector"] == str(tmp_path / "run" / "projector")
    assert {"right", "none", "wrong", "gap_low", "gap_high"} <= found["losses"].keys()
    assert "warm start" in printed.err


def test_training_prints_a_table_of_the_three_losses(
    recipe_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        *("train", "projector", str(recipe_file), "train.max_steps=1", "train.save_every=1"),
        *("--device", "cpu", "--threads", "1"),
    )

    printed = capsys.readouterr()
    assert code == 0, printed.err
    assert "6 passages kept out of training" in printed.out
    assert "another's" in printed.out


def test_faults_of_a_recipe_are_said_in_one_line_and_nothing_is_written(
    recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("train", "projector", str(recipe_file), "train.batch_size=0", "mdl.layout=x")

    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert "train.batch_size" in error
    assert "mdl is not an option" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("rank", "line"),
    [(0, "projector: out/projector"), (8, "projector, with adapters of rank 8: out/projector")],
)
def test_distilling_says_where_the_projector_is_and_what_is_kept_with_it(
    rank: int, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = TokenLosses(1.0, 2.0, 1.5, 0.5, 0.4, 0.6, 10, 100)
    report = DistillReport(
        projector=Path("out/projector"),
        adapter_rank=rank,
        losses_by_rate={1: losses},
        losses_by_form={"strings32": losses},
        restating_losses_by_rate={},
        steps=4,
        examples=16,
        instructions=30,
        dropped=Dropped(0, 0, 1, 0),
    )
    monkeypatch.setattr("xorag.training.distill.train_distill", lambda *_, **__: report)

    codes = [
        run("train", "distill", "smollm2-minilm-distill", *words) for words in ([], ["--json"])
    ]

    printed = capsys.readouterr().out
    assert codes == [0, 0]
    assert line in printed
    assert "strings32" in printed.partition("beside one token")[2]
    document = json.loads(printed[printed.index("{") :])
    assert (document["projector"], document["adapter_rank"]) == ("out/projector", rank)


def test_a_shown_recipe_is_toml_with_the_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("config", "show", "smollm2-minilm", "train.batch_size=8")

    shown = tomllib.loads(capsys.readouterr().out)
    assert code == 0
    assert shown["train"]["batch_size"] == 8


def test_without_a_name_the_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("config", "show", "--json")

    assert code == 0
    assert "smollm2-minilm" in json.loads(capsys.readouterr().out)["recipes"]


def test_a_shown_recipe_is_json_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("config", "show", "mistral-7b-sfr", "--json")

    options = json.loads(capsys.readouterr().out)
    assert code == 0
    assert options["train"]["learning_rate"] == 6e-3
    assert options["train"]["batch_size"] * options["train"]["accumulation"] * 8 == 384
