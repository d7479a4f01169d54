"""Documents that are meant to break what reads them, drawn by hypothesis.

Control tokens, packed bombs, broken PDFs, surrogates, endless lines, wrong types and deep nests.
`tests/serving/test_hostile_documents.py` draws a few, `benchmarks/faults.py` thousands.
"""

import gzip
import io
import json
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

MEGABYTE = 10**6
MARKS = (
    "<|im_start|>", "<|im_end|>", "<s>", "</s>", "<unk>", "<pad>", "[INST]", "[/INST]",
    "<|endoftext|>", "<|eot_id|>", "<xRAG>", "<passage>", "[Retrieval]", "[No Retrieval]",
    "[Relevant]", "[Fully supported]", "[Utility:5]", "<paragraph>", "</paragraph>", "[CLS]",
    "[SEP]", "[MASK]", "\u202e", "\u200b", "\ufeff", "\x00", "\x1b[2J", "\r\n",
)  # fmt: skip
NAMES = (
    "a.txt", "b.md", "c.html", "d.pdf", "e.jsonl", "f.json", "g.tsv", "h.csv", "i.parquet",
    "j.txt.gz", "k.jsonl.gz", "noname", "../../etc/passwd", "..", "C:\\boot.ini", "x\u202etxt.exe",
    "n" * 3000 + ".txt", "'; DROP TABLE passages; --.txt", "%00.txt", "jobs/x.txt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HostileFile:
    """A file as a request would bring it."""

    name: str
    content: bytes


def hostile_files(*, largest: int = 50 * MEGABYTE) -> st.SearchStrategy[HostileFile]:
    """Files of all kinds.

    Args:
        largest: Bytes of an endless line, and of what a bomb unpacks to, a tenth at least.
    """
    contents = st.one_of(
        _marked_text().map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=2_000),
        _broken_pdfs(largest),
        _rows().map(lambda text: text.encode("utf-8", "surrogatepass")),
        _nests(),
        _markup(),
        st.integers(0, 9).map(lambda turn: _large(largest, turn)),
    )
    return st.builds(HostileFile, st.sampled_from(NAMES), contents)


def hostile_ids() -> st.SearchStrategy[str]:
    """Names of documents that do not exist, or should not."""
    return st.one_of(st.sampled_from(NAMES + MARKS), st.text(max_size=40))


def _marked_text() -> st.SearchStrategy[str]:
    every = st.characters(codec=None, exclude_categories=())
    piece = st.one_of(st.sampled_from(MARKS), st.text(every, max_size=30))
    return st.lists(piece, min_size=1, max_size=30).map("".join)


def _rows() -> st.SearchStrategy[str]:
    """Lines of JSON with wrong types, surrogates in escapes, and ids of all kinds."""
    value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | _marked_text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    keys = st.sampled_from(["id", "text", "title", "section", "contents", "x"])
    row = st.dictionaries(keys, value, min_size=1, max_size=4).map(json.dumps)
    return st.lists(row, min_size=1, max_size=8).map("\n".join)


def _nests() -> st.SearchStrategy[bytes]:
    opening = st.sampled_from([b"[", b'{"text":', b"<div>", b"> ", b"(", b"<<"])
    return st.tuples(opening, st.integers(1, 50_000)).map(lambda drawn: drawn[0] * drawn[1])


def _markup() -> st.SearchStrategy[bytes]:
    entity = (
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY f SYSTEM "file:///etc/passwd">]><html><body><p>&b;&f;</p></body></html>'
    )
    script = b"<html><title></s></title><script>while(1);</script><p>" + b"word " * 200
    return st.one_of(st.sampled_from([entity, script]), st.binary(max_size=300).map(script.__add__))


def _broken_pdfs(largest: int) -> st.SearchStrategy[bytes]:
    whole = st.sampled_from([_pdf(0), _pdf(largest // 2)])
    place = st.tuples(st.floats(0, 1), st.binary(max_size=20))
    return st.tuples(whole, st.lists(place, max_size=5), st.floats(0, 1)).map(
        lambda drawn: _damaged(*drawn)
    )


def _damaged(content: bytes, changes: list[tuple[float, bytes]], kept: float) -> bytes:
    changed = bytearray(content)
    for share, piece in changes:
        start = int(share * len(changed))
        changed[start : start + len(piece)] = piece
    return bytes(changed[: max(8, int(len(changed) * kept))]) if changes else bytes(changed)


@cache
def _pdf(unpacked: int) -> bytes:
    """A page; with `unpacked`, one whose packed content is that large once it is unpacked."""
    writer = PdfWriter()
    page = writer.add_blank_page(width=100, height=100)
    content = DecodedStreamObject()
    content.set_data(b"BT (text) Tj ET " + b" " * unpacked)
    page[NameObject("/Contents")] = content
    page.compress_content_streams()
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


@cache
def _large(size: int, turn: int) -> bytes:
    """An endless line or a bomb; few, and each made once, as they are slow to make and to send."""
    if turn == 0:
        return b"a" * size
    if turn == 1:
        return b'{"text": "' + b"a " * (size // 2) + b'"}'
    if turn == 2:  # noqa: PLR2004 - the third kind
        return gzip.compress(gzip.compress(b"\0" * size))
    lines = {3: b'{"text": "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"}\n', 4: b"word ", 5: b"a,b\n"}
    return gzip.compress(lines.get(turn, b"a") * (size // 10))
