"""A reader from a recipe to an artifact: the whole of `xorag train reader`."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from xorag.artifact.manifest import Manifest
from xorag.config.reader_recipe import ReaderRecipe
from xorag.generation.examples import Example
from xorag.generation.reader.artifact import save_reader
from xorag.moe.health import ExpertHealth
from xorag.training.forms import trained_forms
from xorag.training.plan import Choices, FormShare, draw_plan, fixed_plan
from xorag.training.progress import OnMessage, OnTraining
from xorag.training.reader_examples import ReaderExamples
from xorag.training.reader_parts import LAYOUT, ReaderRunParts, build_reader_parts
from xorag.training.reader_scores import GroupScore, mean_loss, score_reader
from xorag.training.reader_splits import DroppedRows
from xorag.training.reader_trainer import build_reader_trainer
from xorag.training.run_directory import claim_directory
from xorag.training.running import run_to_end
from xorag.training.trainer import examples_a_step, require_trackers

logger = logging.getLogger(__name__)
_READER = "reader"


@dataclass(frozen=True, slots=True)
class ReaderReport:
    """What a run made."""

    reader: Path
    """The artifact's directory."""
    loss: float
    """Mean next-token loss of held-out rows, in nats a token."""
    losses_by_form: dict[str, float]
    """Of those held-out rows that can be shown in a form, such as `sentences1`, in that form; empty
    where the recipe names none."""
    scores: dict[str, GroupScore]
    """Of held-out rows, by kind of token."""
    experts: list[ExpertHealth]
    """How evenly the held-out rows used them, layer by layer."""
    steps: int
    examples: int
    """Read in training, repeats included."""
    rows: int
    """Different examples that training could read."""
    dropped: DroppedRows


def train_reader(
    recipe: ReaderRecipe,
    *,
    device: str | None = None,
    on_progress: OnTraining | None = None,
    on_message: OnMessage | None = None,
) -> ReaderReport:
    """Turn a dense model into a reader as a recipe says; the same call goes on after a kill.

    Args:
        recipe: What to do.
        device: Such as `cpu`; unset, the best here.
        on_progress: Told of each step.
        on_message: Told what is being done before and after the steps.

    Raises:
        ConfigError: If the directory holds another run, too few rows are left, or the adapters do
            not fit the model.
        ExpertError: If the experts do not fit the model.
        MissingExtraError: If a tracker, peft, or bitsandbytes for 4 bits, is not installed.
        ModelNotFoundError: If the language model is not found.
        SourceError: If a file of rows cannot be read.
        TrainingError: If the loss is no number any more, or processes do not work together.
    """
    say = on_message or logger.info
    require_trackers(recipe.train.trackers)
    parts = build_reader_parts(recipe, device, say)
    claim_directory(recipe.out, recipe, rows=_identity(parts))
    trainer = build_reader_trainer(
        parts.objective,
        _training_examples(recipe, parts),
        _held_out(parts.splits.validation),
        recipe.train,
        recipe.out,
        collate=parts.collate,
        say=say,
    )
    steps = run_to_end(trainer, parts.objective, recipe.out, on_progress=on_progress)
    say("scoring the rows held out for the report")
    report = _report(recipe, parts, steps)
    if trainer.is_world_process_zero():
        _save(recipe, parts, report)
    return report


def _training_examples(recipe: ReaderRecipe, parts: ReaderRunParts) -> ReaderExamples:
    train, forms = parts.splits.train, parts.paragraphs.details.forms
    plan = draw_plan(
        np.array([len(example.token_ids) for example in train], np.int64),
        epochs=recipe.train.epochs,
        batch_size=examples_a_step(recipe.train),
        seed=recipe.train.seed,
        choices=Choices(forms=[FormShare(form.weight) for form in forms]),
    )
    turns = parts.splits.train_turns
    return ReaderExamples(train, plan, lambda row, form: parts.paragraphs.example(turns[row], form))


def _held_out(examples: list[Example]) -> ReaderExamples:
    """Examples by length, so that batches hold little padding."""
    by_length = sorted(examples, key=lambda example: len(example.token_ids))
    return ReaderExamples(by_length, fixed_plan(len(by_length)))


def _report(recipe: ReaderRecipe, parts: ReaderRunParts, steps: int) -> ReaderReport:
    scores = score_reader(
        parts.objective,
        _held_out(parts.splits.report),
        parts.vocabulary,
        collate=parts.collate,
        batch_size=recipe.train.report_batch_size,
    )
    experts = parts.objective.routing.take(parts.objective.top_k)
    losses_by_form = _losses_by_form(recipe, parts)
    return ReaderReport(
        reader=recipe.out / _READER,
        losses_by_form=losses_by_form,
        loss=mean_loss(list(scores.values())),
        scores=scores,
        experts=experts,
        steps=steps,
        examples=steps * examples_a_step(recipe.train),
        rows=len(parts.splits.train),
        dropped=parts.splits.dropped,
    )


def _losses_by_form(recipe: ReaderRecipe, parts: ReaderRunParts) -> dict[str, float]:
    """Of those held-out rows that can be shown in a form, for each but text."""
    losses: dict[str, float] = {}
    for place, form in list(enumerate(parts.paragraphs.details.forms))[1:]:
        shown = [parts.paragraphs.example(turn, place) for turn in parts.splits.report_turns]
        if examples := [example for example in shown if example is not None]:
            scores = score_reader(
                parts.objective,
                _held_out(examples),
                parts.vocabulary,
                collate=parts.collate,
                batch_size=recipe.train.report_batch_size,
            )
            losses[form.name] = mean_loss(list(scores.values()))
    return losses


def _save(recipe: ReaderRecipe, parts: ReaderRunParts, report: ReaderReport) -> None:
    """Write the reader with all that is needed to judge and to repeat it, in half precision."""
    manifest = Manifest(
        kind="reader",
        base_model=parts.base,
        recipe=recipe.model_dump(mode="json"),
        metrics={
            "loss": report.loss,
            "losses_by_form": report.losses_by_form,
            "scores": {name: asdict(score) for name, score in report.scores.items()},
            "experts": [asdict(layer) for layer in report.experts],
            "steps": report.steps,
            "examples": report.examples,
            "rows": report.rows,
            "dropped": asdict(report.dropped),
        },
        settings={
            "layout": LAYOUT,
            "forms": trained_forms(parts.paragraphs.details.forms),
        },
    )
    save_reader(
        report.reader,
        language=parts.language,
        manifest=manifest,
        dtype=torch.float16,
        overwrite=True,
    )


def _identity(parts: ReaderRunParts) -> dict[str, object]:
    """What must be the same for a run to go on."""
    return {"count": len(parts.splits.train), "tokens": parts.splits.fingerprint}
