"""`xorag calibrate --form auto`: what each form of a passage is worth, seen on questions."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xorag.cli import output
from xorag.cli.push import push_made

if TYPE_CHECKING:
    from xorag.evaluation.auto_calibration import FormsReport
    from xorag.evaluation.logistic_fit import Fitted
    from xorag.evaluation.opening import Place
    from xorag.evaluation.plan import Settings
    from xorag.evaluation.question_sets import QuestionSet
    from xorag.evaluation.run import EvaluationProgress
    from xorag.pipeline.opening import PartNames


@dataclass(frozen=True, slots=True)
class FormsPlace:
    """Where a calibration of forms and the answers that it rests on are kept."""

    directory: Path
    is_replaced: bool
    answers: Path
    keep_out: Path | None
    """Names passages that nothing may be fitted on."""
    repo: str | None
    """Where it is pushed to."""


def place_for_forms(
    out: Path | None,
    answers: Path | None,
    *,
    overwrite: bool,
    keep_out: Path | None,
    repo: str | None,
) -> FormsPlace:
    """Where all is kept, checked before anything is asked.

    Raises:
        ArtifactError: If something is there already.
        UsageError: If no directory is named.
    """
    from xorag.errors import ArtifactError, UsageError

    if out is None:
        raise UsageError(
            "--form auto has no folder to keep its calibration in; name one with --out"
        )
    if out.exists() and not overwrite:
        raise ArtifactError(
            f"{str(out)!r} exists already; give another directory with --out, or --overwrite"
        )
    return FormsPlace(out, overwrite, answers or Path(f"{out}-answers"), keep_out, repo)


def calibrate_and_show(
    sources: list[str],
    settings: "Settings",
    names: "PartNames",
    place: "Place",
    kept: FormsPlace,
    *,
    json: bool,
) -> None:
    """Ask, fit, compare, keep and show."""
    sets, passages = _read(sources, settings, kept.keep_out)
    with output.working("loading the models"):
        from xorag.evaluation.auto_answers import FIXED
        from xorag.evaluation.auto_calibration import calibrate_forms, keep_forms
        from xorag.evaluation.opening import open_models

        names = replace(names, is_calibrated=False)
        opened = open_models(names, place, settings.passages, FIXED)
    with output.progress("answering", unit="questions") as bar:

        def show(state: "EvaluationProgress") -> None:
            bar.update(state.answered, total=state.total, note=state.asking)

        report = calibrate_forms(
            sets, opened, settings, kept.answers, kept=passages, on_progress=show
        )
    keep_forms(kept.directory, report, opened.projector, overwrite=kept.is_replaced)
    push_made(kept.directory, kept.repo)
    for warning in report.warnings:
        output.say(warning)
    if json:
        output.print_json({**report.as_json(), "out": str(kept.directory)})
        return
    _show(report, kept.directory)


def _read(
    sources: list[str], settings: "Settings", keep_out: Path | None
) -> "tuple[tuple[QuestionSet, ...], frozenset[str]]":
    """The rows to fit on, and the passages that are not: dev rows', and those named."""
    from xorag.errors import UsageError
    from xorag.evaluation.auto_seen import kept_passages, without_kept
    from xorag.evaluation.plan import Rows
    from xorag.evaluation.question_sets import read_sets

    if settings.rows is not Rows.TRAIN:
        raise UsageError(
            f"--form auto is calibrated on train rows only, got --rows {settings.rows.value}; "
            "leave it out"
        )
    with output.working("reading the questions"):
        whole = read_sets(sources, replace(settings, rows=Rows.ALL, limit=None))
        sets = read_sets(sources, replace(settings, limit=None))
        ids = frozenset(keep_out.read_text(encoding="utf-8").split()) if keep_out else frozenset()
        kept = kept_passages(whole, ids)
        usable = without_kept(sets, kept)
    for each in usable:
        output.say(f"{each.name}: {len(each.questions)} of {each.row_count} questions may be asked")
    return usable, kept


def _show(report: "FormsReport", directory: Path) -> None:
    """Print what was fitted, the comparison with fixed forms, and its place."""
    fitted = report.fitted
    output.line(f"{report.questions} questions answered from the soft token and from text")
    output.table(
        ("what is told", "items", "so %", "AUC", "95 %"),
        [
            _row("a passage holds the answer", fitted.holds),
            _row("its token fails where its text does not", fitted.token_fails),
            _row("a form shows the answer", fitted.shown),
        ],
    )
    gains = fitted.gains
    output.line(
        f"a token helps {100 * gains.token_helps:.1f} % of the questions; of what is shown, "
        f"{100 * gains.strings_read:.0f} % of strings and {100 * gains.sentences_read:.0f} % of "
        "sentences are read as text is"
    )
    output.line()
    output.table(
        ("fixed form", "tokens", "right %", "auto's tokens", "auto right %", "difference, 95 %"),
        [
            (
                each.form,
                f"{each.fixed_tokens:.0f}",
                _percent(each.fixed),
                f"{each.auto_tokens:.0f}",
                _percent(each.auto),
                f"{_percent(each.difference.mean)} ({_percent(each.difference.low)} to "
                f"{_percent(each.difference.high)})",
            )
            for each in report.comparisons
        ],
    )
    output.line(f"kept in {directory}, for `xorag ask --form auto --calibration {directory}`")


def _row(what: str, fitted: "Fitted") -> tuple[str, ...]:
    auc = fitted.auc
    shown = ("", "") if auc is None else (f"{auc.mean:.3f}", f"{auc.low:.3f} to {auc.high:.3f}")
    return (what, str(fitted.items), _percent(fitted.share), *shown)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
