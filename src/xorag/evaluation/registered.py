"""What an evaluation was asked: settings, models, sets, conditions, as `eval.json` keeps them.

Knows nothing of files and of how questions are answered.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from xorag.evaluation.plan import Condition, PassageSource, Settings
from xorag.evaluation.question_sets import QuestionSet

_PACKAGES = ("xorag", "torch", "transformers", "sentence-transformers", "lancedb")
_PATHS = frozenset({"projector", "index", "reader"})
"""Fields that another one identifies by its hash, so that they may be named in another way."""
Item = TypeVar("Item")


def installed_versions() -> dict[str, str]:
    """Versions of the packages that decide the numbers, as far as they are installed."""
    found = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


@dataclass(frozen=True, slots=True)
class Models:
    """What answers the questions, as it was opened."""

    model: str
    encoder: str | None
    projector: str | None
    projector_sha256: str | None
    """Of its manifest, which names the hashes of its files."""
    index: str | None
    index_sha256: str | None
    """Of its manifest."""
    layout: str
    dtype: str
    device: str
    reader: str | None = None
    reader_sha256: str | None = None
    """Of its manifest; None where it has none, as published checkpoints."""
    calibration: str | None = None
    """The gate that the reader's calibration chose, such as `token at 0.4`."""
    form_calibration: str | None = None
    """Of what each form is worth, by its numbers; None: form auto goes by similarity."""
    judge: str | None = None
    """What lets the reader judge soft tokens, where it is not the one in the reader's folder."""
    reranker: str | None = None
    search: str | None = None
    """How an index is searched, where it is not by embedding."""
    generator: str | None = None
    """`vllm`, where a server computes the language model, in a format of its own."""


@dataclass(frozen=True, slots=True)
class SetEntry:
    """A question set as `eval.json` names it."""

    name: str
    source: str
    sha256: str | None
    rows_sha256: str
    row_count: int
    skipped_count: int
    question_count: int
    """Questions that are asked."""
    with_passages_count: int
    """Those of them that came with passages."""

    def expected(self, condition: Condition, settings: Settings) -> int:
        """Questions that a condition asks: only those with passages, where it reads given ones."""
        if condition.k == 0 or settings.passages is PassageSource.RETRIEVED:
            return self.question_count
        return self.with_passages_count

    @classmethod
    def of(cls, item: QuestionSet) -> "SetEntry":
        """The entry of a set that was read."""
        return cls(
            name=item.name,
            source=item.source,
            sha256=item.sha256,
            rows_sha256=item.rows_sha256,
            row_count=item.row_count,
            skipped_count=item.skipped_count,
            question_count=len(item.questions),
            with_passages_count=sum(bool(question.passages) for question in item.questions),
        )


@dataclass(frozen=True, slots=True)
class Registered:
    """What a directory's evaluation has been asked so far."""

    settings: Settings
    models: Models
    sets: tuple[SetEntry, ...]
    conditions: tuple[Condition, ...]
    versions: Mapping[str, str] = field(default_factory=installed_versions)
    format: Literal[1] = 1

    def as_json(self) -> dict[str, Any]:
        """The content of `eval.json`."""
        return asdict(self)


def merge(old: Registered, new: Registered) -> Registered:
    """What was asked before and what is asked now, which may add sets and conditions."""
    return Registered(
        settings=new.settings,
        models=new.models,
        sets=_merged(old.sets, new.sets, key=lambda item: item.name),
        conditions=_merged(old.conditions, new.conditions, key=lambda item: item.label),
        versions=old.versions,
    )


def differences(old: Registered, new: Registered) -> list[str]:
    """What keeps the one from going on as the other, such as `k (3 there, 1 now)`."""
    rows = {item.name: item.rows_sha256 for item in new.sets}
    return [
        *_differing(old.settings, new.settings),
        *_differing(old.models, new.models),
        *(
            f"the rows of {item.name}"
            for item in old.sets
            if rows.get(item.name, item.rows_sha256) != item.rows_sha256
        ),
    ]


def parse(content: bytes) -> Registered:
    """Read what `eval.json` holds.

    Raises:
        ValueError: If it is not that.
    """
    return _ADAPTER.validate_json(content)


def _merged(
    old: Sequence[Item], new: Sequence[Item], key: Callable[[Item], str]
) -> tuple[Item, ...]:
    return tuple(({key(item): item for item in old} | {key(item): item for item in new}).values())


def _differing(old: Settings | Models, new: Settings | Models) -> list[str]:
    """Options that differ, such as `k (3 there, 1 now)`."""
    return [
        f"{field.name} ({getattr(old, field.name)} there, {getattr(new, field.name)} now)"
        for field in fields(old)
        if field.name not in _PATHS and getattr(old, field.name) != getattr(new, field.name)
    ]


_ADAPTER = TypeAdapter(Registered)
