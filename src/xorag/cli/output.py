"""What the verbs print: results on stdout, all else on stderr.

Knows nothing of the verbs.
"""

import io
import json as jsonlib
import logging
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xorag.cli.terminal import console

if TYPE_CHECKING:
    from xorag.cli.progress import Progress

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout.")]
"""The option of every verb for machines; give it the default False."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LOG_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "fields"}


def print_json(document: object) -> None:
    """Print the one JSON document that stdout holds under `--json`."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = jsonlib.dumps(document, ensure_ascii=not is_utf8, indent=2, allow_nan=False)
    sys.stdout.write(text + "\n")


def line(text: str = "") -> None:
    """Print a line to stdout, without what a terminal would take for a command."""
    sys.stdout.write(printable(text) + "\n")


def stream(piece: str) -> None:
    """Print a piece of text to stdout at once."""
    sys.stdout.write(printable(piece))
    sys.stdout.flush()


def flush() -> None:
    """Let whoever reads stdout have what was printed, before a verb that goes on for long."""
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print a table to stdout."""
    from rich.table import Table

    drawn = Table(*columns, title=title or None, title_justify="left")
    for row in rows:
        drawn.add_row(*(printable(str(cell)) for cell in row))
    console().print(drawn)


def say(text: str) -> None:
    """Tell the user on stderr what goes on; fits wherever an `on_message` is asked for."""
    sys.stderr.write(printable(text) + "\n")


def fail(text: str) -> None:
    """Print an error to stderr, as one line."""
    sys.stderr.write("Error: " + " ".join(printable(text).split()) + "\n")


def progress(description: str, *, total: int | None = None, unit: str = "") -> "Progress":
    """A progress bar on stderr; see `xorag.cli.progress`.

    Use it as `with output.progress("encoding", total=n, unit="passages") as bar: bar.advance(k)`.
    """
    from xorag.cli.progress import Progress

    return Progress(description, total=total, unit=unit)


@contextmanager
def working(description: str) -> Iterator[None]:
    """Show that something without a measurable progress goes on, on a terminal by a spinner."""
    err = console(is_stderr=True)
    if not err.is_terminal:
        say(description)
        yield
        return
    with err.status(description):
        yield


def printable(text: str) -> str:
    """The text without control characters, which could move the cursor or recolour a terminal."""
    return _CONTROL.sub("", text)


def configure_streams() -> None:
    """Escape what a stream cannot encode, where Python would stop with an error."""
    for target in (sys.stdout, sys.stderr):
        if isinstance(target, io.TextIOWrapper):
            target.reconfigure(errors="backslashreplace")


def configure_logging(*, is_debug: bool = False) -> None:
    """Send log records to stderr, with their fields: warnings, or more with `--debug`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s%(fields)s"))
    handler.addFilter(_add_fields)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("xorag").setLevel(logging.DEBUG if is_debug else logging.NOTSET)
    if is_debug:
        return
    warnings.simplefilter("ignore")
    logging.getLogger("py.warnings").setLevel(logging.ERROR)


def _add_fields(record: logging.LogRecord) -> bool:
    # What begins with an underscore, libraries such as Ray have added for themselves.
    given: Mapping[str, Any] = {
        k: v for k, v in vars(record).items() if k not in _LOG_FIELDS and not k.startswith("_")
    }
    record.fields = "".join(f" {key}={value}" for key, value in given.items())
    return True
