"""What the hub is asked for, and what is said where it cannot be asked."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets
import pytest

from tests.data.question_sets.copies import COPIES, write_file, write_folder
from xorag.data.question_sets.catalogue import NAMED_SETS
from xorag.data.question_sets.reading import read_question_set
from xorag.errors import MissingExtraError, SourceError, UsageError


def _ignore(_: object) -> None:
    pass


@pytest.mark.parametrize("name", sorted(COPIES))
def test_the_hub_is_asked_for_one_split_and_never_to_run_its_programs(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = NAMED_SETS[name]
    asked: list[tuple[tuple[object, ...], dict[str, Any]]] = []

    def load_dataset(*args: object, **options: Any) -> list[dict[str, object]]:  # noqa: ANN401
        asked.append((args, options))
        return []

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)

    questions = list(read_question_set(name))

    ((args, options),) = asked
    assert questions == []
    assert options["split"] == found.split
    assert options["streaming"] is True
    assert "trust_remote_code" not in options
    if found.is_converted:
        folder = f"{found.repository}@refs/convert/parquet/{found.config}/{found.split}"
        assert args == ("parquet",)
        assert options["data_files"] == {found.split: f"hf://datasets/{folder}/*.parquet"}
    else:
        assert args == (found.repository, found.config)


def test_another_configuration_and_split_are_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[object, ...]] = []

    def load_dataset(repository: str, config: str, *, split: str, **_: object) -> list[object]:
        asked.append((repository, config, split))
        return []

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)

    list(read_question_set("triviaqa/unfiltered.nocontext", split="train"))

    assert asked == [("mandarjoshi/trivia_qa", "unfiltered.nocontext", "train")]


@pytest.mark.parametrize("name", ["hotpotqa", "fever"])
def test_a_hub_out_of_reach_is_one_sentence_that_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)

    with pytest.raises(SourceError) as caught:
        list(read_question_set(name))

    found, said = NAMED_SETS[name], str(caught.value)
    assert f"did not serve {found.repository} ({found.config}, {found.split})" in said
    assert f"give a local copy as {name}=FILE_OR_FOLDER" in said
    assert "\n" not in said


def test_a_set_that_is_published_as_pickles_is_refused_with_the_way_round() -> None:
    with pytest.raises(SourceError, match=r"only as pickles.*factkg=FILE"):
        read_question_set("factkg")


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def import_module(name: str) -> ModuleType:
        if name == "datasets":
            raise ModuleNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib, "import_module", import_module)

    with pytest.raises(MissingExtraError, match=r"install xorag\[eval\]"):
        read_question_set("nq")


def test_a_folder_without_the_split_that_was_asked_for_lists_what_it_has(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "hotpotqa")

    with pytest.raises(SourceError, match=r"has no split 'test', only validation"):
        read_question_set(f"hotpotqa={folder}", split="test")


def test_a_folder_with_several_configurations_and_not_the_usual_one_lists_them(
    tmp_path: Path,
) -> None:
    folder = write_folder(tmp_path, "hotpotqa")
    card = (folder / "README.md").read_text()
    extra = "- config_name: b\n  data_files:\n  - split: validation\n    path: distractor/*\n"
    (folder / "README.md").write_text(
        card.replace("config_name: distractor", "config_name: a").replace(
            "---\n# Card", extra + "---\n# Card"
        )
    )

    with pytest.raises(SourceError, match=r"no configuration 'distractor', only a, b"):
        read_question_set(f"hotpotqa={folder}")


def test_a_folder_that_save_to_disk_left_is_read(tmp_path: Path) -> None:
    copy = COPIES["squad"]
    table = datasets.Dataset.from_list(copy.rows, features=datasets.Features(copy.features))
    datasets.DatasetDict({"validation": table}).save_to_disk(str(tmp_path / "both"))
    table.save_to_disk(str(tmp_path / "one"))

    (of_dict,) = read_question_set(f"squad={tmp_path / 'both'}")
    (of_table,) = read_question_set(f"squad={tmp_path / 'one'}")

    assert of_dict == of_table
    assert of_dict.id == "squad:56be4db0"


def test_a_folder_with_only_one_of_the_splits_on_its_card_says_how_to_read_it(
    tmp_path: Path,
) -> None:
    folder = write_folder(tmp_path, "hotpotqa")
    card = (folder / "README.md").read_text()
    missing = "  - split: train\n    path: distractor/train-*\n"
    (folder / "README.md").write_text(
        card.replace("  - split: validation", missing + "  - split: validation")
    )

    with pytest.raises(SourceError, match="name the file or folder in it that holds the rows"):
        read_question_set(f"hotpotqa={folder}")
    (question,) = read_question_set(f"hotpotqa={folder / 'distractor'}")

    assert question.id == "hotpotqa:5a8b"


def test_a_folder_whose_rows_are_damaged_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "nq")
    (path,) = folder.glob("*/*.parquet")
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(SourceError, match="downloaded cannot be read"):
        list(read_question_set(f"nq={folder}"))


def test_a_damaged_copy_is_named(tmp_path: Path) -> None:
    path = write_file(tmp_path, "nq")
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(SourceError, match=r"nq\.parquet cannot be read .*; download or write it"):
        list(read_question_set(f"nq={path}"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("no_such_set", "no such file or folder, and none of nq, triviaqa"),
        ("triviaqa/no_such_config", "no such file or folder"),
        ("nq=no/such/copy.jsonl", "no file or folder; check the path of the copy"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error_of_the_command(asked: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_question_set(asked)


def test_a_popqa_file_as_the_hub_has_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_text(
        'id\tprop\tquestion\tpossible_answers\n7\tcapital\tCapital of X?\t"[""Y"", ""Y City""]"\n'
    )

    (question,) = read_question_set(f"popqa={path}", on_skipped=_ignore)

    assert (question.id, question.answers) == ("popqa:7", ("Y", "Y City"))
