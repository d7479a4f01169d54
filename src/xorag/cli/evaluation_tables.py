"""The tables of an evaluation, as people see them."""

from pathlib import Path
from typing import TYPE_CHECKING

from xorag.cli import output

if TYPE_CHECKING:
    from xorag.evaluation.overview import Summary
    from xorag.evaluation.statistics import Interval
    from xorag.evaluation.summary import ConditionSummary, SetSummary

_BESIDE = ("em", "f1")
"""Metrics that stand beside the primary one, where a set has them."""


def show_summary(summary: "Summary", out: Path) -> None:
    """Print a table for each set, what must be known with it, and where the results are."""
    rows = summary.asked.settings.rows
    for item in summary.sets:
        title = f"{item.set}: {item.questions} questions ({rows.value} rows)"
        beside = [name for name in _BESIDE if any(name in c.metrics for c in item.conditions)]
        output.table(
            _columns(item.primary, beside),
            [_row(each, item.primary, beside) for each in item.conditions],
            title=title,
        )
        for text in _below(item):
            output.line(text)
        output.line()
    if not summary.sets:
        output.line("nothing was asked: no question came with passages, and closed is no mode here")
    output.line(f"results: {out}; as a page: `xorag report {out}`")


def _columns(primary: str, beside: list[str]) -> tuple[str, ...]:
    return (
        "mode",
        "passages",
        "prompt tokens",
        f"{primary} %, 95 % interval",
        *(f"{name} %" for name in beside),
        "resilience %",
        "boost %",
        "of text's gain %",
        "ECE",
        "seconds",
        "verdict",
    )


def _row(item: "ConditionSummary", primary: str, beside: list[str]) -> tuple[str, ...]:
    return (
        item.label,
        f"{item.passages:.1f}",
        f"{item.prompt_tokens:.0f}",
        _interval(item.metrics.get(primary)),
        *(_percent(item.metrics[name].mean if name in item.metrics else None) for name in beside),
        _percent(item.resilience),
        _percent(item.boost),
        _interval(item.share_of_text_gain),
        "" if item.ece is None else f"{item.ece:.2f}",
        f"{item.seconds:.2f}",
        item.verdict.value if item.verdict else "",
    )


def _below(item: "SetSummary") -> list[str]:
    """Lines below a table: retrieval, what is unfinished, and notes."""
    found = ", ".join(
        f"{name} {_interval(value)}" for name, value in (item.retrieval or {}).items()
    )
    unfinished = ", ".join(item.unfinished)
    return [
        *([f"retrieval, %: {found}"] if found else []),
        *(_judging(each) for each in item.conditions if each.judging),
        *(_verifying(each, item.primary) for each in item.conditions if each.verifying),
        *([f"unfinished, ask again with these modes: {unfinished}"] if unfinished else []),
        *(f"note: {note}" for note in item.notes),
    ]


def _judging(item: "ConditionSummary") -> str:
    """How often a reader that judges retrieved, and how far its tokens tell."""
    judging = item.judging
    if judging is None:
        return ""
    abstained = f", no answer to {_percent(judging.abstained)} %" if judging.abstained else ""
    areas = "".join(f"; AUC of {area.name} {_area(area.value)}" for area in judging.areas)
    return f"{item.label}: passages read for {_interval(judging.retrieved)} %{abstained}{areas}"


def _verifying(item: "ConditionSummary", primary: str) -> str:
    """What looking answers up in their passages found, cost and saved."""
    found = item.verifying
    if found is None:
        return ""
    first, last = found.wrong_unverified_first, found.wrong_unverified
    wrong = f"; wrong so {_interval(first)} %, then {_interval(last)} %" if first and last else ""
    withheld = ""
    if found.withheld:
        right = f", right ones among them {_percent(found.right_withheld)} %"
        withheld = f"; withheld {_percent(found.withheld)} %{right if wrong else ''}"
    return (
        f"{item.label}, verified: unverified {_interval(found.unverified_first)} %, read again "
        f"{_percent(found.reread.mean)} %, then unverified {_interval(found.unverified)} %{wrong}"
        f"{withheld}; {primary} before {_interval(found.primary_first)} %; "
        f"{found.prompt_tokens:.0f} prompt tokens and {found.seconds:.2f} s more a question"
    )


def _area(value: "Interval | None") -> str:
    return "" if value is None else f"{value.mean:.3f} ({value.low:.3f} to {value.high:.3f})"


def _interval(value: "Interval | None") -> str:
    if value is None:
        return ""
    return f"{100 * value.mean:.1f} ({100 * value.low:.1f} to {100 * value.high:.1f})"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"
