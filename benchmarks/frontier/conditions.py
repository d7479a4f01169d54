"""The ways to put passages into a prompt that the frontier compares.

Knows nothing of models.
"""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import cast

from xorag.pipeline.options import AskOptions

WHOLE_POOL = 20
"""Passages asked for where all of a pool are read; the largest has twenty."""
BUDGETS = (32, 64, 128, 256)
AUTO_BUDGETS = (16, *BUDGETS)


class Method(StrEnum):
    """A family of conditions that differ in how much they show."""

    CLOSED = "closed"
    TEXT = "text"
    TRUNCATED = "truncated text"
    SENTENCES = "best sentences, BM25"
    WORDS = "TF-IDF words"
    PRUNED = "perplexity-pruned"
    TOKENS = "soft tokens"
    STRINGS = "strings"
    AUTO = "auto"
    READER = "reader's text"
    CASCADE = "cascade"


class Needs(StrEnum):
    """What decides a condition's answers beside the language model."""

    MODEL = "model"
    PROJECTOR = "projector"
    FORMS = "what forms are worth"
    READER = "reader"
    JUDGE = "judge of soft tokens"


NEEDS: Mapping[Method, Needs] = MappingProxyType(
    {
        **dict.fromkeys(Method, Needs.MODEL),
        **dict.fromkeys((Method.TOKENS, Method.STRINGS), Needs.PROJECTOR),
        Method.AUTO: Needs.FORMS,
        Method.READER: Needs.READER,
        Method.CASCADE: Needs.JUDGE,
    }
)
SHORTENED = (Method.TRUNCATED, Method.SENTENCES, Method.WORDS, Method.PRUNED)
"""Methods of others: text that is made shorter, and then read as text."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to ask every question."""

    label: str
    """Its name in files and tables."""
    method: Method
    options: AskOptions
    """As `Pipeline.ask_many` takes them."""
    budget: int | None = None
    """Tokens that the passages may take, where the text is shortened before it is asked."""

    @property
    def needs(self) -> Needs:
        """What decides its answers."""
        return NEEDS[self.method]


def all_conditions() -> tuple[Condition, ...]:
    """All, in the order of the tables."""
    return (
        _asked("closed", Method.CLOSED, mode="closed"),
        *(_asked(f"text{k}", Method.TEXT, mode="text", k=k) for k in (1, 3, 5, 10)),
        *(
            Condition(f"{name}{budget}", method, _options(mode="text"), budget)
            for name, method in zip(("cut", "bm25-", "tfidf-", "pruned"), SHORTENED, strict=True)
            for budget in BUDGETS
        ),
        *(
            _asked(f"token{rate}", Method.TOKENS, k=WHOLE_POOL, tokens_per_passage=rate)
            for rate in (1, 4, 8)
        ),
        *(_asked(f"strings{k}", Method.STRINGS, form="strings", k=k) for k in (1, 3, 10)),
        *(
            _asked(f"auto{budget}", Method.AUTO, form="auto", budget=budget, k=WHOLE_POOL)
            for budget in AUTO_BUDGETS
        ),
        _asked("reader3", Method.READER, mode="openrag", gate="always", k=3),
        _asked("cascade3", Method.CASCADE, mode="cascade", keep=3, k=WHOLE_POOL),
    )


def chosen(patterns: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions whose labels one of some patterns fits, such as `text*`; none: all.

    Raises:
        SystemExit: If a pattern fits none.
    """
    conditions = all_conditions()
    labels = [each.label for each in conditions]
    if lost := [pattern for pattern in patterns if not fnmatch.filter(labels, pattern)]:
        raise SystemExit(f"no condition {lost[0]!r}; give some of {', '.join(labels)}")
    return tuple(
        each
        for each in conditions
        if not patterns or any(fnmatch.fnmatch(each.label, pattern) for pattern in patterns)
    )


def _asked(label: str, method: Method, **options: object) -> Condition:
    return Condition(label, method, _options(**options))


def _options(**options: object) -> AskOptions:
    return cast("AskOptions", {"mode": "xrag", **options})
