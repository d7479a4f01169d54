"""What the frontier makes of its answers."""

from pathlib import Path

import pytest

from benchmarks.frontier.mixing import Scored, mixed_at
from benchmarks.frontier.records import Record, RecordFile, missing, newest, read_records
from benchmarks.frontier.reporting import fill_in
from benchmarks.frontier.summary import summarise
from benchmarks.frontier.tables import markdown


def record(
    condition: str, question: int, match: float, tokens: int = 100, **other: object
) -> Record:
    """An answer."""
    values = {
        "condition": condition,
        "set": "nq",
        "id": str(question),
        "ground": "now",
        "at": 1.0,
        "match": match,
        "f1": match,
        "prompt_tokens": tokens,
        "passage_tokens": tokens - 50,
        "seconds": 0.5,
        "wall_seconds": 0.5,
        "forms": "",
        "prediction": "",
    }
    return Record(**(values | other))  # type: ignore[arg-type]


def test_between_two_points_a_method_scores_what_a_lot_would() -> None:
    line = [Scored((1.0, 0.0), (1.0, 0.0), 300), Scored((0.0, 0.0), (0.0, 0.0), 100)]

    mixed = mixed_at(line, 150)

    assert mixed == Scored((0.25, 0.0), (0.25, 0.0), 150)


@pytest.mark.parametrize(("tokens", "end"), [(50, 100), (100, 100), (300, 300), (999, 300)])
def test_beyond_its_points_a_method_is_taken_at_its_end(tokens: float, end: float) -> None:
    line = [Scored((1.0,), (1.0,), 300), Scored((0.0,), (0.0,), 100)]

    assert mixed_at(line, tokens).prompt_tokens == end


def test_a_question_is_asked_again_on_another_ground_only(tmp_path: Path) -> None:
    to = RecordFile(tmp_path, "1of2")
    to.append(record("token1", 1, 1.0, ground="old projector"))
    to.append(record("token1", 2, 1.0))

    left = missing([("nq", "1"), ("nq", "2")], read_records(tmp_path), "token1", "now")

    assert left == {("nq", "1")}


def test_answers_on_an_older_ground_do_not_count() -> None:
    old, new = record("token1", 1, 1.0, ground="old", at=0.0), record("token1", 2, 0.0)
    other = record("closed", 1, 0.0, ground="old", at=0.0)

    assert newest([old, new, other]) == [other, new]


def test_a_line_that_a_kill_cut_short_is_taken_off(tmp_path: Path) -> None:
    RecordFile(tmp_path, "1of1").append(record("closed", 1, 0.0))
    with (tmp_path / "answers-1of1.jsonl").open("a") as lines:
        lines.write('{"condition": "clo')

    RecordFile(tmp_path, "1of1").append(record("closed", 2, 0.0))

    assert [each.id for each in read_records(tmp_path)] == ["1", "2"]


def test_conditions_are_compared_on_the_questions_that_all_have_answered() -> None:
    answers = [record("closed", i, 0.0, 50) for i in range(20)]
    answers += [record("text1", i, 1.0, 150) for i in range(19)]

    found = summarise(answers, ["closed", "text1", "auto16"])

    assert found.questions == {"nq": 19}
    assert [(point.label, point.match.mean, point.match.n) for point in found.points] == [
        ("closed", 0.0, 19),
        ("text1", 1.0, 19),
    ]


def test_a_condition_that_was_hardly_begun_is_left_out_and_named() -> None:
    answers = [record("closed", i, 0.0, 50) for i in range(20)]
    answers += [record("text1", i, 1.0, 150) for i in range(2)]

    found = summarise(answers, ["closed", "text1"])

    assert [point.label for point in found.points] == ["closed"]
    assert "Not finished, and left out: `text1`." in markdown(found)


def test_auto_is_compared_at_its_own_tokens_and_by_its_share_of_text() -> None:
    answers = [record("closed", i, 0.0, 50) for i in range(40)]
    answers += [record("text1", i, float(i < 20), 150) for i in range(40)]
    answers += [record("auto16", i, float(i < 18), 75) for i in range(40)]

    found = summarise(answers, ["closed", "text1", "auto16"])

    (comparison,) = found.comparisons
    auto = found.points[-1]
    assert comparison.at_tokens == 75
    assert comparison.match.difference == pytest.approx(18 / 40 - 20 / 40 / 4)
    assert auto.share_of_gain["text1"] is not None
    assert auto.share_of_gain["text1"].mean == pytest.approx(0.9)
    assert "90 % (" in markdown(found)
    assert "`auto16` keeps 90 % (" in markdown(found)
    assert "Below another method at as many tokens: 0 of 1." in markdown(found)


def test_nothing_to_report_is_said() -> None:
    with pytest.raises(SystemExit, match="ask first"):
        summarise([record("closed", 1, 0.0)], ["text1"])


def test_tables_go_between_the_marks_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- frontier -->\nold\n<!-- /frontier -->\nafter\n")

    fill_in(page, r"| new \1 |")

    assert page.read_text() == (
        "before\n<!-- frontier -->\n\n| new \\1 |\n\n<!-- /frontier -->\nafter\n"
    )


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("nothing here\n")

    with pytest.raises(SystemExit, match="lacks"):
        fill_in(page, "table")
