"""Fits a logistic regression with Platt's scaling, and says how well it tells on unseen questions.

Knows nothing of what the features mean.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from xorag.errors import EvaluationError, MissingExtraError
from xorag.evaluation.auc_interval import auc_interval
from xorag.evaluation.statistics import Interval
from xorag.pipeline.forms.logistic import Logistic

FOLDS = 5
STRENGTH = 0.3
"""Inverse of the penalty on the weights of standardised features."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What is fitted on, an item a row."""

    features: list[list[float]]
    """`(items, features)`."""
    labels: list[bool]
    groups: list[Hashable]
    """Of each item: those of one group are never parted between fitting and testing."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, and how well it tells what it was not fitted on."""

    model: Logistic
    auc: Interval | None
    """Over five folds by group; 0.5 is chance."""
    items: int
    share: float
    """Of the items that are so."""


def fit_logistic(names: Sequence[str], examples: Examples, what: str) -> Fitted:
    """Fit a model on standardised features, and its scaling on scores of unseen folds.

    Args:
        names: Of the features.
        examples: What is so and what is not.
        what: Is told, for messages.

    Raises:
        EvaluationError: If there are too few items that are so, or that are not.
        MissingExtraError: If scikit-learn is not installed.
    """
    _require_both(examples, what)
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes a second
        from sklearn.model_selection import GroupKFold, cross_val_predict  # noqa: PLC0415
        from sklearn.pipeline import make_pipeline  # noqa: PLC0415
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            "calibrating forms needs scikit-learn; install xorag[eval]"
        ) from error
    values = np.asarray(examples.features, dtype=np.float64)
    labels = np.asarray(examples.labels, dtype=bool)
    groups = _numbered(examples.groups)
    base = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1_000))
    folds = GroupKFold(FOLDS)
    scores = cross_val_predict(
        base, values, labels, groups=groups, cv=folds, method="decision_function"
    )
    scaling = LogisticRegression(C=1e6).fit(scores[:, None], labels)
    scaler, model = base.fit(values, labels)
    logistic = Logistic(
        tuple(names),
        tuple(scaler.mean_.tolist()),
        tuple(scaler.scale_.tolist()),
        tuple(model.coef_[0].tolist()),
        float(model.intercept_[0]),
        float(scaling.coef_[0, 0]),
        float(scaling.intercept_[0]),
    )
    auc = auc_interval(scores.tolist(), examples.labels, examples.groups)
    return Fitted(logistic, auc, len(labels), float(labels.mean()))


def _require_both(examples: Examples, what: str) -> None:
    """Refuse what cannot be parted into folds that hold both kinds."""
    for is_so in (True, False):
        groups = {
            group
            for group, label in zip(examples.groups, examples.labels, strict=True)
            if label is is_so
        }
        if len(groups) < 2 * FOLDS:
            kind = "are" if is_so else "are not"
            raise EvaluationError(
                f"to fit {what}, at least {2 * FOLDS} questions are needed that {kind} so, got "
                f"{len(groups)} of {len(set(examples.groups))}; give more questions, sets with "
                "several passages each, or --index"
            )


def _numbered(groups: Sequence[Hashable]) -> list[int]:
    places = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    return [places[group] for group in groups]
