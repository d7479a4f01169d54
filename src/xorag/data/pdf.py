"""PDF files with a text layer."""

import logging
import re
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from xorag.data.titled_text import TitledText
from xorag.errors import SourceError

_HYPHENATED = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
_LINE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")


def parse_pdf(path: Path) -> TitledText:
    """Read the text of all pages, with paragraphs joined into one line, and the title.

    Raises:
        SourceError: If the file is encrypted, damaged, or has no text layer.
    """
    # It warns about every oddity of a file that it reads all the same.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        with PdfReader(path) as reader:
            # Many need no password for reading; one that does is refused at its first page.
            if reader.is_encrypted:
                reader.decrypt("")
            pages = [_page_text(page.extract_text()) for page in reader.pages]
            title = str((reader.metadata and reader.metadata.title) or "")
    except (FileNotDecryptedError, DependencyError) as error:
        raise SourceError(
            f"it is encrypted; write a copy without password,"
            f" for example with `qpdf --decrypt {path.name} copy.pdf`"
        ) from error
    # A damaged file makes pypdf fail in any way: wrong types, missing keys, endless nesting.
    except Exception as error:
        raise SourceError(f"it is not a whole PDF ({error}); write it again") from error
    text = "\n\n".join(page for page in pages if page)
    if not text:
        raise SourceError("it has no text layer; recognize its pages first, as with ocrmypdf")
    return TitledText(" ".join(title.split()), text)


def count_pages(path: Path) -> int:
    """Count the pages of a file without reading them.

    Raises:
        SourceError: If the file is damaged.
    """
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        with PdfReader(path) as reader:
            if reader.is_encrypted:
                reader.decrypt("")
            return len(reader.pages)
    except Exception as error:
        raise SourceError(f"it is not a whole PDF ({error}); write it again") from error


def _page_text(text: str) -> str:
    return _LINE_BREAK.sub(" ", _HYPHENATED.sub("", text)).strip()
