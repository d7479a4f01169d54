"""Modes and rates as conditions."""

import pytest

from xorag.errors import UsageError
from xorag.evaluation.asking import ask_options
from xorag.evaluation.forms import plan_forms
from xorag.evaluation.plan import Condition, Settings, plan_conditions, require_used
from xorag.pipeline.finding_options import SelectBy
from xorag.pipeline.options import checked
from xorag.types import AUTO, Form, GateKind, Mode


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
        ({"hops": 9}, "hops must be 1 to 8, got 9"),
        ({"hops": 2}, "--hops 2 looks for passages, but they are given"),
        ({"select": 0}, "at least 1 passage must be selected, got 0"),
        ({"select_by": SelectBy.RELEVANCE}, "give --select"),
        ({"threshold": 1.5}, "threshold must be 0 to 1, got 1.5"),
    ],
)
def test_a_count_below_one_is_refused(changes: dict[str, int], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Settings(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(gate=GateKind.ALWAYS), "--gate is for mode 'openrag'"),
        (Settings(together=True, select=2), "--together and --select by relevance"),
    ],
)
def test_options_of_openrag_are_refused_where_it_is_not_asked(
    settings: Settings, named: str
) -> None:
    without, with_it = (
        plan_conditions(modes, k=3, tokens_per_passage=[1])
        for modes in (["closed", "text"], ["text", "openrag"])
    )

    require_used(settings, with_it)
    with pytest.raises(UsageError, match=named):
        require_used(settings, without)


def test_selecting_by_a_reranker_is_for_all_modes_that_read() -> None:
    conditions = plan_conditions(["text"], k=3, tokens_per_passage=[1])

    require_used(Settings(select=2, select_by=SelectBy.RERANKER), conditions)


def test_each_form_is_asked_with_each_amount_and_rate_that_it_has() -> None:
    forms = plan_forms(["strings", "text", "sentences"], strings_tokens=[16, 32], sentences=[2])

    conditions = plan_conditions(["closed", "xrag"], k=1, tokens_per_passage=[1, 4], forms=forms)

    assert [(c.label, c.shown) for c in conditions] == [
        ("closed", None),
        ("xrag-strings16", 16),
        ("xrag-strings16-x4", 16),
        ("xrag-strings32", 32),
        ("xrag-strings32-x4", 32),
        ("xrag-text", None),
        ("xrag-sentences2", 2),
        ("xrag-sentences2-x4", 2),
    ]
    assert [asked(c) for c in conditions[1:7:5]] == [
        {"form": Form.STRINGS, "strings_tokens": 16},
        {"form": Form.SENTENCES, "sentences": 2},
    ]


def test_form_auto_is_asked_with_each_budget() -> None:
    forms = plan_forms(["token", "auto"], strings_tokens=[], sentences=[], budgets=[16, 64])

    conditions = plan_conditions(["xrag"], k=10, tokens_per_passage=[1], forms=forms)

    assert [c.label for c in conditions] == ["xrag-token", "xrag-auto16", "xrag-auto64"]
    assert all(c.needs_projector for c in conditions)
    assert asked(conditions[2]) == {"form": AUTO, "budget": 64}


def test_a_reader_is_asked_in_forms_and_with_rates_only_where_a_form_is_named() -> None:
    forms = plan_forms(["token", "text"], strings_tokens=[32], sentences=[1])

    plain, named = (
        plan_conditions(["openrag"], k=2, tokens_per_passage=[1, 4], forms=some)
        for some in ((), forms)
    )

    assert [(c.label, c.form, c.tokens_per_passage) for c in plain] == [("openrag", None, None)]
    assert [(c.label, c.form, c.tokens_per_passage) for c in named] == [
        ("openrag-token", Form.TOKEN, 1),
        ("openrag-token-x4", Form.TOKEN, 4),
        ("openrag-text", Form.TEXT, None),
    ]
    assert [c.needs_projector for c in (*plain, *named)] == [False, True, True, False]
    assert asked(named[1]) == {"form": Form.TOKEN}


def asked(condition: Condition) -> dict[str, object]:
    """What a question is asked with of forms; the pipeline takes it."""
    options = ask_options("qa", condition, Settings())
    checked(**options)
    return {
        k: v for k, v in options.items() if k in ("form", "strings_tokens", "sentences", "budget")
    }


@pytest.mark.parametrize(
    ("modes", "names", "budgets", "reason"),
    [
        (["xrag"], ["picture"], [32], "no form 'picture'; give one of dropped, token, strings"),
        (["xrag"], ["strings"], [0], "1 to 512 tokens a passage, got 0"),
        (["xrag"], ["strings"], [], "--strings-tokens is empty"),
        (["text", "closed"], ["strings"], [32], "--form is for modes 'xrag' and 'openrag'"),
    ],
)
def test_forms_that_cannot_be_asked_are_refused(
    modes: list[str], names: list[str], budgets: list[int], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        plan_conditions(
            modes,
            k=1,
            tokens_per_passage=[1],
            forms=plan_forms(names, strings_tokens=budgets, sentences=[1]),
        )
