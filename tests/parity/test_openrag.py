"""Our code reads what Open-RAG publishes and computes the numbers that its program computes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from xorag.evaluation.answers import raw_match
from xorag.evaluation.hotpot import hotpot_answer

BESIDE = Path(__file__).parents[2] / ".." / "shared" / "golden"
GOLDEN = Path(os.environ.get("XORAG_GOLDEN") or BESIDE).resolve() / "openrag"
EXACT = 1e-9

pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(
        not GOLDEN.is_dir(), reason=f"no golden numbers at {GOLDEN}; set XORAG_GOLDEN"
    ),
]


def stated() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    return content


def test_hotpotqa_scores_are_those_of_open_rag() -> None:
    listed = stated()["metrics"]

    ours = [hotpot_answer(case["prediction"], [case["gold"]]) for case in listed]

    assert listed
    assert [score.em for score in ours] == [case["hotpot_em"] for case in listed]
    for score, case in zip(ours, listed, strict=True):
        overlap = (score.overlap.f1, score.overlap.precision, score.overlap.recall)
        assert overlap == pytest.approx(case["hotpot_f1_precision_recall"], abs=EXACT)


def test_the_match_of_open_rag_is_raw_match() -> None:
    listed = stated()["metrics"]

    ours = [raw_match(case["prediction"], [case["gold"]]) for case in listed]

    assert listed
    assert ours == [case["match"] for case in listed]
