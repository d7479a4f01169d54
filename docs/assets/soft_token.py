"""Draws docs/assets/soft-token.svg: how a passage becomes one soft token.

    python docs/assets/soft_token.py [FILE]

Each small square is a token; 180 is the most that a passage has, 40 a usual question with its
instruction.
"""

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

PASSAGE, QUESTION = 180, 40
STEP, SIDE = 0.2, 0.16
TEXT, SOFT, ASKED, INK, BOX = "#3b76c4", "#e8801a", "#b9bec6", "#22262b", "#eef1f5"
ABOVE, BELOW = 4.35, 1.35


def main() -> None:
    """Draw the picture and write it."""
    target = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("soft-token.svg")
    mpl.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "xorag", "font.family": "sans-serif"}
    )
    figure = Figure(figsize=(11, 4.6), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 16.5), ylim=(0, 6.9))
    axes.axis("off")
    draw_passage(axes)
    draw_text(axes)
    draw_soft(axes)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None, dpi=110)


def draw_passage(axes: Axes) -> None:
    """The passage on the left, 12 by 15 tokens."""
    squares(axes, 0.45, 1.95, PASSAGE, 12, TEXT)
    label(axes, 1.65, 5.35, "a passage found\nfor the question", weight="bold")
    label(axes, 1.65, 1.5, f"{PASSAGE} tokens")


def draw_text(axes: Axes) -> None:
    """The upper way: all of its tokens stand in the prompt."""
    arrow(axes, (3.05, ABOVE), (9.6, ABOVE))
    label(axes, 6.2, ABOVE + 0.35, "mode text: the model reads its words")
    squares(axes, 9.85, ABOVE - 1.1, PASSAGE, 18, TEXT)
    squares(axes, 9.85, ABOVE + 1.0, QUESTION, 18, ASKED)
    label(axes, 11.65, ABOVE + 1.85, "question and instruction", size=9)
    reader(axes, ABOVE, f"{PASSAGE} + {QUESTION} tokens")


def draw_soft(axes: Axes) -> None:
    """The lower way: one soft token stands in the prompt."""
    arrow(axes, (3.05, BELOW + 0.9), (3.7, BELOW + 0.2))
    box(axes, 3.8, BELOW - 0.35, 1.35, "encoder", SOFT)
    arrow(axes, (5.2, BELOW), (5.6, BELOW))
    for number in range(9):
        height = 0.12 + 0.05 * ((number * 7) % 5)
        axes.add_patch(Rectangle((5.7 + number * 0.12, BELOW - height), 0.08, 2 * height, fc=SOFT))
    arrow(axes, (6.85, BELOW), (7.3, BELOW))
    box(axes, 7.4, BELOW - 0.35, 1.5, "projector", SOFT)
    arrow(axes, (9.0, BELOW), (9.6, BELOW))
    label(axes, 6.2, BELOW + 0.85, "mode xrag: the model reads one soft token")
    label(axes, 5.05, BELOW - 0.75, "once, when indexed;\nthe vector is kept", size=9)
    label(axes, 8.15, BELOW - 0.75, "the only part\nthat is trained", size=9)
    squares(axes, 9.85, BELOW - 0.3, 1, 18, SOFT)
    squares(axes, 9.85, BELOW, QUESTION, 18, ASKED)
    label(axes, 11.65, BELOW + 0.85, "question and instruction", size=9)
    reader(axes, BELOW + 0.1, f"1 + {QUESTION} tokens")


def reader(axes: Axes, height: float, tokens: str) -> None:
    """The language model at the end of a way, and what it reads."""
    arrow(axes, (13.5, height), (14.05, height))
    box(axes, 14.15, height - 0.5, 2.1, "language\nmodel, frozen", INK, tall=1.0)
    label(axes, 15.2, height - 0.85, tokens, weight="bold")


def squares(axes: Axes, left: float, bottom: float, count: int, columns: int, color: str) -> None:
    """So many tokens in rows, the first at the top left."""
    rows = -(-count // columns)
    for number in range(count):
        row, column = divmod(number, columns)
        corner = (left + column * STEP, bottom + (rows - 1 - row) * STEP)
        axes.add_patch(Rectangle(corner, SIDE, SIDE, fc=color))


def box(
    axes: Axes, left: float, bottom: float, width: float, text: str, edge: str, *, tall: float = 0.7
) -> None:
    """A part, named."""
    shape = FancyBboxPatch(
        (left, bottom), width, tall, boxstyle="round,pad=0,rounding_size=0.12", fc=BOX, ec=edge
    )
    axes.add_patch(shape)
    label(axes, left + width / 2, bottom + tall / 2, text)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one place to another."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2})


def label(
    axes: Axes, x: float, y: float, text: str, *, size: int = 11, weight: str = "normal"
) -> None:
    """Words, centred."""
    axes.text(x, y, text, ha="center", va="center", color=INK, size=size, weight=weight)


if __name__ == "__main__":
    main()
