"""A progress bar on a terminal, and a line now and then where there is none.

Knows nothing of what is counted.
"""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LINE_EVERY_SECONDS = 10.0
"""How often a line is written where stderr is no terminal; shorter work writes none."""


class Progress:
    """How far a piece of work has come, with its rate and the time left, on stderr."""

    def __init__(
        self,
        description: str,
        *,
        total: int | None = None,
        unit: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._description, self._total, self._unit = description, total, unit
        self._clock = clock
        self._done, self._before, self._note = 0, 0, ""
        self._started = self._last_line = clock()
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _rich_bar()
            self._task = self._bar.add_task(
                self._description, total=self._total, unit=self._unit, note="", rate=""
            )
            self._bar.start()
        self._started = self._last_line = self._clock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._show()
            self._bar.stop()

    def advance(self, count: int = 1) -> None:
        """Count that many as done."""
        self.update(self._done + count)

    def update(
        self,
        done: int | None = None,
        *,
        total: int | None = None,
        before: int = 0,
        note: str | None = None,
    ) -> None:
        """Set how many are done, how many there are, or a short note such as a loss.

        What an earlier run had done, `before`, counts as done, but not in the rate.
        """
        self._before = before
        self._done = self._done if done is None else done
        self._total = self._total if total is None else total
        self._note = self._note if note is None else note
        self._show()

    def describe(self) -> str:
        """The progress in words, such as `encoding: 120/480 passages (25 %), 40/s, 9 s left`."""
        total = "" if self._total is None else f"/{self._total}"
        unit = f" {self._unit}" if self._unit else ""
        share = f" ({100 * self._done / self._total:.0f} %)" if self._total else ""
        parts = [f"{self._description}: {self._done}{total}{unit}{share}", self._rate()]
        return ", ".join(part for part in (*parts, self._left(), self._note) if part)

    def _show(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task,
                completed=self._done,
                total=self._total,
                note=self._note,
                rate=self._rate(),
            )
            return
        now = self._clock()
        if now - self._last_line >= LINE_EVERY_SECONDS:
            self._last_line = now
            sys.stderr.write(self.describe() + "\n")
            sys.stderr.flush()

    def _per_second(self) -> float:
        elapsed = self._clock() - self._started
        return (self._done - self._before) / elapsed if elapsed > 0 else 0.0

    def _rate(self) -> str:
        rate = self._per_second()
        return f"{rate:.3g}/s" if rate > 0 else ""

    def _left(self) -> str:
        rate = self._per_second()
        if self._total is None or rate <= 0:
            return ""
        return f"{max(0.0, (self._total - self._done) / rate):.0f} s left"


def _rich_bar() -> "RichProgress":
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    from xorag.cli.terminal import console

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]} {task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console(is_stderr=True),
    )
