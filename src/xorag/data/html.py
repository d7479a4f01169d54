"""Web pages: their title and main text, without menus and notices."""

import trafilatura

from xorag.data.titled_text import TitledText
from xorag.errors import SourceError


def parse_html(content: bytes) -> TitledText:
    """Read the main text of a page; of a page too plain to have one, all of its text.

    Raises:
        SourceError: If it is not HTML.
    """
    page = trafilatura.load_html(content)
    if page is None:
        raise SourceError("it is not HTML")
    title = trafilatura.extract_metadata(page).title or page.findtext(".//title") or ""
    text = trafilatura.extract(page, include_comments=False) or trafilatura.html2txt(content)
    return TitledText(" ".join(title.split()), text.strip())
