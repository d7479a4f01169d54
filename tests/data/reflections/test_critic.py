"""A critic looks over the labels."""

from collections.abc import Sequence

import pytest

from tests.data.reflections.tiny_cases import case, rows_of, two_hops
from xorag.data.reflections.critic import Doubt, criticised
from xorag.data.reflections.options import RowOptions
from xorag.data.reflections.rows import RowKind
from xorag.types import ReflectionToken

ROWS = [*rows_of(case(), options=RowOptions(cuts=0.0, contradictions=0.0)), *rows_of(two_hops())]


def test_a_no_lowers_full_support_and_leaves_distractors_as_they_are() -> None:
    rows = criticised(ROWS, lambda doubts: ["No."] * len(doubts))

    assert [row.id for row in rows] == [row.id for row in ROWS]
    assert not [row for row in rows if row.labels.support is ReflectionToken.FULLY]
    assert sum(r.labels.support is ReflectionToken.PARTIALLY for r in rows) == 5


def test_a_yes_takes_out_distractors_and_leaves_full_support() -> None:
    rows = criticised(ROWS, lambda doubts: ["Yes, it does"] * len(doubts))

    assert rows == [row for row in ROWS if row.kind is not RowKind.DISTRACTOR]
    assert len(rows) < len(ROWS)


@pytest.mark.parametrize("text", ["", "Perhaps", "yesterday"])
def test_anything_else_changes_nothing(text: str) -> None:
    assert criticised(ROWS, lambda doubts: [text] * len(doubts)) == ROWS


def test_it_sees_the_question_the_answer_and_the_passages() -> None:
    seen: list[Doubt] = []

    def note(doubts: Sequence[Doubt]) -> list[str]:
        seen.extend(doubts)
        return [""] * len(doubts)

    criticised(ROWS, note)

    gold = seen[0]
    assert "Jane Austen" in gold.question
    assert "Who wrote Emma?" in gold.question
    assert gold.passages == ROWS[0].passages
