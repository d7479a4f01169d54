"""Results outlive whatever happens to the process that writes them."""

from pathlib import Path

import pytest

from xorag.errors import ArtifactError, StorageError
from xorag.evaluation.results import EvidenceResult, Result, ResultsFile


def result(identity: str) -> Result:
    evidence = EvidenceResult(
        "p1", "Title", "Text \u2028 of it", "strings", 4, 0.5, None, shown=("7 m",)
    )
    return Result(
        id=identity,
        question="Who?",
        task="qa",
        answers=("a", "b"),
        prediction="é\nmore",
        confidence=None,
        scores={"match": 1.0, "f1": 0.25},
        prompt_tokens=10,
        passage_tokens_as_text=30,
        passage_tokens_used=4,
        generated_tokens=2,
        seconds=0.5,
        evidence=(evidence,),
        gold_ids=("p1",),
    )


def append(path: Path, *identities: str) -> None:
    with ResultsFile(path) as file:
        for identity in identities:
            file.append(result(identity))


def test_what_was_appended_is_read_again_and_grows(tmp_path: Path) -> None:
    path = tmp_path / "nq" / "xrag.jsonl"

    append(path, "q1", "q2")
    append(path, "q3")

    assert ResultsFile(path).read() == {key: result(key) for key in ("q1", "q2", "q3")}
    assert path.read_bytes().count(b"\n") == 3


def test_no_file_holds_no_results(tmp_path: Path) -> None:
    assert ResultsFile(tmp_path / "none.jsonl").read() == {}


def test_a_line_that_a_kill_cut_short_is_dropped_at_every_length(tmp_path: Path) -> None:
    path = tmp_path / "xrag.jsonl"
    append(path, "q1", "q2")
    content = path.read_bytes()
    first = content.index(b"\n") + 1

    for length in range(first, len(content)):
        path.write_bytes(content[:length])

        assert list(ResultsFile(path).read()) == ["q1"]
        assert path.read_bytes() == content[:first]


def test_results_go_on_in_a_line_of_their_own_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "xrag.jsonl"
    append(path, "q1", "q2")
    path.write_bytes(path.read_bytes()[:-5])

    ResultsFile(path).read()
    append(path, "q2")

    assert list(ResultsFile(path).read()) == ["q1", "q2"]


@pytest.mark.parametrize("line", ["{", '{"id": "q1"}', "[]", "\ufffd"])
def test_a_whole_line_that_is_no_result_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "xrag.jsonl"
    append(path, "q1")
    path.write_text(path.read_text() + line + "\n")

    with pytest.raises(ArtifactError, match=r"xrag\.jsonl', line 2 is not a result.*delete the"):
        ResultsFile(path).read()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_in_a_sentence() -> None:
    with (
        pytest.raises(StorageError, match="cannot write '/dev/full': the disk is full"),
        ResultsFile(Path("/dev/full")) as file,
    ):
        file.append(result("q1"))
