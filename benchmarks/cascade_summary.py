"""What the lines of `benchmarks.cascade` come to: areas, recall, seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.measure import spread
from xorag.evaluation.auc import area_under_curve
from xorag.evaluation.auc_interval import auc_interval
from xorag.evaluation.statistics import bootstrap_interval, paired_test
from xorag.pipeline.selecting import best_places

Line = Mapping[str, Any]
REFERENCE, CASCADE = "text", "token"
WAYS = (CASCADE, "wrong token", REFERENCE, "similarity")


def summary(lines: Sequence[Line], keep: Sequence[int]) -> dict[str, Any]:
    """Of each source, all sets together and each by itself."""
    questions: dict[tuple[str, str, str], dict[str, Line]] = {}
    for line in lines:
        questions.setdefault((line["source"], line["set"], line["id"]), {})[line["way"]] = line
    rows = [_joined(of_ways) for of_ways in questions.values() if len(of_ways) == len(WAYS)]
    sources = dict.fromkeys(row["source"] for row in rows)
    return {name: _of_source([r for r in rows if r["source"] == name], keep) for name in sources}


def _joined(of_ways: Mapping[str, Line]) -> Line:
    """What one question's lines say of it."""
    first = of_ways[REFERENCE]
    scores = {name: row for way in WAYS for name, row in of_ways[way]["scores"].items()}
    measured = {
        name: {way: of_ways[way][name] for way in (CASCADE, REFERENCE)}
        for name in ("seconds", "tokens")
    }
    return {**first, "scores": scores, **measured}


def _of_source(rows: Sequence[Line], keep: Sequence[int]) -> dict[str, Any]:
    sets = dict.fromkeys(row["set"] for row in rows)
    parts = {"all": rows, **{name: [r for r in rows if r["set"] == name] for name in sets}}
    return {name: _of_rows(part, keep) for name, part in parts.items()}


def _of_rows(rows: Sequence[Line], keep: Sequence[int]) -> dict[str, Any]:
    ways = list(rows[0]["scores"])
    return {
        "questions": len(rows),
        "passages": sum(len(row["gold"]) for row in rows),
        "auc": {way: _auc(rows, way) for way in ways},
        "recall": {str(n): {way: _recall(rows, way, n) for way in ways} for n in keep},
        "found": round(
            100 * float(np.mean([_share(row, range(len(row["gold"]))) for row in rows])), 1
        ),
        "seconds": {
            way: spread([row["seconds"][way] for row in rows]) for way in rows[0]["seconds"]
        },
        "times_faster": round(_total(rows, REFERENCE) / _total(rows, CASCADE), 1),
        "tokens": {
            way: round(float(np.mean([row["tokens"][way] for row in rows])))
            for way in rows[0]["tokens"]
        },
    }


def _auc(rows: Sequence[Line], way: str) -> dict[str, Any]:
    """Of all passages, with an interval over questions, and inside questions."""
    scores = [score for row in rows for score in row["scores"][way]]
    labels = [gold is not None for row in rows for gold in row["gold"]]
    groups = [row["id"] for row in rows for _ in row["gold"]]
    whole = auc_interval(scores, labels, groups)
    within = [
        area_under_curve(row["scores"][way], [gold is not None for gold in row["gold"]])
        for row in rows
    ]
    areas = [area for area in within if area is not None]
    interval = bootstrap_interval(areas) if areas else None
    return {
        "all": None
        if whole is None
        else [round(v, 3) for v in (whole.mean, whole.low, whole.high)],
        "within": None
        if interval is None
        else [round(v, 3) for v in (interval.mean, interval.low, interval.high)],
    }


def _recall(rows: Sequence[Line], way: str, count: int) -> dict[str, Any]:
    """Share of the supporting passages that are kept, in percent, and compared with text."""
    kept = [_share(row, best_places(row["scores"][way], count)) for row in rows]
    interval = bootstrap_interval(kept)
    found = {"percent": interval.mean, "low": interval.low, "high": interval.high}
    shown: dict[str, Any] = {name: round(100 * value, 1) for name, value in found.items()}
    if way == REFERENCE:
        return shown
    text = [_share(row, best_places(row["scores"][REFERENCE], count)) for row in rows]
    test = paired_test(kept, text)
    shown["of_text"] = round(100 * float(np.mean(kept) / np.mean(text)), 1)
    shown["points"] = [round(100 * v, 1) for v in (test.difference, test.low, test.high)]
    return shown


def _share(row: Line, places: Sequence[int]) -> float:
    """Of a question's supporting passages, those that stand at these places."""
    return len({row["gold"][at] for at in places} - {None}) / int(row["gold_count"])


def _total(rows: Sequence[Line], way: str) -> float:
    return float(sum(row["seconds"][way] for row in rows))
