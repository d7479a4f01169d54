"""An evaluation goes on in its own directory and in no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluation.fake_pipeline import capitals
from xorag.errors import ArtifactError, ConfigError, StorageError
from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.plan import Settings, plan_conditions
from xorag.evaluation.question_sets import QuestionSet
from xorag.evaluation.registered import Models, Registered, SetEntry

MODELS = Models(
    model="tiny",
    encoder="enc",
    projector="here",
    projector_sha256="1",
    index=None,
    index_sha256=None,
    layout="chat",
    dtype="float32",
    device="cpu",
)


def entry(name: str = "nq", rows: str = "2") -> SetEntry:
    return SetEntry.of(QuestionSet(name, f"{name}.jsonl", "1", rows, 3, 0, capitals(3)))


def registered(*modes: str, **changes: object) -> Registered:
    conditions = plan_conditions(modes or ["closed"], k=1, tokens_per_passage=[1])
    first = Registered(Settings(), MODELS, (entry(),), conditions)
    return replace(first, **changes)  # type: ignore[arg-type]


def open_at(path: Path) -> EvaluationDirectory:
    path.mkdir(exist_ok=True)
    return EvaluationDirectory(path)


def test_what_is_registered_is_read_again(tmp_path: Path) -> None:
    directory = open_at(tmp_path / "out")

    directory.register(registered("closed", "xrag"))

    assert directory.registered() == registered("closed", "xrag")
    assert directory.recorded_models() == MODELS


def test_modes_and_sets_may_be_added(tmp_path: Path) -> None:
    directory = open_at(tmp_path / "out")
    directory.register(registered("closed", "text"))

    both = directory.register(registered("xrag", "text", sets=(entry("popqa"),)))

    assert [condition.label for condition in both.conditions] == ["closed", "text", "xrag"]
    assert [item.name for item in both.sets] == ["nq", "popqa"]
    assert directory.registered() == both


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"settings": Settings(seed=1)}, r"seed \(0 there, 1 now\)"),
        (
            {"settings": Settings(limit=3, k=2)},
            r"k \(1 there, 2 now\), limit \(None there, 3 now\)",
        ),
        ({"models": replace(MODELS, model="other")}, r"model \(tiny there, other now\)"),
        ({"models": replace(MODELS, projector_sha256="2")}, "projector_sha256"),
        ({"sets": (entry(rows="3"),)}, "the rows of nq"),
    ],
)
def test_an_evaluation_with_other_settings_is_refused(
    changes: dict[str, object], difference: str, tmp_path: Path
) -> None:
    directory = open_at(tmp_path / "out")
    directory.register(registered())

    with pytest.raises(ConfigError, match=f"{difference}.*; give another directory with --out"):
        directory.register(registered(**changes))

    assert directory.registered() == registered()


def test_the_same_projector_may_be_named_by_another_path(tmp_path: Path) -> None:
    directory = open_at(tmp_path / "out")
    directory.register(registered())

    directory.register(registered(models=replace(MODELS, projector="/elsewhere/here")))


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("All of it.")

    with pytest.raises(ConfigError, match="holds other files; give an empty or new directory"):
        EvaluationDirectory(tmp_path).require_usable()


def test_a_new_directory_is_not_made_by_the_check(tmp_path: Path) -> None:
    EvaluationDirectory(tmp_path / "a" / "b").require_usable()

    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="is no directory that you may write to"):
        EvaluationDirectory(tmp_path / "file" / "out").require_usable()


@pytest.mark.parametrize("content", ["", "{", '{"format": 2}', '{"recipe": {}}'])
def test_a_damaged_plan_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "eval.json").write_text(content)

    with pytest.raises(ArtifactError, match=r"eval\.json' describes no evaluation"):
        EvaluationDirectory(tmp_path).require_usable()


def test_two_processes_do_not_write_into_one_directory(tmp_path: Path) -> None:
    with (
        EvaluationDirectory(tmp_path).locked(),
        pytest.raises(StorageError, match="another process evaluates"),
        EvaluationDirectory(tmp_path).locked(),
    ):
        pass

    with EvaluationDirectory(tmp_path).locked():
        pass
