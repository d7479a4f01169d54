"""The whole of calibrating form `auto`: ask, fit, compare with fixed forms, keep."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from xorag.artifact.manifest import Manifest
from xorag.errors import ProjectorMismatchError
from xorag.evaluation.auto_answers import (
    CLOSED,
    FIXED,
    SENTENCES,
    STRINGS,
    TEXT,
    TOKEN,
    Answers,
    KeepsAnswers,
    auto_condition,
    first_of,
    given,
)
from xorag.evaluation.auto_check import Compared, compared, mean_tokens, warnings
from xorag.evaluation.auto_fit import FittedGains, fit_gains
from xorag.evaluation.auto_seen import see_gold, see_several
from xorag.evaluation.logistic_fit import Fitted
from xorag.evaluation.opening import Opened
from xorag.evaluation.plan import PassageSource, Settings
from xorag.evaluation.question_sets import QuestionSet
from xorag.evaluation.run import EvaluationProgress
from xorag.pipeline.forms.calibration_artifact import (
    FormCalibration,
    projector_fingerprint,
    save_form_calibration,
)

LIMIT = 100
"""Questions of a set that are answered from the soft token and from text."""
FORMS_SHARE = 0.4
"""Of these, the share that is answered in the other forms, too."""
CHECK_SHARE = 0.2
"""Of these, the share by which `auto` is compared with fixed forms."""
REPORT_NAME = "report.json"


@dataclass(frozen=True, slots=True)
class FormsReport:
    """What was fitted, and how `auto` compares with fixed forms."""

    fitted: FittedGains
    comparisons: tuple[Compared, ...]
    questions: int
    """That were answered from the soft token and from text."""

    @property
    def warnings(self) -> list[str]:
        """What speaks against using it."""
        return warnings(self.comparisons)

    def as_json(self) -> dict[str, Any]:
        """The documented form, of `xorag calibrate --form auto --json` and of `report.json`."""
        gains = self.fitted.gains
        return {
            "questions": self.questions,
            "holds_answer": _fitted_json(self.fitted.holds),
            "text_right": gains.text_right,
            "token_fails": _fitted_json(self.fitted.token_fails),
            "shown": _fitted_json(self.fitted.shown),
            "token_helps": gains.token_helps,
            "strings_read": gains.strings_read,
            "sentences_read": gains.sentences_read,
            "comparisons": [asdict(each) for each in self.comparisons],
            "warnings": self.warnings,
        }


def calibrate_forms(
    sets: Sequence[QuestionSet],
    opened: Opened,
    settings: Settings,
    answers: Path,
    *,
    kept: frozenset[str],
    on_progress: Callable[[EvaluationProgress], None],
) -> FormsReport:
    """Ask, fit and compare; asking goes on where an earlier call was stopped.

    Args:
        sets: Of questions that may be fitted on.
        opened: The pipeline that is asked; it weighs forms by what was fitted from then on.
        settings: Where passages come from, how many are read, where answers are cut, and the
            `limit` of questions a set.
        answers: Directory in which answers are kept.
        kept: Ids of passages that nothing may be fitted on.
        on_progress: Hears of every answer.

    Raises:
        ConfigError: If answers there were asked otherwise, or of other models.
        EvaluationError: If there are too few questions.
        MissingExtraError: If scikit-learn is not installed.
    """
    keeps = KeepsAnswers(answers, opened, on_progress)
    limit = settings.limit or LIMIT
    asked = first_of(sets, replace(settings, limit=limit))
    without = kept if settings.passages is PassageSource.RETRIEVED else None
    found = dict(keeps.answers("main", asked, given(settings, limit), (TOKEN, TEXT)))
    some = given(settings, max(1, round(FORMS_SHARE * limit)))
    found |= keeps.answers("forms", first_of(asked, some), some, (CLOSED, STRINGS, SENTENCES))
    pipeline = opened.pipeline
    gold = see_gold(pipeline, asked, seed=settings.seed)
    several = see_several(
        pipeline, asked, k=settings.k, seed=settings.seed, retrieved_without=without
    )
    fitted = fit_gains(pipeline, gold, several, found)
    pipeline.forms.gains = fitted.gains
    comparisons = _comparisons(keeps, asked, settings, limit)
    return FormsReport(fitted, comparisons, len(found[TOKEN.label]))


def keep_forms(
    directory: Path, report: FormsReport, projector: Manifest | None, *, overwrite: bool
) -> None:
    """Write what was fitted, for `xorag ask --form auto` to use.

    Raises:
        ArtifactError: If something is there already and `overwrite` is not set.
        ProjectorMismatchError: If there is no projector.
        StorageError: If the disk is full or refuses to be written.
    """
    if projector is None:
        raise ProjectorMismatchError(
            "forms are calibrated for a projector, and none fits these models; name one with "
            "--projector"
        )
    auc = report.fitted.token_fails.auc
    calibration = FormCalibration(
        report.fitted.gains,
        projector_fingerprint(projector),
        report.questions,
        auc=None if auc is None else auc.mean,
        is_never_worse=not report.warnings,
    )
    text = json.dumps(report.as_json(), indent=2, allow_nan=False) + "\n"
    texts: Mapping[str, str] = {REPORT_NAME: text}
    save_form_calibration(directory, calibration, projector.base_model, texts, overwrite=overwrite)


def _comparisons(
    keeps: KeepsAnswers, asked: Sequence[QuestionSet], settings: Settings, limit: int
) -> tuple[Compared, ...]:
    """Each fixed form beside `auto` under the tokens that it takes, from the same passages.

    Of found passages a fixed form reads the first, and `auto` chooses among all; of given ones,
    both read all.
    """
    some = replace(settings, limit=max(1, round(CHECK_SHARE * limit)))
    sets = first_of(asked, some)
    k = 1 if settings.passages is PassageSource.RETRIEVED else settings.k
    conditions = [replace(each, k=k) for each in FIXED]
    fixed = keeps.answers("check", sets, some, conditions)
    budgets = {each.label: mean_tokens(fixed[each.label]) for each in FIXED}
    auto: Answers = keeps.answers(
        _folder(keeps),
        sets,
        some,
        [auto_condition(budgets[each.label], settings.k, each) for each in FIXED],
    )
    return tuple(
        compared(
            each.label,
            budgets[each.label],
            fixed[each.label],
            auto[auto_condition(budgets[each.label], settings.k, each).label],
        )
        for each in FIXED
    )


def _folder(keeps: KeepsAnswers) -> str:
    """Where `auto`'s answers are kept: they depend on what was fitted."""
    gains = repr(keeps.opened.pipeline.forms.gains)
    return f"auto-{hashlib.sha256(gains.encode()).hexdigest()[:12]}"


def _fitted_json(fitted: Fitted) -> dict[str, Any]:
    return {
        "auc": None if fitted.auc is None else asdict(fitted.auc),
        "items": fitted.items,
        "share": fitted.share,
        "weights": dict(zip(fitted.model.names, fitted.model.weights, strict=True)),
    }
