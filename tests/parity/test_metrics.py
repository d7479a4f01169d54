"""Our scores of answers are those that xRAG's program computes."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from xorag.evaluation.answers import exact_match, f1, match, rouge_l

BESIDE = Path(__file__).parents[2] / ".." / "shared" / "golden"
GOLDEN = Path(os.environ.get("XORAG_GOLDEN") or BESIDE).resolve()
TOLERANCE = 1e-9


def cases(system: str) -> list[dict[str, Any]]:
    path = GOLDEN / system / "expected.json"
    if not path.is_file():
        pytest.skip(f"no golden numbers at {path}; set XORAG_GOLDEN")
    listed: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    assert listed
    return listed


@pytest.mark.parity
@pytest.mark.parametrize(
    ("name", "metric"),
    [("match", match), ("em", exact_match), ("f1", f1), ("rouge_l", rouge_l)],
)
def test_scores_over_several_answers_are_those_of_xrag(
    name: str, metric: Callable[[str, Sequence[str]], float]
) -> None:
    listed = cases("xrag")

    ours = [metric(case["prediction"], case["answers"]) for case in listed]

    assert ours == pytest.approx([case[name] for case in listed], abs=TOLERANCE)
