"""Figures of matplotlib as SVG that stands inside a page and takes its colours and type.

matplotlib knows no CSS variables, so figures are drawn in stand-in colours, which are replaced
here. The same figure always gives the same text.
"""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from types import MappingProxyType

from matplotlib import style
from matplotlib.figure import Figure

INK, MUTED, LINE, SURFACE = "#a00001", "#a00002", "#a00003", "#a00004"
MODES = tuple(f"#a0001{number}" for number in range(8))
"""Stand-ins for the colours of the modes, `--mode-0` to `--mode-7` in the page."""

_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        INK: "var(--ink)",
        MUTED: "var(--muted)",
        LINE: "var(--line)",
        SURFACE: "var(--surface)",
        **{colour: f"var(--mode-{number})" for number, colour in enumerate(MODES)},
    }
)
_SETTINGS = MappingProxyType(
    {
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "font.size": 10.5,
        "grid.color": LINE,
        "legend.frameon": False,
        "svg.fonttype": "none",  # text stays text: smaller, and it can be read aloud and searched
        "svg.hashsalt": "xorag",
        "text.color": INK,
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "xtick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.color": MUTED,
        "ytick.labelcolor": INK,
    }
)
_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches; whatever the user's own settings are, it looks the same."""
    with style.context(["default", dict(_SETTINGS)]), warnings.catch_warnings():
        # The browser has other fonts than matplotlib, which only measures the text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield Figure(figsize=(width, height), layout="constrained")


def inline_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """The figure as an `<svg>` element for a page; call it inside `drawing`.

    Args:
        figure: Drawn in the stand-in colours.
        name: Put before every id, so that the figures of a page do not share any.
        title: What a screen reader calls the picture.
        description: What it shows, for those who do not see it.
    """
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=_METADATA)
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(
        r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL
    )
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return re.sub(r"<svg[^>]*>", lambda found: _opening(found[0], name, title, description), text)


def _opening(tag: str, name: str, title: str, description: str) -> str:
    box = re.search(r'viewBox="([^"]*)"', tag)
    return (
        f'<svg viewBox="{box[1] if box else ""}" xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
    )
