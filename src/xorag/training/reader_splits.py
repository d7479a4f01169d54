"""Which rows of a reader train, which are watched, which are reported on, which are dropped.

Knows nothing of models beyond how many tokens a row takes.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from xorag.errors import ConfigError, ControlTokenError
from xorag.generation.examples import NOT_SCORED, Example
from xorag.training.reader_examples import ReaderPrompts
from xorag.training.reader_rows import ReaderRow, ReaderTurn


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """Examples that cannot be learnt from, by the reason."""

    too_long: int = 0
    """It exceeds the limit; cut, it would lose its judgements."""
    unfit: int = 0
    """Its text makes a control token whatever is done."""
    empty: int = 0
    """Nothing of it is scored."""

    def __str__(self) -> str:
        """The counts in words."""
        return f"{self.too_long} too long, {self.unfit} unfit, {self.empty} empty"


@dataclass(frozen=True, slots=True)
class ReaderSplits:
    """Examples, no two lists of which share what is asked."""

    train: list[Example]
    validation: list[Example]
    report: list[Example]
    dropped: DroppedRows
    fingerprint: str
    """Hash of all tokens that train, in order."""
    train_turns: list[ReaderTurn | None]
    """Of each example that trains, its only turn; None where it has several or none."""
    report_turns: list[ReaderTurn | None]


@dataclass(frozen=True, slots=True)
class _Item:
    """An example, and the turn that it words if that is a single one."""

    example: Example
    turn: ReaderTurn | None


def split_rows(
    rows: Iterable[ReaderRow],
    prompts: ReaderPrompts,
    *,
    validation: int,
    report: int,
    max_tokens: int,
    limit: int | None = None,
) -> ReaderSplits:
    """Encode rows, drop what cannot be learnt from, and split the rest by a hash of what is asked.

    Raises:
        ConfigError: If too few examples are left.
        SourceError: If a file cannot be read.
    """
    groups: dict[str, list[_Item]] = {}
    counts = dict.fromkeys(DroppedRows.__dataclass_fields__, 0)
    for row in rows:
        try:
            examples = prompts.examples(row)
        except ControlTokenError:
            counts["unfit"] += 1
            continue
        for example in examples:
            if (reason := _reason_to_drop(example, max_tokens)) is not None:
                counts[reason] += 1
                continue
            turn = row.turns[0] if example is examples[0] and len(row.turns) == 1 else None
            groups.setdefault(_group(row), []).append(_Item(example, turn))
    in_order = [groups[key] for key in sorted(groups)]
    reported = _take(in_order, report)
    watched = _take(in_order, validation)
    kept = [item for group in in_order for item in group][:limit]
    train = [item.example for item in kept]
    splits = ReaderSplits(
        train,
        [item.example for item in watched],
        [item.example for item in reported],
        DroppedRows(**counts),
        _fingerprint(train),
        [item.turn for item in kept],
        [item.turn for item in reported],
    )
    _require_enough(splits, sum(len(group) for group in groups.values()))
    return splits


def _reason_to_drop(example: Example, max_tokens: int) -> str | None:
    if len(example.token_ids) > max_tokens:
        return "too_long"
    return "empty" if set(example.labels) == {NOT_SCORED} else None


def _group(row: ReaderRow) -> str:
    """Rows of one question stay together, whatever passage they read."""
    asked = row.turns[0].asked if row.turns else row.corpus
    return hashlib.sha256(" ".join(asked.casefold().split()).encode()).hexdigest()


def _take(groups: list[list[_Item]], count: int) -> list[_Item]:
    """Take whole groups off the front until there are so many examples."""
    taken: list[_Item] = []
    while groups and len(taken) < count:
        taken += groups.pop(0)
    return taken


def _fingerprint(examples: Iterable[Example]) -> str:
    digest = hashlib.sha256()
    for example in examples:
        digest.update(repr((example.token_ids, example.labels)).encode())
    return digest.hexdigest()


def _require_enough(splits: ReaderSplits, kept: int) -> None:
    enough = 2
    if min(len(splits.train), len(splits.validation), len(splits.report)) >= enough:
        return
    raise ConfigError(
        f"{kept} rows can be learnt from, too few for {len(splits.report)} to report on, "
        f"{len(splits.validation)} to watch and at least {enough} to train on; dropped were "
        f"{splits.dropped}; give more rows, or lower examples.report and examples.validation"
    )
