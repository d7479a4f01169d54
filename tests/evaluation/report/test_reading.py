"""What is taken from an evaluation's directory, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.evaluation.report.made_results import MODES, make_results, write_json
from xorag.errors import ArtifactError, SourceError
from xorag.evaluation.report.contents import read_contents
from xorag.evaluation.report.reading import read_rows, read_summary


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return make_results(tmp_path / "results", sets={"nq": 0.3, "pubhealth": 0.5}, questions=12)


def test_contents_hold_what_the_evaluation_found(results: Path) -> None:
    contents = read_contents(results, examples=5)

    assert contents.title == "smollm2-135m-instruct"
    assert contents.labels == tuple(mode.label for mode in MODES)
    assert [each.main_metric for each in contents.sets] == ["match", "accuracy"]
    assert contents.sets[0].metrics == ("match", "em", "f1")
    assert (contents.question_count, contents.example_count, contents.is_capped) == (24, 10, True)
    assert [(fact.name, fact.value) for fact in contents.sets[0].retrieval] == [
        ("recall@1", "0.61"),
        ("mrr", "0.701"),
    ]


def test_an_example_joins_the_modes_and_shows_a_passage_once(results: Path) -> None:
    (example, *_) = read_contents(results, examples=1).sets[0].examples

    (passage,) = example.passages
    read_as = [(way.label, way.form, way.tokens) for way in passage.read_as]
    assert [outcome.label for outcome in example.outcomes] == [mode.label for mode in MODES]
    assert read_as[0][:2] == ("text", "text")
    assert read_as[1:] == [("xrag", "token", 1), ("xrag-x4", "token", 4), ("xrag-x8", "token", 8)]


def test_every_confidence_is_in_the_reliability_diagram(results: Path) -> None:
    calibrations = read_contents(results, examples=0).sets[0].calibrations

    assert [each.label for each in calibrations] == [mode.label for mode in MODES]
    assert [sum(bin_.n for bin_ in each.bins) for each in calibrations] == [12] * len(MODES)


def test_answers_without_confidence_give_no_reliability_diagram(results: Path) -> None:
    for path in results.glob("nq/*.jsonl"):
        rows = [json.loads(line) | {"confidence": None} for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

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


@pytest.mark.parametrize(
    ("damaged", "fault"),
    [
        ('{"id": "a", "quest', "Invalid JSON"),
        ('{"id": "a"}', "question: Field required"),
        ("[]", "Input should be an object"),
        ('{"id": "a", "confidence": 7}', "Field required|less than or equal to 1"),
    ],
)
def test_a_damaged_line_is_named(results: Path, damaged: str, fault: str) -> None:
    path = results / "nq" / "xrag.jsonl"
    path.write_text(path.read_text() + damaged)

    with pytest.raises(
        ArtifactError, match=rf"line 13 of \S*xrag.jsonl is damaged .*({fault})"
    ) as e:
        read_contents(results, examples=5)

    assert "\n" not in str(e.value)


def test_a_missing_file_is_named(results: Path) -> None:
    (results / "nq" / "xrag-x4.jsonl").unlink()

    with pytest.raises(SourceError, match=r"xrag-x4.jsonl cannot be read"):
        read_contents(results, examples=5)


def test_bytes_that_are_no_utf8_do_not_stop_the_page(results: Path) -> None:
    path = results / "nq" / "text.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Who or what", b"Who \xff what", 1))

    rows = list(read_rows(results, "nq", "text"))

    assert rows[0].question.startswith("Who ? what")


@pytest.mark.parametrize("summary", [{"sets": []}, {"sets": [{"set": "nq"}]}, {"other": 1}])
def test_a_damaged_summary_is_named(results: Path, summary: dict[str, object]) -> None:
    write_json(results / "summary.json", summary)

    with pytest.raises(ArtifactError, match=r"summary.json"):
        read_summary(results)


@pytest.mark.parametrize("name", ["../secrets", "/etc", "", "a/b"])
def test_a_set_that_is_no_folder_of_the_results_is_refused(results: Path, name: str) -> None:
    document = json.loads((results / "summary.json").read_text())
    document["sets"][0]["set"] = name
    write_json(results / "summary.json", document)

    with pytest.raises(ArtifactError, match="no file's name"):
        read_contents(results, examples=5)
