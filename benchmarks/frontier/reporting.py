"""Writes what the answers say: JSON, a picture, and tables, into the folder and into the docs.

Knows nothing of how answers came about.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.frontier.plot import draw
from benchmarks.frontier.records import read_records
from benchmarks.frontier.summary import summarise
from benchmarks.frontier.tables import markdown

BEGIN, END = "<!-- frontier -->", "<!-- /frontier -->"
PICTURE = "frontier.svg"
SHOWN = "Match and F1 against prompt tokens and against seconds, a line a method"


def report(out: Path, labels: Sequence[str], *, docs: Path | None = None) -> None:
    """Summarise all answers in a folder.

    Args:
        out: Where they are; `frontier.json`, `frontier.md` and `frontier.svg` are written there.
        labels: Conditions that are reported.
        docs: Where `benchmarks.md` has a place for the tables, and `assets` for the picture.

    Raises:
        SystemExit: If there is nothing to report, or no such place.
    """
    frontier = summarise(read_records(out), labels)
    tables = markdown(frontier)
    text = json.dumps(asdict(frontier), indent=1)
    (out / "frontier.json").write_text(text + "\n", encoding="utf-8")
    (out / "frontier.md").write_text(tables + "\n", encoding="utf-8")
    draw(frontier, out / PICTURE)
    if docs is not None:
        fill_in(docs / "benchmarks.md", f"![{SHOWN}](assets/{PICTURE})\n\n{tables}")
        draw(frontier, docs / "assets" / PICTURE)
    print(tables)


def fill_in(page: Path, tables: str) -> None:
    """Put tables between the two marks of a page, in place of what stands there.

    Raises:
        SystemExit: If the page does not have both marks.
    """
    text = page.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not between.search(text):
        raise SystemExit(f"{str(page)!r} lacks {BEGIN} or {END}; put both where the tables go")
    filled = f"{BEGIN}\n\n{tables}\n\n{END}"
    page.write_text(between.sub(lambda _: filled, text), encoding="utf-8")
