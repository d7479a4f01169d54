"""Files that are one document each: text, Markdown, HTML and PDF."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from xorag.data.formats import SourceFormat
from xorag.data.html import parse_html
from xorag.data.markdown import parse_markdown
from xorag.data.opening import OnBytes, ignore_bytes, read_bytes
from xorag.data.pdf import parse_pdf
from xorag.data.plain_text import decode_text
from xorag.data.rows import BadRow, Check, SourceFile, accept_all, clean
from xorag.data.titled_text import TitledText
from xorag.errors import SourceError
from xorag.types import Document

Parse = Callable[[bytes], TitledText]

PARSERS: Mapping[SourceFormat, Parse] = MappingProxyType(
    {
        SourceFormat.TEXT: lambda content: TitledText("", decode_text(content)),
        SourceFormat.MARKDOWN: lambda content: parse_markdown(decode_text(content)),
        SourceFormat.HTML: parse_html,
    }
)


def read_whole_file(
    file: SourceFile,
    source_format: SourceFormat,
    on_bytes: OnBytes = ignore_bytes,
    check: Check = accept_all,
) -> Document | BadRow:
    """Read a file as one document, named after itself where it has no title.

    Raises:
        SourceError: If the system does not let us read it.
    """
    if source_format is SourceFormat.PDF:
        return _document(file, lambda: _pdf(file.path, on_bytes), check)
    content = read_bytes(file.path, on_bytes)
    return _document(file, lambda: PARSERS[source_format](content), check)


def _document(file: SourceFile, parse: Callable[[], TitledText], check: Check) -> Document | BadRow:
    try:
        found = parse()
        title = found.title or PurePosixPath(file.id).stem.replace("_", " ")
        document = Document(file.id, clean(title, "title"), clean(found.text, "text"))
        check(document)
    except SourceError as error:
        return BadRow(file.path, "", str(error))
    if not document.text.strip():
        return BadRow(file.path, "", "it holds no text; remove it")
    return document


def _pdf(path: Path, on_bytes: OnBytes) -> TitledText:
    found = parse_pdf(path)
    on_bytes(path.stat().st_size)
    return found
