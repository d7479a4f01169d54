"""What is taken from an evaluation's directory, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.evaluation.report.made_results import LABELS, make_results, write_json
from xorag.errors import ArtifactError
from xorag.evaluation.report.contents import read_contents
from xorag.evaluation.report.reading import read_summary


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return make_results(tmp_path / "results", sets={"nq": 0.3, "pubhealth": 0.5}, questions=12)


def test_contents_hold_what_the_evaluation_found(results: Path) -> None:
    contents = read_contents(results, examples=5)

    assert contents.title == "smollm2-135m-instruct"
    assert contents.labels == LABELS
    assert [each.summary.primary for each in contents.sets] == ["match", "accuracy"]
    assert contents.sets[0].metrics == ("match", "em", "f1")
    assert (contents.question_count, contents.example_count, contents.is_capped) == (24, 10, True)
    assert contents.sets[0].summary.retrieval is not None


def test_an_example_joins_the_modes_and_shows_a_passage_once(results: Path) -> None:
    (example, *_) = read_contents(results, examples=1).sets[0].examples

    (passage,) = example.passages
    read_as = [(way.label, way.form, way.tokens) for way in passage.read_as]
    assert [outcome.label for outcome in example.outcomes] == list(LABELS)
    assert read_as[0][:2] == ("text", "text")
    assert read_as[1:] == [("xrag", "token", 1), ("xrag-x4", "token", 4), ("xrag-x8", "token", 8)]


def test_every_confidence_is_in_the_reliability_diagram(results: Path) -> None:
    calibrations = read_contents(results, examples=0).sets[0].calibrations

    assert [each.label for each in calibrations] == list(LABELS)
    assert [sum(bin_.n for bin_ in each.bins) for each in calibrations] == [12] * len(LABELS)


def test_answers_without_confidence_give_no_reliability_diagram(results: Path) -> None:
    document = json.loads((results / "summary.json").read_text())
    for condition in document["sets"][0]["conditions"]:
        condition["ece"] = None
    write_json(results / "summary.json", document)

    contents = read_contents(results, examples=0)

    assert contents.sets[0].calibrations == ()


def test_a_directory_without_results_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(
        ArtifactError, match=r"holds no results of `xorag eval`; name the directory"
    ):
        read_summary(tmp_path)


def test_an_evaluation_that_was_cut_short_says_how_to_go_on(results: Path) -> None:
    (results / "summary.json").unlink()

    with pytest.raises(ArtifactError, match="was not finished; run the same `xorag eval` again"):
        read_summary(results)


@pytest.mark.parametrize("damaged", ['{"id": "a", "quest\n', '{"id": "a"}\n', "[]\n"])
def test_a_damaged_line_is_named(results: Path, damaged: str) -> None:
    path = results / "nq" / "xrag.jsonl"
    path.write_text(path.read_text() + damaged)

    with pytest.raises(ArtifactError, match=r"xrag.jsonl', line 13 is not a result") as raised:
        read_contents(results, examples=5)

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("lines", [0, 11])
def test_missing_answers_are_told(results: Path, lines: int) -> None:
    path = results / "nq" / "xrag-x4.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))

    with pytest.raises(ArtifactError, match=rf"xrag-x4.jsonl holds {lines} answers, but .* of 12"):
        read_contents(results, examples=5)


def test_a_missing_file_is_told(results: Path) -> None:
    (results / "nq" / "xrag-x4.jsonl").unlink()

    with pytest.raises(ArtifactError, match=r"xrag-x4.jsonl holds 0 answers"):
        read_contents(results, examples=5)


@pytest.mark.parametrize("summary", [{"sets": []}, {"sets": [{"set": "nq"}]}, {}])
def test_a_damaged_summary_is_named(results: Path, summary: dict[str, object]) -> None:
    write_json(results / "summary.json", summary)

    with pytest.raises(ArtifactError, match=r"summary.json"):
        read_summary(results)


@pytest.mark.parametrize("name", ["../secrets", "/etc", "a/b"])
def test_a_set_that_is_no_folder_of_the_results_is_refused(results: Path, name: str) -> None:
    document = json.loads((results / "summary.json").read_text())
    document["sets"][0]["set"] = name
    write_json(results / "summary.json", document)

    with pytest.raises(ArtifactError, match="no file's name"):
        read_contents(results, examples=5)


def test_a_set_without_finished_modes_is_refused(results: Path) -> None:
    document = json.loads((results / "summary.json").read_text())
    document["sets"][0]["conditions"] = []
    write_json(results / "summary.json", document)

    with pytest.raises(ArtifactError, match="no set or no mode that is finished"):
        read_summary(results)
