"""From a recipe to what lets a reader judge soft tokens: the whole of `xorag train judge`."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from xorag.artifact.manifest import Manifest
from xorag.compression.projector_artifact import save_projector
from xorag.config.judge_recipe import JudgeRecipe
from xorag.generation.token_judge_artifact import TokenJudgeSettings, judge_manifest
from xorag.training.adapters import take_adapters
from xorag.training.examples import Condition
from xorag.training.judge_examples import Candidates, JudgeExamples, collate_judged, draw_order
from xorag.training.judge_parts import JudgeParts, build_judge_parts
from xorag.training.progress import OnMessage, OnTraining
from xorag.training.reader_scores import area_under_curve
from xorag.training.run_directory import claim_directory
from xorag.training.running import run_to_end
from xorag.training.trainer import build_trainer, require_trackers

logger = logging.getLogger(__name__)
_JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What a run made."""

    judge: Path
    """The artifact's directory."""
    auc: float
    """How often a supporting passage of the held-out questions scores above one that is none."""
    auc_within: float
    """The same inside each question, as a mean over questions."""
    cosine_auc: float
    """Like `auc`, by the encoder's similarity of question and passage."""
    cosine_auc_within: float
    questions: int
    """Held out."""
    passages: int
    """Of the held-out questions."""
    steps: int
    trained: int
    """Different questions that training could read."""
    dropped: int


@dataclass(frozen=True, slots=True)
class _Measured:
    """Scores of held-out passages, question by question."""

    margins: list[np.ndarray[tuple[int], np.dtype[np.float64]]]
    similarities: list[np.ndarray[tuple[int], np.dtype[np.float64]]]
    labels: list[np.ndarray[tuple[int], np.dtype[np.bool_]]]


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
    found = _measure(recipe, parts)
    labels = np.concatenate(found.labels)
    return JudgeReport(
        recipe.out / _JUDGE,
        _auc(np.concatenate(found.margins), labels),
        _mean_auc(found.margins, found.labels),
        _auc(np.concatenate(found.similarities), labels),
        _mean_auc(found.similarities, found.labels),
        questions=len(found.labels),
        passages=len(labels),
        steps=steps,
        trained=len(parts.splits.train),
        dropped=parts.splits.dropped,
    )


@torch.inference_mode()
def _measure(recipe: JudgeRecipe, parts: JudgeParts) -> _Measured:
    """Judge the held-out questions' passages, and compare these by their embeddings."""
    items = parts.splits.report
    examples = _held_out(recipe, parts, items)
    parts.objective.train(mode=False)
    device = parts.reader.language.model.device
    found = _Measured([], [], [])
    in_dim = parts.projector.shape.in_dim
    loader = DataLoader(examples, recipe.train.batch_size, collate_fn=collate_judged)
    for number, batch in enumerate(loader):
        moved = {name: tensor.to(device) for name, tensor in batch.items()}
        labels, of = moved.pop("labels"), moved["question_of"]
        passages = moved["passage_embeddings"][:, :in_dim].cpu().numpy()
        margins = parts.objective.margins(**moved).cpu().double().numpy()
        asked = items[number * recipe.train.batch_size :][: int(of.max()) + 1]
        queries = parts.embed.of_questions([item.question for item in asked])
        for at, query in enumerate(queries):
            mine = (of == at).cpu().numpy()
            found.margins.append(margins[mine])
            found.similarities.append((passages[mine] @ query).astype(np.float64))
            found.labels.append((labels > 0).cpu().numpy()[mine])
    return found


def _auc(scores: "np.ndarray[tuple[int], np.dtype[np.float64]]", labels: np.ndarray) -> float:
    area = area_under_curve(scores, labels)
    return float("nan") if area is None else area


def _mean_auc(scores: list[np.ndarray], labels: list[np.ndarray]) -> float:
    pairs = zip(scores, labels, strict=True)
    return float(np.mean([_auc(row, of_row) for row, of_row in pairs]))


def _save(recipe: JudgeRecipe, parts: JudgeParts, report: JudgeReport) -> None:
    """Write projector and adapters with the reader that they belong to, in half precision."""
    adapters = take_adapters(parts.reader.language.model, recipe.lora)
    settings = TokenJudgeSettings(parts.fingerprint, recipe.examples.title)
    manifest: Manifest = judge_manifest(parts.reader, parts.encoder, settings)
    metrics = {name: getattr(report, name) for name in ("auc", "auc_within", "cosine_auc", "steps")}
    save_projector(
        report.judge,
        parts.projector,
        manifest.model_copy(update={"recipe": recipe.model_dump(mode="json"), "metrics": metrics}),
        adapters=adapters,
        dtype=torch.float16,
        overwrite=True,
    )
