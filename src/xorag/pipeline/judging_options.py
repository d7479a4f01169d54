"""How mode openrag decides and chooses: the keywords of `Pipeline.ask` for it, checked.

Knows nothing of models or passages.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from xorag.errors import UsageError
from xorag.types import GateKind, Mode
from xorag.types.readings import JUDGED_MODES

if TYPE_CHECKING:
    from xorag.reflection.scoring import Weights


class JudgingOptions(TypedDict, total=False):
    """The keywords that only the modes `openrag` and `cascade` have."""

    gate: GateKind | str | None
    """By what is decided whether to retrieve: `token`, `minp`, `meanp`, `always` or `never`; unset,
    the calibration's, else `token`; in mode `cascade` `always`."""
    threshold: float | None
    """The gate's, 0 to 1; unset, the calibration's where the gate is the same, else 0.5."""
    weights: "Weights | None"
    """What each judgement counts; unset, the published ones."""
    abstain_below: float | None
    """Answer nothing where every passage's path scores below this; unset, always answer."""
    answer_set: Sequence[str] | None
    """Answers to choose from, such as True and False: that with the highest sum of its paths'
    scores is given."""
    together: bool
    """Whether all passages of a question stand in one paragraph, as the facts of a question of
    several hops do; else each is read by itself, the default."""
    as_relevant: bool
    """Whether each passage is answered from as if it were relevant, while its path is scored by how
    relevant it was found; else a reader may answer nothing from it, as published."""


@dataclass(frozen=True, slots=True)
class Judging:
    """Checked options of mode openrag."""

    gate: GateKind | None = None
    threshold: float | None = None
    weights: "Weights | None" = None
    abstain_below: float | None = None
    answer_set: tuple[str, ...] | None = None
    together: bool = False
    as_relevant: bool = False


def checked_judging(mode: Mode, options: JudgingOptions) -> Judging:
    """Check the options of mode openrag.

    Raises:
        UsageError: If one is unknown or out of range, or given in another mode.
    """
    given = Judging(
        gate=_gate(options.get("gate")),
        threshold=options.get("threshold"),
        weights=options.get("weights"),
        abstain_below=options.get("abstain_below"),
        answer_set=_answer_set(options.get("answer_set")),
        together=options.get("together", False),
        as_relevant=options.get("as_relevant", False),
    )
    if mode not in JUDGED_MODES and given != Judging():
        names = [
            name
            for name in JudgingOptions.__annotations__
            if options.get(name) is not None and options.get(name) is not False
        ]
        raise UsageError(
            f"{' and '.join(names)} go with mode 'openrag' or 'cascade' only, got mode "
            f"{mode.value!r}; leave them out, or use mode 'openrag'"
        )
    if given.threshold is not None and not 0 <= given.threshold <= 1:
        raise UsageError(f"a gate's threshold must be 0 to 1, got {given.threshold}")
    if given.threshold is not None and given.gate in (GateKind.ALWAYS, GateKind.NEVER):
        raise UsageError(
            f"gate {given.gate.value!r} has no threshold, got {given.threshold}; leave it out, or "
            "use gate 'token', 'minp' or 'meanp'"
        )
    if given.abstain_below is not None and not math.isfinite(given.abstain_below):
        raise UsageError(f"abstain_below must be a number, got {given.abstain_below}")
    if mode is Mode.CASCADE and given.gate is None:
        return replace(given, gate=GateKind.ALWAYS)
    return given


def _gate(name: GateKind | str | None) -> GateKind | None:
    try:
        return None if name is None else GateKind(name)
    except ValueError as error:
        known = ", ".join(kind.value for kind in GateKind)
        raise UsageError(f"no gate {name!r}; give one of {known}") from error


def _answer_set(answers: Sequence[str] | None) -> tuple[str, ...] | None:
    if answers is None:
        return None
    if isinstance(answers, str) or not answers or not all(answer.strip() for answer in answers):
        raise UsageError(f"answer_set must hold answers to choose from, got {answers!r}")
    return tuple(answers)
