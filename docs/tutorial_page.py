"""Puts the tutorial's cells and outputs into its page when the site is built: a hook of mkdocs.

On GitHub the page only links to the notebook, which is shown there as it is.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).with_name("tutorial.ipynb")
MARK = "<!-- the notebook's cells -->\n"

Part = Mapping[str, Any]
"""A cell or an output, in the notebook format 4 (nbformat.readthedocs.io)."""


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the mark by the notebook; mkdocs calls it for each page."""
    return markdown.replace(MARK, cells_as_markdown(NOTEBOOK)) if MARK in markdown else markdown


def cells_as_markdown(path: Path) -> str:
    """All cells of a notebook and what they showed, less its title, which the page has."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join(part for cell in cells for part in _parts(cell)) + "\n"
    return text.split("\n", maxsplit=1)[1] if text.startswith("# ") else text


def _parts(cell: Part) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield _fenced(source, "python")
    for output in cell["outputs"]:
        yield _shown(output)


def _shown(output: Part) -> str:
    if output["output_type"] == "stream":
        return _fenced("".join(output["text"]), "text")
    image = output["data"].get("image/png")
    if image is not None:
        return f"![What the cell drew](data:image/png;base64,{''.join(image).strip()})"
    return _fenced("".join(output["data"]["text/plain"]), "text")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"
