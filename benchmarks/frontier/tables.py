"""The frontier as markdown tables.

Knows nothing of how its numbers came about.
"""

from collections.abc import Iterator, Sequence

from benchmarks.frontier.conditions import Method
from benchmarks.frontier.summary import Comparison, Frontier, Point
from xorag.evaluation.statistics import Interval, PairedTest

_SIGNIFICANT = 0.05
_QUARTER = 0.25
_SHORT = {"triviaqa_distant": "triviaqa", "2wikimultihopqa": "2wiki"}


def markdown(frontier: Frontier) -> str:
    """Three tables: all conditions, shares of text's gain, and `auto` against the others.

    What the aims say of `auto` comes last.
    """
    parts = [_points(frontier), _shares(frontier), _comparisons(frontier), _aims(frontier)]
    return "\n\n".join(part for part in parts if part)


def _points(frontier: Frontier) -> str:
    sets = list(frontier.questions)
    counts = ", ".join(f"{_SHORT.get(name, name)} {frontier.questions[name]}" for name in sets)
    head = ["", "tokens", "seconds", "match", "F1", *(_SHORT.get(name, name) for name in sets)]
    rows = [
        [
            _code(point.label),
            f"{point.prompt_tokens:.0f}",
            f"{point.seconds:.2f}",
            _interval(point.match),
            _interval(point.f1),
            *(f"{100 * point.match_by_set[name]:.0f}" for name in sets),
        ]
        for point in frontier.points
    ]
    said = (
        f"Questions: {counts}. Match of each set in the last columns; tokens of the whole prompt."
    )
    shown = {point.label for point in frontier.points}
    if unfinished := [label for label in frontier.answered if label not in shown]:
        said += f" Not finished, and left out: {', '.join(map(_code, unfinished))}."
    return f"{said}\n\n{_table(head, rows)}"


def _shares(frontier: Frontier) -> str:
    texts = [point for point in frontier.points if point.method is Method.TEXT]
    shown = [p for p in frontier.points if p.method not in (Method.TEXT, Method.CLOSED)]
    if not texts or not shown or not any(point.share_of_gain for point in shown):
        return ""
    head = ["share of the gain of", *(_code(text.label) for text in texts)]
    rows = [[_code(p.label), *(_share(p, text) for text in texts)] for p in shown]
    return (
        "Share of text's gain in match over closed book, and of its passages' tokens.\n\n"
        + _table(head, rows)
    )


def _comparisons(frontier: Frontier) -> str:
    autos = dict.fromkeys(each.auto for each in frontier.comparisons)
    if not autos:
        return ""
    methods = dict.fromkeys(each.method for each in frontier.comparisons)
    by_pair = {(each.auto, each.method): each for each in frontier.comparisons}
    head = ["match of auto less", *(_code(label) for label in autos)]
    rows = [[method.value, *(_lead(by_pair[a, method]) for a in autos)] for method in methods]
    return (
        "`auto` less each method at as many prompt tokens, paired, in points; bold where p < 0.05."
        f"\n\n{_table(head, rows)}"
    )


def _aims(frontier: Frontier) -> str:
    """A quarter of text's tokens for nine tenths of its gain, and never below another method."""
    texts = [point for point in frontier.points if point.method is Method.TEXT]
    lines = [f"- {line}" for text in texts if (line := _quarter(frontier, text))]
    if tests := frontier.comparisons:
        below = [
            f"`{each.auto}` below {each.method.value}"
            for each in tests
            if each.match.p_value < _SIGNIFICANT and each.match.difference < 0
        ]
        named = f": {', '.join(below)}" if below else ""
        lines.append(
            f"- Below another method at as many tokens: {len(below)} of {len(tests)}{named}."
        )
    return "\n".join(lines)


def _quarter(frontier: Frontier, text: Point) -> str:
    """What the largest `auto` keeps that takes a quarter of a text condition's tokens at most."""
    most = _QUARTER * text.passage_tokens
    autos = [
        point
        for point in frontier.points
        if point.method is Method.AUTO and point.passage_tokens <= most
    ]
    if not autos or text.share_of_gain[text.label] is None:
        return ""
    largest = max(autos, key=lambda point: point.passage_tokens)
    return (
        f"In a quarter of the tokens of {_code(text.label)} (match {100 * text.match.mean:.1f}) at "
        f"most: {_code(largest.label)} keeps {_share(largest, text)} of them."
    )


def _share(point: Point, text: Point) -> str:
    share = point.share_of_gain.get(text.label)
    tokens = point.passage_tokens / max(1e-9, text.passage_tokens)
    if share is None:
        return "no gain"
    ends = f"{100 * share.low:.0f} to {100 * share.high:.0f}"
    return f"{100 * share.mean:.0f} % ({ends}) in {100 * tokens:.0f} %"


def _lead(each: Comparison) -> str:
    shown = _difference(each.match)
    return f"**{shown}**" if each.match.p_value < _SIGNIFICANT else shown


def _difference(test: PairedTest) -> str:
    return f"{100 * test.difference:+.1f} ({100 * test.low:.1f} to {100 * test.high:.1f})"


def _interval(value: Interval) -> str:
    return f"{100 * value.mean:.1f} ({100 * value.low:.1f} to {100 * value.high:.1f})"


def _code(label: str) -> str:
    return f"`{label}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(_lines([head, ["---"] * len(head), *rows]))


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in rows:
        yield f"| {' | '.join(row)} |"
