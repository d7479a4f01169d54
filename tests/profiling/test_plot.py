"""The plot of a profile, and what is refused before anything is measured."""

import sys
from pathlib import Path

import pytest

from xorag.errors import MissingExtraError, StorageError, UsageError
from xorag.profiling.cells import Cell, Setting
from xorag.profiling.meter import Part
from xorag.profiling.plot import plot_profile, require_plot
from xorag.profiling.results import CellCost, PartCost
from xorag.profiling.spread import spread_of
from xorag.types import Mode

PNG = b"\x89PNG\r\n\x1a\n"


def cost(mode: Mode, *, is_timed: bool) -> CellCost:
    rounds = (dict.fromkeys(Part, 0.25),) if is_timed else ()
    flops = {Part.PREFILL: 4 * 10**9, Part.DECODE: 10**9}
    parts = tuple(
        PartCost(part, flops.get(part, 0), 0, spread_of([0.25]) if is_timed else None)
        for part in Part
    )
    cell = Cell(mode, Setting(batch=1, new_tokens=8, k=2, tokens_per_passage=4))
    return CellCost(cell, 60.0, 60, 50.0, 180.0, 8, parts, rounds, None)


def drawn(path: Path) -> str:
    """The words of an SVG, which matplotlib leaves as comments beside their outlines."""
    return path.read_text(encoding="utf-8")


def test_a_plot_names_its_cells_and_the_parts_that_cost_something(tmp_path: Path) -> None:
    path = tmp_path / "cost.svg"

    plot_profile([cost(Mode.TEXT, is_timed=False), cost(Mode.XRAG, is_timed=False)], path)

    words = drawn(path)
    assert "xrag k=2 x4" in words
    assert "GFLOP a question" in words
    assert "prefill" in words
    assert "encode query" not in words
    assert "seconds a question" not in words


def test_time_gets_an_axis_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "cost.svg"

    plot_profile([cost(Mode.XRAG, is_timed=True)], path)

    assert "seconds a question" in drawn(path)
    assert "encode query" in drawn(path)


def test_the_ending_says_the_kind_of_picture(tmp_path: Path) -> None:
    plot_profile([cost(Mode.TEXT, is_timed=False)], tmp_path / "cost.png")

    assert (tmp_path / "cost.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("name", "reason"), [("cost.txt", "end the name in"), ("missing/cost.svg", "no folder")]
)
def test_what_cannot_be_drawn_is_refused_at_once(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=reason):
        require_plot(tmp_path / name)


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(MissingExtraError, match=r"xorag\[eval\]"):
        require_plot(tmp_path / "cost.svg")


def test_a_place_that_cannot_be_written_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(StorageError):
        plot_profile([cost(Mode.TEXT, is_timed=False)], tmp_path / "file" / "cost.png")
