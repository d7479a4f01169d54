"""Counting examples and what was dropped, while a set is built."""

from collections import Counter
from collections.abc import Callable

from xorag.data.instructions.drops import PassageDrop, RowDrop
from xorag.data.instructions.reading import Instruction
from xorag.data.training_corpus import DropRule


def _ignore() -> None:
    """Take no notice of progress."""


class Tally:
    """The counts of one set, which grow as its examples are built."""

    def __init__(self, on_row: Callable[[], None] = _ignore) -> None:
        """Start at zero; `on_row` is called for each row read."""
        self._on_row = on_row
        self.rows = 0
        """Rows read."""
        self.examples = 0
        self.tasks: Counter[str] = Counter()
        self.passage_counts: Counter[int] = Counter()
        """Examples by how many passages they show."""
        self.supporting_counts: Counter[int] = Counter()
        """Examples by how many of their passages are labelled as supporting."""
        self.dropped: Counter[str] = Counter()
        self.dropped_passages: Counter[str] = Counter()

    def count_row(self) -> None:
        """Count a row as read."""
        self.rows += 1
        self._on_row()

    def skip(self) -> None:
        """Count a row that its reader left out."""
        self.count_row()
        self.drop(RowDrop.SKIPPED)

    def add(self, example: Instruction) -> None:
        """Count an example."""
        self.examples += 1
        self.tasks[example.task_type] += 1
        self.passage_counts[len(example.passages)] += 1
        supporting = sum(passage.is_supporting is True for passage in example.passages)
        self.supporting_counts[supporting] += 1

    def drop(self, reason: RowDrop) -> None:
        """Count a row that gave no example."""
        self.dropped[reason.value] += 1

    def drop_passage(self, reason: DropRule | PassageDrop) -> None:
        """Count a passage that must not or should not be shown."""
        self.dropped_passages[reason.value] += 1
