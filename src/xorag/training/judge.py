"""From a recipe to what lets a reader judge soft tokens: the whole of `xorag train judge`."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from xorag.artifact.manifest import Manifest
from xorag.compression.projector_artifact import save_projector
from xorag.config.judge_recipe import JudgeRecipe
from xorag.generation.token_judge_artifact import TokenJudgeSettings, judge_manifest
from xorag.training.adapters import take_adapters
from xorag.training.examples import Condition
from xorag.training.judge_examples import Candidates, JudgeExamples, collate_judged, draw_order
from xorag.training.judge_parts import JudgeParts, build_judge_parts
from xorag.training.judge_scores import fit_similarity_weight, score_soft_tokens
from xorag.training.progress import OnMessage, OnTraining
from xorag.training.run_directory import claim_directory
from xorag.training.running import run_to_end
from xorag.training.trainer import build_trainer, require_trackers

logger = logging.getLogger(__name__)
_JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class RelevanceAuc:
    """How often a supporting passage scores above one that is none."""

    of_all: float
    """Of whichever question."""
    within: float
    """Of the same question, as a mean over questions."""


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What a run made."""

    judge: Path
    """The artifact's directory."""
    token: RelevanceAuc
    """By one soft token."""
    similarity: RelevanceAuc
    """By the encoder's similarity of question and passage."""
    both: RelevanceAuc
    similarity_weight: float
    """What the similarity counts beside the log-odds of relevance."""
    questions: int
    """Held out."""
    passages: int
    """Of the held-out questions."""
    steps: int
    trained: int
    """Different questions that training could read."""
    dropped: int


def train_judge(
    recipe: JudgeRecipe,
    *,
    device: str | None = None,
    on_progress: OnTraining | None = None,
    on_message: OnMessage | None = None,
) -> JudgeReport:
    """Teach a frozen reader to judge soft tokens; the same call goes on after a kill.

    Args:
        recipe: What to do.
        device: Such as `cpu`; unset, the best here.
        on_progress: Told of each step.
        on_message: Told what is being done before and after the steps.

    Raises:
        ConfigError: If the directory holds another run, or too few questions are left.
        MissingExtraError: If a tracker, or peft for adapters, is not installed.
        ModelNotFoundError: If there is no such reader, language model or encoder.
        ProjectorMismatchError: If there is no projector to begin with, or it does not fit.
        SourceError: If a file of questions cannot be read.
        TrainingError: If the processes launched do not work together.
    """
    say = on_message or logger.info
    require_trackers(recipe.train.trackers)
    parts = build_judge_parts(recipe, device, say)
    claim_directory(
        recipe.out, recipe, examples={"count": len(parts.splits.train), "of": parts.fingerprint}
    )
    trainer = build_trainer(
        parts.objective,
        _training_examples(recipe, parts),
        {Condition.RIGHT: _held_out(recipe, parts, parts.splits.validation)},
        recipe.train,
        recipe.out,
        collate=collate_judged,
        device=parts.reader.language.model.device,
    )
    steps = run_to_end(trainer, parts.objective, recipe.out, on_progress=on_progress)
    say("measuring the judgements of the questions held out for the report")
    report = _report(recipe, parts, steps)
    if trainer.is_world_process_zero():
        _save(recipe, parts, report)
    return report


def _training_examples(recipe: JudgeRecipe, parts: JudgeParts) -> JudgeExamples:
    train = parts.splits.train
    order = draw_order(len(train), epochs=recipe.train.epochs, seed=recipe.train.seed)
    return JudgeExamples(
        train,
        order,
        parts.prompts,
        parts.embed,
        passages=recipe.examples.passages,
        with_title=recipe.examples.title,
        seed=recipe.train.seed,
    )


def _held_out(recipe: JudgeRecipe, parts: JudgeParts, items: list[Candidates]) -> JudgeExamples:
    return JudgeExamples(
        items,
        np.arange(len(items)),
        parts.prompts,
        parts.embed,
        passages=recipe.examples.passages,
        with_title=recipe.examples.title,
        seed=None,
    )


def _report(recipe: JudgeRecipe, parts: JudgeParts, steps: int) -> JudgeReport:
    size = recipe.train.batch_size
    watched = _held_out(recipe, parts, parts.splits.validation)
    weight = fit_similarity_weight(score_soft_tokens(parts, watched, batch_size=size))
    kept = _held_out(recipe, parts, parts.splits.report)
    found = score_soft_tokens(parts, kept, batch_size=size)
    both = found.together(weight)
    return JudgeReport(
        recipe.out / _JUDGE,
        RelevanceAuc(found.auc(found.margins), found.auc_within(found.margins)),
        RelevanceAuc(found.auc(found.similarities), found.auc_within(found.similarities)),
        RelevanceAuc(found.auc(both), found.auc_within(both)),
        similarity_weight=weight,
        questions=len(parts.splits.report),
        passages=len(found.margins),
        steps=steps,
        trained=len(parts.splits.train),
        dropped=parts.splits.dropped,
    )


def _save(recipe: JudgeRecipe, parts: JudgeParts, report: JudgeReport) -> None:
    """Write projector and adapters with the reader that they belong to, in half precision."""
    adapters = take_adapters(parts.reader.language.model, recipe.lora)
    settings = TokenJudgeSettings(
        parts.fingerprint, recipe.examples.title, report.similarity_weight
    )
    manifest: Manifest = judge_manifest(parts.reader, parts.encoder, settings)
    metrics = {key: value for key, value in asdict(report).items() if key != "judge"}
    save_projector(
        report.judge,
        parts.projector,
        manifest.model_copy(update={"recipe": recipe.model_dump(mode="json"), "metrics": metrics}),
        adapters=adapters,
        dtype=torch.float16,
        overwrite=True,
    )
