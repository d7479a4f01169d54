"""What readers say of sources that they cannot read."""

import errno
import json
import os
import tracemalloc
from pathlib import Path

import pytest

from xorag.data import opening
from xorag.data.formats import SourceFormat
from xorag.data.readers import read_documents
from xorag.data.rows import BadRow
from xorag.data.seen import SeenIds
from xorag.data.sources import survey_sources
from xorag.errors import SourceError

GOOD = b'{"id": "a", "text": "Good."}\n'


def _write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", "it is not valid JSON"),
        (b"[" * 100_000, "it is not valid JSON"),
        (b"[1]", "it is not a JSON object"),
        (b'{"id": "b"}', "it has no text; its keys are id"),
        (b"{}", "it has no text; its keys are none"),
        (b'{"id": "b", "text": " "}', "its 'text' is empty"),
        (b'{"id": "b", "text": 3}', "its 'text' must be text, not a number"),
        (b'{"id": "b", "text": null}', "its 'text' must be text, not nothing"),
        (b'{"id": "b", "text": "x", "title": []}', "its 'title' must be text, not a list"),
        (b'{"id": "", "text": "x"}', "its 'id' is empty"),
        (b'{"id": null, "text": "x"}', "its 'id' must be text or a whole number, not nothing"),
        (b'{"id": true, "text": "x"}', "not true or false"),
        (b'{"id": 1.5, "text": "x"}', "not a number"),
        (b'{"id": {}, "text": "x"}', "not an object"),
        (b'{"id": "b", "text": "caf\xe9"}', "its 'text' is not valid UTF-8"),
        (b'{"id": "b", "text": "\\ud800"}', "its 'text' is not valid UTF-8"),
        (b'{"id": "a", "text": "x"}', "its id 'a' was already given earlier in this file"),
    ],
)
def test_a_bad_row_is_named_or_left_out(tmp_path: Path, line: bytes, reason: str) -> None:
    path = _write(tmp_path / "rows.jsonl", GOOD + line + b'\n{"id": "c", "text": "Last."}')
    left_out: list[BadRow] = []

    with pytest.raises(SourceError) as caught:
        list(read_documents([path]))
    documents = list(read_documents([path], on_bad_row=left_out.append))

    assert str(caught.value).startswith(f"{path}, line 2: ")
    assert reason in str(caught.value)
    assert str(caught.value).endswith("; correct it, or leave it out with --skip-bad")
    assert [item.id for item in documents] == ["a", "c"]
    assert [row.place for row in left_out] == ["line 2"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "id\ttext\n1\tx\ty\n", "line 2: it has 3 fields, but the header 2"),
        ("a.tsv", "1\tx\ty\tz\tw\n", "line 1: it should hold id, text and title"),
        ("a.csv", 'id,text\n1,"x" y\n', "line 2: it is not valid CSV"),
        ("a.jsonl", '{"id": "1", "text": "A | B"}\n{"id": "2"}', "line 2: it has no text"),
        ("a.json", '[{"text": "x"}, 3]', "item 2: it is not an object"),
        ("a.txt", b"one\ntwo \xff\n", "its line 2 is not valid UTF-8; turn it into UTF-8"),
        ("a.txt", b"MZ\x00\x01", "it is not text, it holds NUL bytes"),
        ("a.txt", "  \n", "it holds no text; remove it"),
        ("a.md", "# Only a title", "it holds no text"),
        ("a.html", "", "it is not HTML"),
        ("a.html", "<html><body></body></html>", "it holds no text"),
        ("a.pdf", b"%PDF-1.7 nonsense", "it is not a whole PDF"),
        ("a.pdf", b"", "it is not a whole PDF"),
    ],
)
def test_other_faults_are_named_or_left_out(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = _write(tmp_path / name, content)
    left_out: list[BadRow] = []

    with pytest.raises(SourceError) as caught:
        list(read_documents([path]))
    list(read_documents([path], on_bad_row=left_out.append))

    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert len(left_out) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "a,b\n1,2\n", "the first line of .* should name the columns"),
        ("a.csv", "", "should name the columns"),
        ("a.tsv", "name\tbody_text\nx\ty\n", "should name the columns"),
        ("a.json", "[]", "should hold a list of objects"),
        ("a.json", '"text"', "should hold a list of objects"),
        ("a.json", "{", "is not valid JSON"),
        ("a.parquet", "PAR1 nonsense", "is not a whole Parquet file"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00broken", "is not a whole gzip file"),
        ("a.jsonl", b"\x89PNG\x00\x00", "is not text"),
    ],
)
def test_a_damaged_file_of_rows_is_an_error(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = _write(tmp_path / name, content)
    left_out: list[BadRow] = []

    with pytest.raises(SourceError, match=message):
        list(read_documents([path], on_bad_row=left_out.append))


def test_a_missing_source_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    good = _write(tmp_path / "a.txt", "Text.")

    with pytest.raises(SourceError, match=r"nowhere cannot be read \(no such file.*check the path"):
        read_documents([good, tmp_path / "nowhere"])


@pytest.mark.parametrize("name", ["locked.txt", "sub/locked.txt"])
def test_an_unreadable_file_is_an_error_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # Root, as tests may run, reads files without permission too.
    _write(tmp_path / name, "Text.")
    monkeypatch.setattr(Path, "open", _refuse)

    with pytest.raises(SourceError, match=r"locked\.txt cannot be read .*check its permissions"):
        read_documents([tmp_path])


def test_an_unreadable_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", _refuse)

    with pytest.raises(SourceError, match=r"permission denied\); check its permissions"):
        read_documents([tmp_path])


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_a_folder_with_nothing_to_index_says_what_it_holds(tmp_path: Path) -> None:
    _write(tmp_path / "a.bin", "x")

    with pytest.raises(SourceError, match=r"holds nothing to index \(1 of \.bin\); files may end"):
        read_documents([tmp_path])


def test_no_sources_and_no_plain_file_are_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(SourceError, match="no sources were given"):
        read_documents([])
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        read_documents([tmp_path / "pipe"])


def test_a_survey_counts_files_bytes_and_what_is_skipped(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt", "12345")
    _write(tmp_path / "b.PNG", "x")
    _write(tmp_path / "LICENSE", "x")

    survey = survey_sources([tmp_path])

    assert (survey.file_count, survey.byte_count) == (1, 5)
    assert survey.skipped == {".png": 1, "": 1}


def test_ids_are_unique_across_files(tmp_path: Path) -> None:
    files = [_write(tmp_path / name, GOOD) for name in ("a.jsonl", "b.jsonl")]

    with pytest.raises(SourceError, match=r"b\.jsonl, line 1: its id 'a' was already .*a\.jsonl"):
        list(read_documents(files))


def test_two_files_of_one_name_point_to_their_common_folder(tmp_path: Path) -> None:
    folders = [_write(tmp_path / name / "README.md", "# A\n\nText.").parent for name in ("a", "b")]

    with pytest.raises(SourceError, match="name the folder that holds both as the source"):
        list(read_documents(folders))
    assert [item.id for item in read_documents([tmp_path])] == ["a/README.md", "b/README.md"]


def test_a_parquet_table_without_text_names_its_columns(tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - the one test that needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    pq.write_table(pa.table({"vector": [1.0]}), tmp_path / "a.parquet")

    with pytest.raises(SourceError, match="has no text column, only vector"):
        list(read_documents([tmp_path]))


def test_lines_and_files_of_no_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MAX_LINE_BYTES", 100)
    rows = _write(tmp_path / "rows.jsonl", GOOD + b"x" * 200)
    book = _write(tmp_path / "book.txt", "x" * 1000)

    with pytest.raises(SourceError, match=r"line 2 of .* is longer than"):
        list(read_documents([rows]))
    with pytest.raises(SourceError, match="holds more than"):
        opening.read_bytes(book, limit=999)


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(50_000):
            file.write(json.dumps({"id": f"row-{number}", "text": f"Text {number}."}) + "\n")
    documents = read_documents([path], source_format=SourceFormat.JSON_LINES)
    next(documents)
    tracemalloc.start()

    for _ in range(10_000):
        next(documents)
    early, _ = tracemalloc.get_traced_memory()
    count = sum(1 for _ in documents)
    late, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 39_999
    assert late <= early + 50_000
    assert peak < 2_000_000


def test_seen_ids_name_the_file_that_had_an_id_first() -> None:
    with SeenIds() as seen:
        first = [seen.add(f"id{number}", Path("a")) for number in range(1000)]

        assert first == [None] * 1000
        assert seen.add("id7", Path("b")) == Path("a")
        assert seen.add("new", Path("b")) is None
        assert seen.add("new", Path("c")) == Path("b")
