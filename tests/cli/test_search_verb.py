"""`xorag search` as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.retrieval.tiny_encoders import save_colbert, save_cross_encoder, save_encoder
from xorag.cli.main import main
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.types import Document

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("searched")
    encoder = Encoder.open(str(save_encoder(folder)), device="cpu")
    documents = [Document(f"d{i}", f"T{i}", f"Emma wrote\nnovel{i}x.") for i in range(20)]
    build_index(documents, folder / "index", encoder)
    return str(folder / "index")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the program in this process: code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["search", *words])
        out, err = capsys.readouterr()
        return int(str(stopped.value.code or 0)), out, err

    return run


@pytest.mark.parametrize("mode", ["dense", "bm25", "hybrid"])
def test_hits_are_printed_with_scores(call: Call, index: str, mode: str) -> None:
    code, out, err = call("who wrote novel7x?", "--index", index, "-k", "3", "--mode", mode)

    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 6)
    assert [line[:2] for line in lines[::2]] == ["1.", "2.", "3."]
    if mode == "bm25":
        assert lines[0].endswith("T7  [d7#0]")
        assert lines[1] == "   Emma wrote novel7x."


def test_json_holds_the_hits(call: Call, index: str) -> None:
    _, out, _ = call("novel7x", "--index", index, "-k", "1", "--mode", "bm25", "--json")

    printed = json.loads(out)
    (hit,) = printed.pop("hits")
    assert printed == {"query": "novel7x", "mode": "bm25", "reranker": None}
    assert hit.pop("score") > 0
    assert hit == {
        "id": "d7#0",
        "document_id": "d7",
        "title": "T7",
        "text": "Emma wrote\nnovel7x.",
        "position": 0,
    }


def test_rerankers_of_both_kinds_are_used(call: Call, index: str, tmp_path: Path) -> None:
    cross = str(save_cross_encoder(tmp_path / "cross"))
    colbert = str(save_colbert(tmp_path / "colbert"))
    words = ("emma", "--index", index, "-k", "3", "--json")

    _, plain, _ = call(*words)
    _, by_cross, _ = call(*words, "--reranker", cross)
    _, by_colbert, _ = call(*words, "--reranker", colbert, "--reranker-kind", "colbert")

    scores = [
        [hit["score"] for hit in json.loads(out)["hits"]] for out in (plain, by_cross, by_colbert)
    ]
    assert all(len(row) == 3 and row == sorted(row, reverse=True) for row in scores)
    assert scores[0] != scores[1] != scores[2]


def test_no_word_in_common_is_said(call: Call, index: str) -> None:
    _, out, _ = call("zebra", "--index", index, "--mode", "bm25")

    assert out == "no passage shares a word with the query\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("", "--index", "INDEX"), 2, "the query is empty, got ''"),
        (("emma", "--index", "INDEX", "-k", "0"), 2, "k must be at least 1, got 0"),
        (("emma", "--index", "nowhere"), 1, "no index at 'nowhere'; build one with"),
        (
            ("emma", "--index", "no/where"),
            1,
            "or build one with `xorag index SOURCE --index no/where`",
        ),
        (("emma", "--index", "INDEX", "--encoder", "./none"), 1, "./none"),
        (("emma", "--index", "INDEX", "--reranker", "./none"), 1, "./none"),
        (
            ("emma", "--index", "INDEX", "--reranker", "x", "--reranker-kind", "y"),
            2,
            "--reranker-kind must be cross-encoder or colbert, got 'y'",
        ),
        (("emma", "--index", "INDEX", "--mode", "guess"), 2, "guess"),
        (("emma",), 2, "--index"),
    ],
)
def test_what_cannot_work_gets_one_sentence(
    call: Call, index: str, words: tuple[str, ...], code: int, said: str
) -> None:
    given, out, err = call(*(word.replace("INDEX", index) for word in words))

    assert (given, out, err.count("\n")) == (code, "", 1)
    assert said in err
