"""An index is made whole, written in steps, and by one process at a time."""

import errno
import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.retrieval.test_index import fill, make_index, make_passage, make_spec, make_vectors
from xorag.errors import IndexNotFoundError, StorageError, UsageError
from xorag.retrieval import schema
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.writer import IndexWriter, create_index, open_for_writing


def test_a_reader_sees_the_newest_version_and_never_half_a_document(tmp_path: Path) -> None:
    reader = PassageIndex.open(make_index(tmp_path / "index", make_vectors(5)).directory)
    versions = reader.table.version

    with open_for_writing(tmp_path / "index", None, chunk_tokens=50) as writer:
        changed = [make_passage(1, "fresh one"), make_passage(2, "fresh two")]
        rows = schema.rows(changed, list(make_vectors(2, seed=3)), ["n1", "n2"], writer.schema)
        writer.replace(rows, ["d1", "d2"])

    assert reader.table.version == versions + 1
    assert reader.content_hashes(["d1", "d2", "d3"]) == {"d1": "n1", "d2": "n2", "d3": "hash-d3"}
    assert [len(hits) for hits in reader.search_bm25(["fresh", "word1"], 5)] == [2, 0]


def test_a_replaced_document_loses_the_passages_it_no_longer_has(tmp_path: Path) -> None:
    passages = [replace(make_passage(7), id=f"d7#{i}", position=i) for i in range(3)]
    with open_for_writing(tmp_path / "index", make_spec(), chunk_tokens=50) as writer:
        fill(writer, [*passages, make_passage(8)], make_vectors(4))
        rows = schema.rows(passages[:1], list(make_vectors(1)), ["new"], writer.schema)

        writer.replace(rows, ["d7"])

        assert writer.index.passage_count() == 2
        assert writer.index.content_hashes(["d7", "d8"]) == {"d7": "new", "d8": "hash-d8"}


def test_ids_with_quotes_can_be_deleted(tmp_path: Path) -> None:
    name = 'it\'s a "name" -- %_'
    odd = replace(make_passage(1), id=f"{name}#0", document_id=name)
    with open_for_writing(tmp_path / "index", make_spec(), chunk_tokens=50) as writer:
        fill(writer, [odd, make_passage(2)], make_vectors(2))

        writer.delete([name])

        assert writer.index.passage_count() == 1


def test_a_large_table_gets_a_vector_index_with_the_same_hits(tmp_path: Path) -> None:
    vectors = make_vectors(600)
    with open_for_writing(tmp_path / "index", make_spec(), chunk_tokens=50) as writer:
        fill(writer, [make_passage(i) for i in range(600)], vectors)
        writer.finish()
        assert not writer.has_vector_index()
        exact = writer.index.search_dense(list(vectors[:20]), 5)

        writer.finish(vector_index_values=600 * 16)

        assert writer.has_vector_index()
    index = PassageIndex.open(tmp_path / "index")
    plan = index.table.search(vectors[0], vector_column_name="embedding").explain_plan()
    assert "ANN" in plan
    found = index.search_dense(list(vectors[:20]), 5)
    assert [hits[0] for hits in found] == [hits[0] for hits in exact]
    shared = [
        len({h.passage.id for h in a} & {h.passage.id for h in b})
        for a, b in zip(found, exact, strict=True)
    ]
    assert np.mean(shared) / 5 >= 0.9


def test_passages_added_to_a_vector_index_are_found_at_once(tmp_path: Path) -> None:
    vectors = make_vectors(300)
    with open_for_writing(tmp_path / "index", make_spec(), chunk_tokens=50) as writer:
        fill(writer, [make_passage(i) for i in range(299)], vectors[:299])
        writer.finish(vector_index_values=1)
        fill(writer, [make_passage(299)], vectors[299:])

        ((hit,),) = writer.index.search_dense([vectors[299]], 1)

        assert hit.passage.document_id == "d299"


def test_a_small_table_gets_no_vector_index(tmp_path: Path) -> None:
    with open_for_writing(tmp_path / "index", make_spec(), chunk_tokens=50) as writer:
        fill(writer, [make_passage(i) for i in range(100)], make_vectors(100))

        writer.finish(vector_index_values=1)

        assert not writer.has_vector_index()


def test_many_writes_are_tidied_into_few_files(tmp_path: Path) -> None:
    with open_for_writing(tmp_path / "index", make_spec(), chunk_tokens=50) as writer:
        for i in range(10):
            fill(writer, [make_passage(i)], make_vectors(1, seed=i))

        writer.finish()

        stats: Any = writer.index.table.stats()
        assert stats["fragment_stats"]["num_fragments"] == 1
        assert all(not item.num_unindexed_rows for item in writer.index.table.list_indices())


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(UsageError, match="holds files, but no index; give an empty or new"):
        create_index(tmp_path, make_spec(), chunk_tokens=50)

    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_in_the_place_of_the_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("dear")

    with pytest.raises(UsageError, match="is a file, not an index"):
        create_index(tmp_path / "index", make_spec(), chunk_tokens=50)


def test_an_empty_folder_becomes_an_index(tmp_path: Path) -> None:
    create_index(tmp_path, make_spec(), chunk_tokens=50)

    assert PassageIndex.open(tmp_path).passage_count() == 0
    assert PassageIndex.open(tmp_path).search_bm25(["word"], 3) == [[]]


def test_an_index_made_for_a_run_that_fails_at_once_is_removed(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        open_for_writing(tmp_path / "index", make_spec(), chunk_tokens=50),
    ):
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


def test_an_index_must_exist_to_be_changed_without_an_encoder(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError), open_for_writing(tmp_path, None, chunk_tokens=50):
        pass


def test_a_second_writer_is_refused_and_readers_go_on(tmp_path: Path) -> None:
    make_index(tmp_path / "index", make_vectors(3))
    context = multiprocessing.get_context("spawn")

    with open_for_writing(tmp_path / "index", None, chunk_tokens=50), context.Pool(1) as pool:
        said, count = pool.apply(write_elsewhere, (tmp_path / "index",))

    assert "another process is writing to the index" in said
    assert count == 3


def write_elsewhere(directory: Path) -> tuple[str, int]:
    """What a second process is told, and how much it can read."""
    count = PassageIndex.open(directory).passage_count()
    try:
        with open_for_writing(directory, None, chunk_tokens=50):
            return "", count
    except StorageError as error:
        return str(error), count


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index(tmp_path / "index", make_vectors(3))

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(index.table, "delete", refuse)
    with pytest.raises(StorageError, match="the disk is full"):
        IndexWriter(index).delete(["d1"])
