"""What forms are worth, fitted on questions whose right answers are known."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from xorag.evaluation.answers import match
from xorag.evaluation.auto_answers import (
    CLOSED,
    SENTENCES,
    STRINGS,
    TEXT,
    TOKEN,
    Answered,
    Answers,
    Key,
)
from xorag.evaluation.auto_seen import SeenQuestion, showing
from xorag.evaluation.logistic_fit import Examples, Fitted, fit_logistic
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.calibrated import CalibratedGains
from xorag.pipeline.forms.features import (
    HOLDS,
    SHOWN,
    holds_features,
    shown_features,
    token_features,
)
from xorag.pipeline.forms.features import (
    TOKEN as TOKEN_FEATURES,
)
from xorag.types import Form

RIGHT = 0.5
"""From which score on an answer counts as right."""
_MOST_READ = 1.5


@dataclass(frozen=True, slots=True)
class FittedGains:
    """What was fitted, each part with how well it tells."""

    gains: CalibratedGains
    holds: Fitted
    token_fails: Fitted
    """On the questions that the text is answered from rightly."""
    shown: Fitted


def fit_gains(
    pipeline: Pipeline,
    gold: Sequence[SeenQuestion],
    several: Sequence[SeenQuestion],
    answers: Answers,
) -> FittedGains:
    """Fit all that `auto` weighs forms by.

    Args:
        pipeline: Whose language model was asked.
        gold: Questions with a passage that supports them.
        several: Questions with passages of both kinds.
        answers: In each form, from the passages of `gold`.

    Raises:
        EvaluationError: If there are too few questions.
        MissingExtraError: If scikit-learn is not installed.
    """
    holds = fit_logistic(HOLDS, _holds_examples(several), "which passage holds the answer")
    fails = fit_logistic(
        TOKEN_FEATURES, token_examples(gold, answers), "where a soft token fails and text does not"
    )
    shown = fit_logistic(SHOWN, _shown_examples(pipeline, gold), "what a form shows of the answer")
    right = text_right(gold, answers)
    lost = {each.key: right * fails.model(token_features(each.seen[0])) for each in gold}
    token, closed = answers[TOKEN.label], answers[CLOSED.label]
    both = [key for key in closed if key in token]
    helps = np.mean([token[key].score - closed[key].score for key in both]) if both else 0.0
    gains = CalibratedGains(
        holds=holds.model,
        text_right=right,
        token_fails=fails.model,
        shown=shown.model,
        token_helps=max(0.0, float(helps)),
        strings_read=_read(pipeline, gold, answers, lost, shown, STRINGS.label),
        sentences_read=_read(pipeline, gold, answers, lost, shown, SENTENCES.label),
    )
    return FittedGains(gains, holds, fails, shown)


def token_examples(gold: Sequence[SeenQuestion], answers: Answers) -> Examples:
    """Whether the token of a supporting passage was answered from wrongly, its text rightly.

    Only questions whose text was answered from rightly are among them.
    """
    token, text = answers[TOKEN.label], answers[TEXT.label]
    asked = [
        each
        for each in gold
        if each.key in token and each.key in text and _is_right(text[each.key])
    ]
    return Examples(
        [token_features(each.seen[0]) for each in asked],
        [not _is_right(token[each.key]) for each in asked],
        [each.key for each in asked],
    )


def text_right(gold: Sequence[SeenQuestion], answers: Answers) -> float:
    """The share of questions answered rightly from the text of a supporting passage."""
    text = answers[TEXT.label]
    return float(np.mean([_is_right(text[each.key]) for each in gold if each.key in text]))


def _holds_examples(several: Sequence[SeenQuestion]) -> Examples:
    features: list[list[float]] = []
    labels: list[bool] = []
    groups: list[Hashable] = []
    for each in several:
        features += holds_features(each.seen)
        labels += each.is_gold
        groups += [each.key] * len(each.seen)
    return Examples(features, labels, groups)


def _shown_examples(pipeline: Pipeline, gold: Sequence[SeenQuestion]) -> Examples:
    """Whether an answer stands in what a form shows, where it stands in the text."""
    features: list[list[float]] = []
    labels: list[bool] = []
    groups: list[Hashable] = []
    for each in gold:
        (seen,), answers = each.seen, each.question.answers
        if not answers or not match(seen.hit.passage.text, answers):
            continue
        for candidate in showing(pipeline, seen):
            features.append(shown_features(seen, candidate))
            labels.append(bool(match("; ".join(candidate.reading.shown), answers)))
            groups.append(each.key)
    return Examples(features, labels, groups)


def _read(
    pipeline: Pipeline,
    gold: Sequence[SeenQuestion],
    answers: Answers,
    lost: dict[Key, float],
    shown: Fitted,
    label: str,
) -> float:
    """Of what a form was expected to gain beside the token, the share that it did."""
    token, own = answers[TOKEN.label], answers[label]
    gained, expected = 0.0, 0.0
    for each in gold:
        if each.key not in own or each.key not in token:
            continue
        gained += own[each.key].score - token[each.key].score
        fitting = [c for c in showing(pipeline, each.seen[0]) if f"xrag-{c.label}" == label]
        # A passage with fewer sentences or strings than asked for is shown whole, or not at all.
        share = shown.model(shown_features(each.seen[0], fitting[0])) if fitting else _whole(label)
        expected += lost[each.key] * share
    return min(_MOST_READ, max(0.0, gained / expected)) if expected else 0.0


def _whole(label: str) -> float:
    return 1.0 if Form.SENTENCES.value in label else 0.0


def _is_right(answered: Answered) -> bool:
    return answered.score >= RIGHT
