"""Which passages of an index training reads, which it is watched by, and which are reported on.

The three never share a document, and the split depends on ids alone, not on the order or the
size of the index. Knows nothing of models.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xorag.data.opening import read_lines
from xorag.data.training_corpus import ReservedTexts, supporting_dev_rows
from xorag.errors import ConfigError
from xorag.retrieval.index import PassageIndex
from xorag.types import Document, Passage


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A passage of an index by its place, with what the split and the batches need of it."""

    offset: int
    """Of the row in the index's table."""
    passage: Passage
    length: int
    """Characters of title and text, by which batches are grouped."""


@dataclass(frozen=True, slots=True)
class Splits:
    """Rows of an index, each list in the order of a hash of the document's id."""

    train: list[IndexRow]
    validation: list[IndexRow]
    report: list[IndexRow]
    reserved: int
    """Passages left out because they support questions that are reported on, or are kept out."""


class PassageSplitter:
    """Decides which rows are for what."""

    def __init__(
        self, *, validation: int, report: int, keep_out: Path | None, questions: Sequence[Path]
    ) -> None:
        self._validation, self._report = validation, report
        self._kept_out = _ids_in(keep_out) if keep_out else frozenset()
        self._reserved = ReservedTexts(supporting_dev_rows(questions)) if questions else None

    def split(self, rows: Iterator[IndexRow], *, limit: int | None = None) -> Splits:
        """Split rows; those for the report come from the kept-out ones, if any were named.

        Raises:
            ConfigError: If too few passages are left to train on.
        """
        kept_out: list[IndexRow] = []
        free: list[IndexRow] = []
        total = 0
        for row in rows:
            total += 1
            if row.passage.document_id in self._kept_out:
                kept_out.append(row)
            elif not self._is_reserved(row.passage):
                free.append(row)
        kept_out.sort(key=_hash_of_document)
        free.sort(key=_hash_of_document)
        report, free = _first_documents(kept_out if self._kept_out else free, self._report, free)
        validation, free = _first_documents(free, self._validation, free)
        train = free[:limit]
        _require_enough(report, validation, train, total)
        used = len(report) + len(validation) + len(free)
        return Splits(train, validation, report, reserved=total - used)

    def _is_reserved(self, passage: Passage) -> bool:
        if self._reserved is None:
            return False
        document = Document(passage.document_id, passage.title, passage.text)
        return self._reserved.rule_for(document) is not None


def rows_of(index: PassageIndex) -> Iterator[IndexRow]:
    """All rows of an index, in the order of its table."""
    offset = 0
    for batch in index.stream():
        for passage in batch.passages:
            yield IndexRow(offset, passage, len(passage.title) + len(passage.text))
            offset += 1


def _ids_in(path: Path) -> frozenset[str]:
    return frozenset(line.strip() for line in read_lines(path) if line.strip())


def _first_documents(
    rows: list[IndexRow], count: int, remaining: list[IndexRow]
) -> tuple[list[IndexRow], list[IndexRow]]:
    """The first rows, and the remaining ones without any passage of these rows' documents."""
    first = rows[:count]
    taken = {row.passage.document_id for row in first}
    return first, [row for row in remaining if row.passage.document_id not in taken]


def _hash_of_document(row: IndexRow) -> tuple[str, int]:
    name = row.passage.document_id.encode()
    return hashlib.sha256(name).hexdigest(), row.passage.position


def _require_enough(
    report: list[IndexRow], validation: list[IndexRow], train: list[IndexRow], total: int
) -> None:
    if min(len(report), len(validation), len(train)) < 2:  # noqa: PLR2004 - a wrong one is needed
        raise ConfigError(
            f"of the {total} passages of the index {len(train)} are left to train on, "
            f"{len(validation)} to validate and {len(report)} to report on; index more documents, "
            "or lower passages.validation and passages.report"
        )
