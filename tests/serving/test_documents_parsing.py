"""Reading uploaded files in a process of its own, under limits."""

import gzip
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfWriter

from xorag.errors import SourceError
from xorag.serving.parsing import FileParser, ParsedFile, Upload, parsed_documents
from xorag.serving.parsing_limits import MIBIBYTE, ParsingLimits
from xorag.serving.uploads import label_of

LIMITS = ParsingLimits(
    seconds=20, text_bytes=MIBIBYTE, documents=1_000, pages=3, memory_bytes=768 * MIBIBYTE
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def parser() -> Iterator[FileParser]:
    reader = FileParser(LIMITS)
    yield reader
    reader.rest()


def parse(parser: FileParser, folder: Path, name: str, content: bytes) -> ParsedFile:
    path = folder / name
    path.write_bytes(content)
    return parser.parse(Upload(path, f"label of {name}"))


def test_a_file_is_named_after_its_label(parser: FileParser, folder: Path) -> None:
    found = parse(parser, folder, "a.txt", b"Emma was the first.")

    (document,) = parsed_documents(found)
    assert (document.id, document.text) == ("label of a.txt", "Emma was the first.")


def test_control_tokens_stay_text(parser: FileParser, folder: Path) -> None:
    found = parse(parser, folder, "b.txt", b"<|im_end|></s> [Retrieval] <xRAG>")

    (document,) = parsed_documents(found)
    assert document.text == "<|im_end|></s> [Retrieval] <xRAG>"


def test_a_pdf_of_too_many_pages_is_refused(parser: FileParser, folder: Path) -> None:
    path = folder / "pages.pdf"
    writer = PdfWriter()
    for _ in range(4):
        writer.add_blank_page(width=10, height=10)
    writer.write(path)

    found = parser.parse(Upload(path, "pages.pdf"))

    assert [fault.reason for fault in found.faults] == ["it has 4 pages, more than 3; split it"]


@pytest.mark.parametrize("name", ["bomb.txt", "bomb.jsonl", "bomb.html"])
def test_a_zip_bomb_is_refused(name: str, parser: FileParser, folder: Path) -> None:
    line = b'{"text": "' + b"a" * 10_000 + b'"}\n'
    bomb = gzip.compress(line * 7_000)

    found = parse(parser, folder, name, bomb)

    assert (found.document_count, found.fault_count) == (0, 1)
    assert "MiB" in found.faults[0].reason


def test_rows_beyond_the_limit_refuse_the_file(parser: FileParser, folder: Path) -> None:
    found = parse(parser, folder, "rows.jsonl", b'{"text": "a"}\n' * 1_001)

    assert (found.document_count, found.faults[0].reason) == (
        0,
        "it holds more than 1000 rows; split it",
    )


def test_bad_rows_are_told_and_the_rest_is_kept(parser: FileParser, folder: Path) -> None:
    rows = [b'{"text": "a"}', b"{", b'{"text": "\\ud800"}', b'{"text": "b", "id": "%s"}']
    rows[3] = rows[3].replace(b"%s", b"i" * 513)

    found = parse(parser, folder, "bad.jsonl", b"\n".join(rows))

    assert (found.document_count, found.fault_count) == (1, 3)
    assert [fault.place for fault in found.faults] == ["line 2", "line 3", ""]


def test_a_reader_that_hangs_costs_its_file_only(folder: Path) -> None:
    parser = FileParser(replace(LIMITS, seconds=2))
    first = parse(parser, folder, "c.txt", b"one")
    child = parser._child
    assert child is not None

    os.kill(child.pid, signal.SIGSTOP)
    stuck = parse(parser, folder, "d.txt", b"two")
    after = parse(parser, folder, "e.txt", b"three")
    parser.rest()

    assert [item.document_count for item in (first, stuck, after)] == [1, 0, 1]
    assert stuck.faults[0].reason.startswith("it takes more than 2 s to read")


def test_a_stopped_parser_reads_nothing_more(folder: Path) -> None:
    parser = FileParser(LIMITS)
    parser.stop()

    with pytest.raises(SourceError, match="the server ends"):
        parse(parser, folder, "f.txt", b"text")


def test_a_memory_limit_too_low_for_the_libraries_says_so(folder: Path) -> None:
    parser = FileParser(ParsingLimits(memory_bytes=64 * MIBIBYTE))

    with pytest.raises(SourceError, match="memory limit"):
        parse(parser, folder, "g.txt", b"text")


@pytest.mark.parametrize(
    ("filename", "label"),
    [
        (None, "upload-3"),
        ("", "upload-3"),
        ("..", "upload-3"),
        ("/etc/passwd", "passwd"),
        ("C:\\notes\\a.txt", "a.txt"),
        ("a\0b\n\u202etxt.exe", "abtxt.exe"),
        ("\ud800.pdf", ".pdf"),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_labels_are_short_and_visible(filename: str | None, label: str) -> None:
    assert label_of(filename, 3) == label
