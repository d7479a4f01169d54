"""What an evaluation asks: which questions, in which modes, with which passages.

Knows nothing of models, and nothing of how answers are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from xorag.errors import UsageError
from xorag.types import Mode

MAX_TOKENS_PER_PASSAGE = 16


class Rows(StrEnum):
    """Which rows of a question set are asked."""

    DEV = "dev"
    """Those kept for reporting, one in five by the hash of their key."""
    TRAIN = "train"
    """The others, for training and tuning."""
    ALL = "all"


class PassageSource(StrEnum):
    """Where the passages that a question is answered from come from."""

    GIVEN = "given"
    """With the question."""
    RETRIEVED = "retrieved"
    """From an index."""
    OTHER = "other"
    """With another question: a control, which shows what a mode gains without the right passage."""


@dataclass(frozen=True, slots=True)
class EvaluatedMode:
    """What an evaluation must know of a mode."""

    mode: Mode
    reads_passages: bool
    has_rates: bool
    """Whether it is asked once for each number of soft tokens a passage."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to ask the questions, whose answers stand in a file of its own."""

    label: str
    """Its name in files and tables, such as `xrag-x4`."""
    mode: Mode
    k: int
    """Passages read; 0 where the mode reads none."""
    tokens_per_passage: int | None
    """Soft tokens asked for each passage; None where the mode reads none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the numbers of an evaluation besides its questions, conditions and models."""

    passages: PassageSource = PassageSource.GIVEN
    k: int = 1
    rows: Rows = Rows.ALL
    limit: int | None = None
    """The most questions asked of a set."""
    seed: int = 0
    """Of the sample that `limit` takes and of the order of given passages."""
    max_new_tokens: int = 32

    def __post_init__(self) -> None:
        for name, value in (
            ("-k", self.k),
            ("--limit", self.limit),
            ("--max-new-tokens", self.max_new_tokens),
        ):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}; {_REMEDIES[name]}")


_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "-k": "for no passages use --modes closed",
        "--limit": "leave it out to ask all questions",
        "--max-new-tokens": "it is where an answer is cut",
    }
)
MODES: Mapping[str, EvaluatedMode] = MappingProxyType(
    {
        "closed": EvaluatedMode(Mode.CLOSED, reads_passages=False, has_rates=False),
        "text": EvaluatedMode(Mode.TEXT, reads_passages=True, has_rates=False),
        "xrag": EvaluatedMode(Mode.XRAG, reads_passages=True, has_rates=True),
    }
)
"""The modes that can be evaluated, by the names that `--modes` takes."""
_PLANNED = frozenset({"openrag"})


def plan_conditions(
    modes: Sequence[str], *, k: int, tokens_per_passage: Sequence[int]
) -> tuple[Condition, ...]:
    """The conditions that modes and rates make, in the order given and each once.

    Args:
        modes: Names out of `MODES`.
        k: Passages to read, where a mode reads any.
        tokens_per_passage: Rates for the modes that have rates, each from 1 to 16.

    Raises:
        UsageError: If there is no mode, an unknown one, or a rate out of range.
    """
    if not modes:
        raise UsageError(f"no mode was given; give some of {', '.join(MODES)}")
    known = [_mode(name) for name in dict.fromkeys(modes)]
    rates = [_rate(rate) for rate in dict.fromkeys(tokens_per_passage)]
    if not rates:
        raise UsageError("--tokens-per-passage is empty; give numbers such as 1,4,8")
    return tuple(
        _condition(item, k, rate) for item in known for rate in (rates if item.has_rates else [1])
    )


def _mode(name: str) -> EvaluatedMode:
    if name in MODES:
        return MODES[name]
    if name in _PLANNED:
        raise UsageError(
            f"mode {name!r} is not in this version of xorag, which evaluates "
            f"{', '.join(MODES)}; leave it out"
        )
    raise UsageError(f"no mode {name!r}; give some of {', '.join(MODES)}")


def _rate(tokens: int) -> int:
    if not 1 <= tokens <= MAX_TOKENS_PER_PASSAGE:
        raise UsageError(
            f"--tokens-per-passage must be from 1 to {MAX_TOKENS_PER_PASSAGE}, got {tokens}"
        )
    return tokens


def _condition(item: EvaluatedMode, k: int, tokens: int) -> Condition:
    suffix = f"-x{tokens}" if tokens > 1 else ""
    return Condition(
        label=item.mode.value + suffix,
        mode=item.mode,
        k=k if item.reads_passages else 0,
        tokens_per_passage=tokens if item.has_rates else None,
    )
