"""What Ray's workers do, without Ray."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.retrieval.fake_encoder import FakeEncoder, FakeSource
from xorag.data.sources import iter_files
from xorag.errors import SourceError
from xorag.retrieval.engines.batches import BatchEncoder, short_content_hash
from xorag.retrieval.engines.ray_reading import read_files
from xorag.retrieval.engines.ray_worker import (
    RayEncoder,
    RayJob,
    RayResult,
    marks_of,
    result_of,
)
from xorag.retrieval.store import IndexSettings
from xorag.types import Document

LINES = """{"id": "a", "text": "A dog barks."}
{"id": "b", "text": "A cat sleeps."}
{"text": 7}
"""


@pytest.fixture
def files(tmp_path: Path) -> pa.Table:
    (tmp_path / "one.jsonl").write_text(LINES, encoding="utf-8")
    (tmp_path / "two.txt").write_text("A bird sings.", encoding="utf-8")
    found = iter_files([tmp_path])
    return pa.Table.from_pylist([{"path": str(file.path), "id": file.id} for file in found])


def encoded(files: pa.Table, held: list[Document]) -> RayResult:
    marks = marks_of((item.id, short_content_hash(item)) for item in held)
    job = RayJob(FakeSource(), IndexSettings(60))  # type: ignore[arg-type]  # a double
    actor = RayEncoder(job, marks)
    read = pa.concat_tables(read_files(files, source_format=None, is_skipping=True))
    (table,) = actor(read)
    (row,) = table.to_pylist()
    return result_of(row)


def test_files_become_the_rows_that_one_process_makes(files: pa.Table) -> None:
    documents = [
        Document("a", "", "A dog barks."),
        Document("b", "", "A cat sleeps."),
        Document("two.txt", "two", "A bird sings."),
    ]

    result = encoded(files, [])

    expected = BatchEncoder(FakeEncoder(), 60).encode_batch(documents)
    assert result.encoded.document_ids == ("a", "b", "two.txt")
    assert result.encoded.hashes == expected.hashes
    assert result.encoded.rows.schema == expected.rows.schema
    assert result.encoded.rows.to_pylist() == expected.rows.to_pylist()


def test_documents_that_are_held_unchanged_are_not_encoded(files: pa.Table) -> None:
    held = [Document("a", "", "A dog barks."), Document("b", "", "Another text.")]

    result = encoded(files, held)

    assert result.unchanged == ("a",)
    assert "b" in result.encoded.document_ids
    assert "a#0" not in result.encoded.rows["id"].to_pylist()


def test_bad_rows_are_handed_on_or_refused(files: pa.Table) -> None:
    (bad,) = encoded(files, []).left_out

    assert (bad.path.name, bad.place) == ("one.jsonl", "line 3")
    with pytest.raises(SourceError, match="line 3"):
        list(read_files(files, source_format=None, is_skipping=False))


def test_marks_are_sorted_and_tell_ids_and_contents_apart() -> None:
    marks = marks_of([("a", "1"), ("b", "1"), ("a", "2")])

    assert (np.diff(marks.astype(object)) > 0).all()
    assert len(set(marks.tolist())) == 3
