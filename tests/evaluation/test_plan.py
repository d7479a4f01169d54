"""Modes and rates as conditions."""

import pytest

from xorag.errors import UsageError
from xorag.evaluation.plan import Settings, plan_conditions
from xorag.types import Mode


def test_only_modes_with_rates_are_asked_once_a_rate() -> None:
    conditions = plan_conditions(["closed", "text", "xrag"], k=3, tokens_per_passage=[1, 4])

    assert [(c.label, c.k, c.tokens_per_passage) for c in conditions] == [
        ("closed", 0, None),
        ("text", 3, None),
        ("xrag", 3, 1),
        ("xrag-x4", 3, 4),
    ]


def test_what_is_named_twice_is_asked_once() -> None:
    conditions = plan_conditions(["xrag", "xrag"], k=1, tokens_per_passage=[8, 8])

    assert [(c.label, c.mode) for c in conditions] == [("xrag-x8", Mode.XRAG)]


@pytest.mark.parametrize(
    ("modes", "rates", "reason"),
    [
        ([], [1], "no mode was given; give some of closed, text, xrag"),
        (["open"], [1], "no mode 'open'; give some of closed, text, xrag"),
        (["openrag"], [1], "mode 'openrag' is not in this version"),
        (["xrag"], [], "--tokens-per-passage is empty"),
        (["xrag"], [0], "from 1 to 16, got 0"),
        (["xrag"], [17], "from 1 to 16, got 17"),
    ],
)
def test_what_cannot_be_asked_is_refused(modes: list[str], rates: list[int], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        plan_conditions(modes, k=1, tokens_per_passage=rates)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"k": 0}, "-k must be at least 1, got 0; for no passages use --modes closed"),
        ({"limit": 0}, "--limit must be at least 1, got 0"),
        ({"max_new_tokens": 0}, "--max-new-tokens must be at least 1, got 0"),
    ],
)
def test_a_count_below_one_is_refused(changes: dict[str, int], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Settings(**changes)  # type: ignore[arg-type]
