"""`xorag index` with other stores and engines, and `xorag search` within documents."""

import json
from pathlib import Path

import pytest

from tests.cli.test_index_verb import Call, call, encoder_folder, rows

__all__ = ["call", "encoder_folder", "rows"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--store", "milvus"), "--store milvus and --uri go together"),
        (("--uri", "m.db"), "only --uri was given"),
        (("--workers", "0"), "--workers must be at least 1, got 0"),
        (("--ray-address", "auto"), "--ray-address is for --engine ray"),
        (("--engine", "ray", "--skip-bad", "--limit", "3"), "--skip-bad and --limit do not go"),
    ],
)
def test_options_of_engines_and_stores_that_do_not_go_together_are_refused(
    call: Call, rows: Path, words: tuple[str, ...], message: str
) -> None:
    code, _, err = call("index", str(rows), "--index", "ix", *words)

    assert code == 2
    assert message in " ".join(err.split())


def test_an_index_in_milvus_is_searched_within_a_document(
    call: Call, rows: Path, encoder_folder: str
) -> None:
    pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")
    kept = ("--store", "milvus", "--uri", "m.db")
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder, *kept)

    code, out, _ = call("search", "Emma", "--index", "ix", "--document", "d7", "--json")

    assert code == 0
    assert [hit["document_id"] for hit in json.loads(out)["hits"]] == ["d7"]
