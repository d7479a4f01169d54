"""Markdown, as its readers see it: text without marks, and a title."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from xorag.data.titled_text import TitledText

_FRONT_MATTER = re.compile(r"(?ms)\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_TITLE_LINE = re.compile(r"^title[ \t]*:[ \t]*(.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)


def parse_markdown(source: str) -> TitledText:
    """Read text and title, which is the front matter's or the first heading.

    A heading that serves as the title is not repeated in the text.
    """
    front_matter = _FRONT_MATTER.match(source)
    body = source[front_matter.end() :] if front_matter else source
    title = _front_title(front_matter.group(1)) if front_matter else ""
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    heading = next((at for at, token in enumerate(tokens) if token.type == "heading_open"), None)
    if not title and heading is not None:
        title = _inline_text(tokens[heading + 1]).strip()
        tokens = tokens[:heading] + tokens[heading + 3 :]
    return TitledText(" ".join(title.split()), "\n\n".join(_blocks(tokens)))


def _front_title(front_matter: str) -> str:
    line = _TITLE_LINE.search(front_matter)
    return line.group(1).strip("\"'") if line else ""


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    row: list[str] | None = None
    for token in tokens:
        text = _block_text(token)
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield " | ".join(row)
            row = None
        elif row is not None and token.type == "inline":
            row.append(text)
        elif text:
            yield text


def _block_text(token: Token) -> str:
    if token.type == "inline":
        return _inline_text(token).strip()
    if token.type in {"fence", "code_block"}:
        return token.content.strip("\n")
    return _TAG.sub("", token.content).strip() if token.type == "html_block" else ""


def _inline_text(token: Token) -> str:
    return "".join(map(_child_text, token.children or ()))


def _child_text(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    if token.type == "html_inline":
        return ""
    return token.content
