"""How `xorag ask` shows what a reader decided, judged and chose.

Knows nothing of how it did so.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from xorag.cli import output
from xorag.types import Answer, Critique, Evidence, GateDecision, GateKind

if TYPE_CHECKING:
    from xorag.pipeline.openrag import OpenRag
    from xorag.pipeline.options import AskOptions

_SNIPPET = 60
_MEASURED: Mapping[GateKind, str] = MappingProxyType(
    {
        GateKind.TOKEN: "probability of retrieval",
        GateKind.MINP: "lowest token probability without passages",
        GateKind.MEANP: "mean token probability without passages",
    }
)


def say_if_uncalibrated(openrag: "OpenRag | None", options: "AskOptions") -> None:
    """Say it where the gate's threshold is nobody's choice."""
    if openrag is None or openrag.calibration is not None:
        return
    is_fixed = options.get("gate") in (GateKind.ALWAYS, GateKind.NEVER)
    if is_fixed or options.get("threshold") is not None:
        return
    output.say(
        "this reader has no calibration: the gate's threshold of 0.5 is a guess; choose one with "
        "`xorag calibrate`, or give --threshold"
    )


def show_decision(answer: Answer) -> None:
    """Print whether passages were read, and why."""
    if answer.gate is not None:
        output.line(decision(answer.gate, read=len(answer.evidence)))


def decision(gate: GateDecision, *, read: int) -> str:
    """A gate's decision in words."""
    what = f"read {read} passages" if gate.retrieved else "read no passage"
    if gate.confidence is None or gate.threshold is None:
        return f"{what} (gate {gate.kind.value})"
    if gate.kind is GateKind.TOKEN:
        sign = ">" if gate.confidence > gate.threshold else "<="
    else:
        sign = "<" if gate.confidence < gate.threshold else ">="
    measured = f"{_MEASURED[gate.kind]} {gate.confidence:.3f} {sign} {gate.threshold:g}"
    return f"{what} (gate {gate.kind.value}: {measured})"


def show_judgements(answer: Answer) -> None:
    """Print how each passage was judged, and which path was taken."""
    rows = [_row(number, item) for number, item in enumerate(answer.evidence, start=1)]
    judged = ("score", "relevance", "support", "utility", "sequence")
    output.table(("", "taken", *judged, "title", "passage"), rows)


def _row(number: int, item: Evidence) -> tuple[object, ...]:
    judged = _numbers(item.critique)
    text = " ".join(item.passage.text.split())
    snippet = text if len(text) <= _SNIPPET else text[: _SNIPPET - 1] + "…"
    return (number, "yes" if item.is_chosen else "", *judged, item.passage.title, snippet)


def _numbers(critique: Critique | None) -> tuple[str, ...]:
    if critique is None:
        return ("",) * 5
    values = (
        critique.score,
        critique.relevance,
        critique.support,
        critique.utility,
        critique.sequence,
    )
    return tuple(f"{value:.3f}" for value in values)
