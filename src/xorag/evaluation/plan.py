"""What an evaluation asks: which questions, in which modes, with which passages.

Knows nothing of models, and nothing of how answers are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from xorag.errors import UsageError
from xorag.evaluation.forms import EvaluatedForm
from xorag.pipeline.finding_options import HopBy, SelectBy
from xorag.pipeline.options import checked
from xorag.types import Form, GateKind, Mode

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
    """Whether it is asked once for each number of soft tokens a passage, where no form is named."""
    has_forms: bool = False
    """Whether it is asked once for each form that is named."""


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
    form: Form | Literal["auto"] | None = None
    """How passages are read; None: as the mode does."""
    shown: int | None = None
    """Tokens of strings, or sentences, that the form shows of a passage; in form auto tokens of
    all passages together."""

    @property
    def needs_projector(self) -> bool:
        """Whether soft tokens stand for passages; mode xrag wants a projector in any form."""
        has_soft_tokens = self.form is not None and self.form not in (Form.DROPPED, Form.TEXT)
        return self.k > 0 and (self.mode is Mode.XRAG or has_soft_tokens)


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
    hops: int = 1
    """How often passages are looked for, where they are retrieved."""
    hop_by: HopBy = HopBy.NAMES
    select: int | None = None
    """Of the `k` passages, those that are read; by relevance in mode `openrag` only."""
    select_by: SelectBy | None = None
    gate: GateKind | None = None
    """Of mode `openrag`, as are those below; None: as calibrated."""
    threshold: float | None = None
    abstain_below: float | None = None
    together: bool = False
    """Whether all passages of a question are read in one paragraph."""
    as_relevant: bool = False
    """Whether each passage is answered from as if it were relevant."""
    verify: bool = False
    """Whether answers are looked up in their passages, where a mode reads any."""
    abstain_unverified: bool = False
    """Whether an answer is withheld in which something is not found."""
    keep: int | None = None
    """Passages that mode `cascade` reads of the `k` that it judges; None: as it does."""

    def __post_init__(self) -> None:
        for name, value in (
            ("-k", self.k),
            ("--limit", self.limit),
            ("--max-new-tokens", self.max_new_tokens),
        ):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}; {_REMEDIES[name]}")
        checked(
            mode=Mode.OPENRAG,
            hops=self.hops,
            hop_by=self.hop_by,
            select=self.select,
            select_by=self.select_by,
            gate=self.gate,
            threshold=self.threshold,
            abstain_below=self.abstain_below,
            verify=self.verify,
            abstain_unverified=self.abstain_unverified,
        )
        checked(mode=Mode.CASCADE, keep=self.keep)
        if self.hops > 1 and self.passages is not PassageSource.RETRIEVED:
            raise UsageError(
                f"--hops {self.hops} looks for passages, but they are {self.passages.value}; give "
                "--passages retrieved, or leave it out"
            )


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
        "xrag": EvaluatedMode(Mode.XRAG, reads_passages=True, has_rates=True, has_forms=True),
        "openrag": EvaluatedMode(
            Mode.OPENRAG, reads_passages=True, has_rates=False, has_forms=True
        ),
        "cascade": EvaluatedMode(
            Mode.CASCADE, reads_passages=True, has_rates=False, has_forms=True
        ),
    }
)
"""The modes that can be evaluated, by the names that `--modes` takes."""


def plan_conditions(
    modes: Sequence[str],
    *,
    k: int,
    tokens_per_passage: Sequence[int],
    forms: Sequence[EvaluatedForm] = (),
) -> tuple[Condition, ...]:
    """The conditions that modes, forms and rates make, in the order given and each once.

    Args:
        modes: Names out of `MODES`.
        k: Passages to read, where a mode reads any.
        tokens_per_passage: Rates for the modes that have rates, each from 1 to 16.
        forms: Of the passages, for the modes that have forms; none: as the mode reads them.

    Raises:
        UsageError: If there is no mode, an unknown one, none that has forms, or a rate out of
            range.
    """
    if not modes:
        raise UsageError(f"no mode was given; give some of {', '.join(MODES)}")
    known = [_mode(name) for name in dict.fromkeys(modes)]
    rates = [_rate(rate) for rate in dict.fromkeys(tokens_per_passage)]
    if not rates:
        raise UsageError("--tokens-per-passage is empty; give numbers such as 1,4,8")
    if forms and not any(item.has_forms for item in known):
        raise UsageError(
            f"--form is for modes 'xrag' and 'openrag', but the modes are {', '.join(modes)}; "
            "leave it out, or add one of them to --modes"
        )
    none: list[EvaluatedForm | None] = [None]
    return tuple(
        _condition(item, k, rate, form)
        for item in known
        for form in (forms or none if item.has_forms else none)
        for rate in (rates if _has_rates(item, form) else [1])
    )


def require_used(settings: Settings, conditions: Sequence[Condition]) -> None:
    """Refuse options of mode openrag where it is not asked, and verifying without passages.

    Raises:
        UsageError: If there is one.
    """
    if settings.verify and not any(condition.k for condition in conditions):
        raise UsageError(
            "--verify looks answers up in passages, but none is read; leave it out, or add text, "
            "xrag or openrag to --modes"
        )
    modes = {condition.mode for condition in conditions}
    if settings.keep is not None and Mode.CASCADE not in modes:
        raise UsageError("--keep is for mode 'cascade'; leave it out, or add cascade to --modes")
    if Mode.OPENRAG in modes:
        return
    by_relevance = settings.select is not None and settings.select_by is not SelectBy.RERANKER
    given = {
        "--gate": settings.gate is not None,
        "--threshold": settings.threshold is not None,
        "--abstain-below": settings.abstain_below is not None,
        "--together": settings.together,
        "--as-relevant": settings.as_relevant,
        "--select by relevance": by_relevance,
    }
    if Mode.CASCADE in modes:
        given = {"--select by relevance": by_relevance}
    if unused := [name for name, is_given in given.items() if is_given]:
        raise UsageError(
            f"{' and '.join(unused)} is for mode 'openrag', which is not asked; leave it out, or "
            "add openrag to --modes"
        )


def _mode(name: str) -> EvaluatedMode:
    if name in MODES:
        return MODES[name]
    raise UsageError(f"no mode {name!r}; give some of {', '.join(MODES)}")


def _rate(tokens: int) -> int:
    if not 1 <= tokens <= MAX_TOKENS_PER_PASSAGE:
        raise UsageError(
            f"--tokens-per-passage must be from 1 to {MAX_TOKENS_PER_PASSAGE}, got {tokens}"
        )
    return tokens


def _has_rates(item: EvaluatedMode, form: EvaluatedForm | None) -> bool:
    return item.has_rates if form is None else form.has_rates


def _condition(item: EvaluatedMode, k: int, tokens: int, form: EvaluatedForm | None) -> Condition:
    suffix = (f"-{form.label}" if form else "") + (f"-x{tokens}" if tokens > 1 else "")
    return Condition(
        label=item.mode.value + suffix,
        mode=item.mode,
        k=k if item.reads_passages else 0,
        tokens_per_passage=tokens if item.has_rates or _has_rates(item, form) else None,
        form=form.form if form else None,
        shown=form.shown if form else None,
    )
