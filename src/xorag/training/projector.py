"""Stage 1 from a recipe to a projector artifact: the whole of `xorag train projector`."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from xorag.artifact.manifest import Manifest
from xorag.compression.projector_artifact import (
    base_model_shape,
    save_projector,
)
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.retrieval.index import PassageIndex
from xorag.training.evaluation import TokenLosses
from xorag.training.examples import Collator
from xorag.training.forms import trained_forms
from xorag.training.initial import initialise
from xorag.training.parts import RunParts, build_parts
from xorag.training.progress import OnMessage, OnTraining
from xorag.training.run_directory import claim_directory, history
from xorag.training.running import run_to_end
from xorag.training.sharding import with_own_weights
from xorag.training.trainer import (
    build_trainer,
    examples_a_step,
    require_trackers,
)

logger = logging.getLogger(__name__)
_PROJECTOR = "projector"


@dataclass(frozen=True, slots=True)
class ProjectorReport:
    """What a run made."""

    projector: Path
    """The artifact's directory."""
    losses: TokenLosses
    """On the passages held out for the report, with one soft token a passage."""
    losses_by_rate: dict[int, TokenLosses]
    """The same for each number of soft tokens a passage that was trained."""
    losses_by_form: dict[str, TokenLosses]
    """The same for each form that shows something beside one soft token, such as `strings32`."""
    steps: int
    examples: int
    """Read in training, repeats included."""
    passages: int
    """That training could read."""
    reserved: int
    """Passages of the index that training left out, as the recipe says."""


def train_projector(
    recipe: ProjectorRecipe,
    *,
    device: str | None = None,
    on_progress: OnTraining | None = None,
    on_message: OnMessage | None = None,
) -> ProjectorReport:
    """Train a projector as a recipe says; the same call goes on after a kill.

    Args:
        recipe: What to do.
        device: Such as `cpu`; unset, the best here.
        on_progress: Told of each step.
        on_message: Told what is being done before and after the steps.

    Raises:
        ConfigError: If the directory holds another run, or too few passages are left.
        IndexNotFoundError: If there is no index.
        MissingExtraError: If a tracker is not installed.
        ModelNotFoundError: If the language model is not found.
        TrainingError: If the processes launched do not work together.
    """
    say = on_message or logger.info
    require_trackers(recipe.train.trackers)
    index = PassageIndex.open(recipe.passages.index)
    passages = {"passages": index.passage_count(), "version": index.table.version}
    claim_directory(recipe.out, recipe, index=passages)
    parts = build_parts(recipe, index, device, say)
    trainer = build_trainer(
        parts.objective,
        parts.restating.training_examples(
            recipe.train, has_contrast=recipe.loss.contrast_weight > 0
        ),
        parts.restating.conditions(parts.restating.splits.validation),
        recipe.train,
        recipe.out,
        collate=Collator(parts.pad_id),
        device=parts.language.model.device,
    )
    steps = run_to_end(
        trainer,
        parts.objective,
        recipe.out,
        on_progress=on_progress,
        begin=partial(initialise, parts, recipe.projector, say),
        is_shareable=True,
    )
    say("measuring the losses on the passages held out for the report")
    report = _report(recipe, parts, steps)
    if trainer.is_world_process_zero():
        _save(recipe, parts, report)
    return report


def _report(recipe: ProjectorRecipe, parts: RunParts, steps: int) -> ProjectorReport:
    reader, pad_id, batch_size = parts.objective.reader, parts.pad_id, recipe.train.batch_size
    losses = parts.restating.reported_losses(reader, pad_id=pad_id, batch_size=batch_size)
    return ProjectorReport(
        projector=recipe.out / _PROJECTOR,
        losses=losses[1],
        losses_by_rate=losses,
        losses_by_form=parts.restating.reported_losses_by_form(
            reader, pad_id=pad_id, batch_size=batch_size
        ),
        steps=steps,
        examples=steps * examples_a_step(recipe.train),
        passages=len(parts.restating.splits.train),
        reserved=parts.restating.splits.reserved,
    )


def _save(recipe: ProjectorRecipe, parts: RunParts, report: ProjectorReport) -> None:
    """Write the projector with all that is needed to judge and to repeat it, in half precision."""
    training: Mapping[str, Any] = {
        "examples": report.examples,
        "passages": report.passages,
        "reserved": report.reserved,
        "steps": report.steps,
    }
    start = recipe.projector.start_from
    earlier = {"started_from": history(start)} if start else {}
    manifest = Manifest(
        kind="projector",
        base_model=base_model_shape(parts.language.model, parts.language.name),
        encoder=parts.restating.index.spec,
        recipe={**recipe.model_dump(mode="json"), **earlier},
        metrics={
            "losses": asdict(report.losses),
            "losses_by_rate": {r: asdict(losses) for r, losses in report.losses_by_rate.items()},
            "losses_by_form": {f: asdict(losses) for f, losses in report.losses_by_form.items()},
            **training,
        },
        settings={
            "layout": parts.restating.wordings.layout.name,
            "tokens_per_passage": sorted(set(recipe.passages.rates)),
            "forms": trained_forms(parts.restating.wordings.details.forms),
        },
    )
    save_projector(
        report.projector,
        with_own_weights(parts.projector),
        manifest,
        dtype=torch.float16,
        overwrite=True,
    )
