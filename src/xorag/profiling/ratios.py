"""Text over soft tokens: what reading passages as soft tokens saves, measured and by formula."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.profiling.cells import Setting
from xorag.profiling.formula import token_ratio
from xorag.profiling.results import CellCost, Scope
from xorag.profiling.spread import Spread, spread_of
from xorag.types import Mode


@dataclass(frozen=True, slots=True)
class ScopeRatio:
    """Text over soft tokens for some of the parts."""

    scope: Scope
    flops: float
    seconds: Spread | None
    """Round by round; None where nothing was timed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text cell over the cell with soft tokens for the same questions and passages."""

    setting: Setting
    """Of the cell with soft tokens."""
    question_tokens: float
    """q: a prompt with its passages taken out."""
    passage_tokens: float
    """Of a passage as text."""
    tokens: float
    """Prompt tokens with text over those with soft tokens, with what parts passages from each
    other, which the formula leaves out."""
    formula: float
    """(q + 180 k) / (q + n k), with n soft tokens a passage."""
    formula_of_these: float
    """The same with these passages' tokens in place of 180."""
    scopes: tuple[ScopeRatio, ...]


def comparisons(costs: Sequence[CellCost]) -> list[Comparison]:
    """Every cell with soft tokens against the text cell of its questions and passages."""
    texts = {_key(cost.cell.setting): cost for cost in costs if cost.cell.mode is Mode.TEXT}
    return [
        compare(texts[key], cost)
        for cost in costs
        if cost.cell.mode is Mode.XRAG and (key := _key(cost.cell.setting)) in texts
    ]


def compare(text: CellCost, xrag: CellCost) -> Comparison:
    """Divide the one by the other."""
    setting = xrag.cell.setting
    question, passage = text.question_tokens, text.passage_tokens or 0.0
    rate = xrag.soft_tokens / (setting.batch * setting.k)
    return Comparison(
        setting=setting,
        question_tokens=question,
        passage_tokens=passage,
        tokens=text.prompt_tokens / xrag.prompt_tokens,
        formula=token_ratio(question, setting.k, soft_tokens=rate),
        formula_of_these=token_ratio(question, setting.k, passage=passage, soft_tokens=rate),
        scopes=tuple(_ratio(text, xrag, scope) for scope in Scope),
    )


def _ratio(text: CellCost, xrag: CellCost, scope: Scope) -> ScopeRatio:
    pairs = zip(text.round_seconds(scope), xrag.round_seconds(scope), strict=True)
    by_round = [a / b for a, b in pairs]
    return ScopeRatio(
        scope, text.flops(scope) / xrag.flops(scope), spread_of(by_round) if by_round else None
    )


def _key(setting: Setting) -> tuple[int, int, int]:
    return setting.batch, setting.new_tokens, setting.k
