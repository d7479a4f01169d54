"""Documents out of files and folders of each format."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xorag.data.formats import SourceFormat
from xorag.data.readers import read_documents
from xorag.types import Document

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file below the test's folder."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return write_file


def _read(path: Path, source_format: SourceFormat | None = None) -> list[Document]:
    return list(read_documents([path], source_format=source_format))


def test_a_folder_is_read_in_the_order_of_its_names(write: Write, tmp_path: Path) -> None:
    for name in ("b/z.txt", "b/a.md", "a.txt", "c.html", ".hidden.txt", ".git/x.txt", "x.bin"):
        write(name, f"Text of {name}.")

    documents = _read(tmp_path)

    assert [item.id for item in documents] == ["a.txt", "b/a.md", "b/z.txt", "c.html"]


def test_a_text_file_is_named_after_itself(write: Write) -> None:
    path = write("my_notes.txt", "\ufeffFirst line.\r\nSecond line.\r\n")

    assert _read(path) == [Document("my_notes.txt", "my notes", "First line.\nSecond line.\n")]


@pytest.mark.parametrize(
    ("source", "title", "text"),
    [
        ("# A *fine* head\n\nBody [link](http://x) `code`.", "A fine head", "Body link code."),
        ("---\ntitle: 'Front'\n---\n# Head\n\nBody.", "Front", "Head\n\nBody."),
        ("Body only,\nin two lines.", "page", "Body only,\nin two lines."),
        ("# T\n\n- one\n- two\n\n```py\nx = 1\n```", "T", "one\n\ntwo\n\nx = 1"),
        ("# T\n\n| a | b |\n|---|---|\n| 1 | 2 |", "T", "a | b\n\n1 | 2"),
        ("# T\n\nA<br>b &amp; c\n\n<p>in <!-- not --> tags</p>", "T", "Ab & c\n\nin  tags"),
    ],
)
def test_markdown_loses_its_marks_and_gives_its_title(
    write: Write, source: str, title: str, text: str
) -> None:
    path = write("page.md", source)

    assert _read(path) == [Document("page.md", title, text)]


def test_html_gives_its_main_text_in_its_own_encoding(write: Write) -> None:
    body = "Ce café est bon et tout le monde le sait bien. " * 20
    page = (
        "<html><head><meta charset='latin-1'><title>Café</title></head><body>"
        "<nav><a href='/'>Home</a></nav>"
        f"<article><p>{body}</p><p>Un &amp; deux.</p></article><script>x()</script></body></html>"
    )
    path = write("cafe.html", page.encode("latin-1"))

    (document,) = _read(path)

    assert document.title == "Café"
    assert document.text.startswith("Ce café")
    assert document.text.endswith("Un & deux.")
    assert "Home" not in document.text
    assert "x()" not in document.text


ROWS = [
    {"id": "1", "title": "Ada", "text": "Ada wrote.\nOften."},
    {"id": 2, "title": None, "text": "No title."},
]
EXPECTED = [Document("1", "Ada", "Ada wrote.\nOften."), Document("2", "", "No title.")]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.json", "rows"])
def test_json_lines_are_read_under_any_name(write: Write, name: str) -> None:
    lines = "\r\n\r\n".join(json.dumps(row) for row in ROWS)

    assert _read(write(name, "\ufeff" + lines + "\n")) == EXPECTED


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["rows.json", "rows.json.gz"])
def test_a_json_list_is_read_item_by_item(write: Write, name: str, indent: int | None) -> None:
    assert _read(write(name, json.dumps(ROWS, indent=indent))) == EXPECTED


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_object_of_rows_gives_them_its_keys_as_ids(write: Write, indent: int | None) -> None:
    rows = {"Ada": {"title": "Ada L.", "extract": "Ada wrote.", "topic": "x"}}
    path = write("summaries_en-us.json", json.dumps(rows, indent=indent))

    assert _read(path) == [Document("Ada", "Ada L.", "Ada wrote.")]


def test_rows_without_ids_are_named_after_file_and_line(write: Write, tmp_path: Path) -> None:
    write("sub/rows.jsonl", '{"text": "One."}\n\n{"text": "Three."}\n')

    assert [item.id for item in _read(tmp_path)] == ["sub/rows.jsonl:1", "sub/rows.jsonl:3"]


def test_xrag_passages_give_up_the_title_in_their_text(write: Write) -> None:
    rows = [{"id": "7", "text": "Ada | She wrote | a lot."}, {"id": "8", "text": "Bob | He read."}]
    path = write("wikipedia.jsonl", "\n".join(map(json.dumps, rows)))

    assert _read(path) == [
        Document("7", "Ada", "She wrote | a lot."),
        Document("8", "Bob", "He read."),
    ]


def test_forced_as_xrag_a_row_without_a_title_keeps_its_text(write: Write) -> None:
    path = write("rows.jsonl", '{"id": "1", "text": "Plain."}\n{"id": "2", "text": "A | B"}')

    documents = _read(path, SourceFormat.XRAG)

    assert documents == [Document("1", "", "Plain."), Document("2", "A", "B")]
    assert _read(path)[1] == Document("2", "", "A | B")


def test_atlas_passages_have_their_section_in_the_title(write: Write) -> None:
    rows = [
        {"id": "0", "title": "Boden", "section": "Etymology", "text": "It means shed."},
        {"id": "1", "title": "Boden", "section": "", "text": "A town."},
    ]
    path = write("text-list-100-sec.jsonl", "\n".join(map(json.dumps, rows)))

    assert [item.title for item in _read(path)] == ["Boden: Etymology", "Boden"]


def test_dpr_passages_are_unquoted(write: Write) -> None:
    path = write(
        "psgs_w100.tsv.gz", 'id\ttext\ttitle\n1\t"Aaron ""the"" prophet."\tAaron\n2\tBare.\tB\n'
    )

    assert _read(path) == [
        Document("1", "Aaron", 'Aaron "the" prophet.'),
        Document("2", "B", "Bare."),
    ]


def test_colbert_passages_need_no_header_and_keep_their_quotes(write: Write) -> None:
    path = write("collection.tsv", '0\t"Quoted" text.\tA title\n1\tNo title here.\n')

    assert _read(path) == [
        Document("0", "A title", '"Quoted" text.'),
        Document("1", "", "No title here."),
    ]


def test_csv_fields_may_span_lines_and_be_long(write: Write) -> None:
    long_text = "word " * 50_000
    path = write("rows.csv", f'ID,Title,Text\r\n1,"A, b","Two\r\nlines"\r\n\r\n2,C,{long_text}\r\n')

    first, second = _read(path)

    assert (first.title, first.text.split()) == ("A, b", ["Two", "lines"])
    assert second.text == long_text


def test_parquet_is_read_in_batches_past_other_columns(tmp_path: Path) -> None:
    count = 2500
    table = pa.table(
        {
            "docid": list(range(count)),
            "text": [f"Text {number}." for number in range(count)],
            "vector": [[0.0, 1.0]] * count,
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")

    documents = _read(tmp_path / "rows.parquet")

    assert len(documents) == count
    assert documents[-1] == Document("2499", "", "Text 2499.")


def test_a_file_without_a_known_name_is_told_by_its_content(write: Write) -> None:
    page = write("page", "<!DOCTYPE html><html><body><p>Hello there.</p></body></html>")
    note = write("README.rst", "A note.")

    assert [item.text for item in read_documents([page, note])] == ["Hello there.", "A note."]


def test_a_forced_format_also_reads_unknown_names_in_folders(write: Write, tmp_path: Path) -> None:
    write("a.rst", "# not a heading")

    (document,) = _read(tmp_path, SourceFormat.TEXT)

    assert document.text == "# not a heading"


def test_progress_counts_the_bytes_of_the_sources(write: Write, tmp_path: Path) -> None:
    files = [write("a.txt", "Text."), write("b.jsonl.gz", '{"text": "Row."}\n' * 1000)]
    pq.write_table(pa.table({"text": ["One.", "Two."]}), tmp_path / "c.parquet")
    seen: list[int] = []

    list(read_documents([tmp_path], on_bytes=seen.append))

    total = sum(path.stat().st_size for path in [*files, tmp_path / "c.parquet"])
    assert sum(seen) >= 0.99 * total


def test_nul_characters_in_rows_become_spaces(write: Write) -> None:
    path = write("rows.jsonl", '{"text": "a\\u0000b"}')

    assert _read(path)[0].text == "a b"


def test_other_archives_are_not_taken_for_text(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "text")

    with pytest.raises(ValueError, match="is not text"):
        _read(tmp_path / "x.zip")


def test_tables_and_pdf_are_told_by_their_first_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["Row."]}), tmp_path / "table")
    (tmp_path / "paper").write_bytes(b"%PDF-1.7 nonsense")

    assert [item.text for item in _read(tmp_path / "table")] == ["Row."]
    with pytest.raises(ValueError, match="paper: it is not a whole PDF"):
        _read(tmp_path / "paper")


def test_a_folder_is_read_the_same_each_time(write: Write, tmp_path: Path) -> None:
    write("a/b.txt", "One.")
    write("a.jsonl", '{"text": "Two."}')

    assert _read(tmp_path) == _read(tmp_path)
