"""Which combinations are measured, and how options are read."""

import pytest

from xorag.errors import UsageError
from xorag.profiling.cells import Cell, Grid, Setting, counts_from, modes_from
from xorag.types import Mode


def test_what_a_mode_does_not_depend_on_is_measured_once() -> None:
    grid = Grid(k=(1, 5), batch=(1,), new_tokens=(8,), tokens_per_passage=(1, 4))

    cells = grid.cells()

    assert [cell.label for cell in cells] == [
        "closed",
        "text k=1",
        "xrag k=1",
        "xrag k=1 x4",
        "text k=5",
        "xrag k=5",
        "xrag k=5 x4",
    ]


def test_every_batch_and_length_is_measured() -> None:
    grid = Grid(modes=(Mode.TEXT,), k=(2,), batch=(1, 8), new_tokens=(1, 32))

    assert grid.cells() == [
        Cell(Mode.TEXT, Setting(batch, new, 2, 0)) for batch in (1, 8) for new in (1, 32)
    ]


@pytest.mark.parametrize("name", ["k", "batch", "new_tokens", "tokens_per_passage"])
@pytest.mark.parametrize("values", [(), (0,), (3, -1)])
def test_numbers_below_one_are_refused_by_name(name: str, values: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=name):
        Grid(**{name: values})  # type: ignore[arg-type]


def test_a_grid_without_a_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="no mode"):
        Grid(modes=())


def test_lists_are_read_from_words_parted_by_commas() -> None:
    assert counts_from("1, 5,10,5", "-k") == (1, 5, 10)
    assert modes_from("text, closed") == (Mode.TEXT, Mode.CLOSED)


@pytest.mark.parametrize("text", ["", "one", "1,x", "0", "-1", "1.5", "²"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--batch takes whole numbers"):
        counts_from(text, "--batch")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="no mode 'guess'"):
        modes_from("text,guess")
