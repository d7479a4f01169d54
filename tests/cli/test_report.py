"""`xorag report` as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evaluation.report.made_results import make_results
from xorag.cli.main import main

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the program in this process: code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["report", *words])
        out, err = capsys.readouterr()
        return int(str(stopped.value.code or 0)), out, err

    return run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return make_results(tmp_path / "results", sets={"nq": 0.3}, questions=6)


def test_it_says_where_the_page_is_and_what_it_holds(call: Call, results: Path) -> None:
    code, out, err = call(str(results), "--examples", "4")

    first, second = out.splitlines()
    assert (code, err) == (0, "writing the report\n")
    assert first.startswith(str(results / "report.html"))
    assert second == "- nq: 6 questions, 4 shown; closed, text, xrag, xrag-x4, xrag-x8"


def test_json_says_the_same_to_machines(call: Call, results: Path) -> None:
    _, out, _ = call(str(results), "--json")

    page = results / "report.html"
    assert json.loads(out) == {
        "report": str(page),
        "bytes": page.stat().st_size,
        "sets": [
            {
                "set": "nq",
                "questions": 6,
                "examples": 6,
                "conditions": ["closed", "text", "xrag", "xrag-x4", "xrag-x8"],
            }
        ],
    }


def test_wrong_input_is_one_sentence(call: Call, results: Path, tmp_path: Path) -> None:
    (results / "nq" / "text.jsonl").write_text("{broken\n")

    for words, wanted, expected in (
        ([str(tmp_path / "nowhere")], "holds no results of `xorag eval`", 1),
        ([str(results)], "line 1 is not a result", 1),
        ([str(results), "--examples", "-1"], "--examples must be 0 or more", 2),
        ([str(results), "--examples", "many"], "Invalid value for '--examples'", 2),
        ([], "Missing argument", 2),
    ):
        code, out, err = call(*words)

        *_, last = err.splitlines()
        assert (code, out) == (expected, "")
        assert last.startswith("Error: ")
        assert wanted in last
        assert "Traceback" not in err
