"""Stage 1 from a recipe to a projector artifact: the whole of `xorag train projector`."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xorag.artifact.manifest import Manifest
from xorag.compression.model import SoftTokenModel, embedding_width
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import base_model_shape, save_projector
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.errors import MissingExtraError
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.retrieval.index import PassageIndex
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.loading import LanguageModel, load_language_model
from xorag.runtime.seeds import seed_libraries
from xorag.training.distribution import require_as_launched
from xorag.training.evaluation import TokenLosses, measure_losses
from xorag.training.examples import Condition, ParaphraseExamples, Wordings
from xorag.training.initial import read_all, warm_start
from xorag.training.objective import ParaphraseObjective
from xorag.training.plan import draw_plan, fixed_plan
from xorag.training.progress import OnTraining, ProgressCallback
from xorag.training.run_directory import claim_directory
from xorag.training.splits import IndexRow, PassageSplitter, Splits, rows_of
from xorag.training.trainer import build_trainer, examples_a_step, last_checkpoint
from xorag.training.wordings import PARAPHRASE_INSTRUCTIONS

logger = logging.getLogger(__name__)
OnMessage = Callable[[str], None]
_PROJECTOR = "projector"


@dataclass(frozen=True, slots=True)
class ProjectorReport:
    """What a run made."""

    projector: Path
    """The artifact's directory."""
    losses: TokenLosses
    """On the passages held out for the report."""
    steps: int
    examples: int
    """Read in training, repeats included."""
    passages: int
    """That training could read."""
    reserved: int
    """Passages of the index that training left out, as the recipe says."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a run is made of, besides its recipe."""

    index: PassageIndex
    language: LanguageModel
    wordings: Wordings
    splits: Splits
    objective: ParaphraseObjective

    @property
    def pad_id(self) -> int:
        """What fills up short rows; hidden by the mask, so any id does."""
        return int(self.language.tokenizer.pad_token_id or 0)

    @property
    def projector(self) -> Projector:
        """The part that trains."""
        return self.objective.reader.projector


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
    _require_trackers(recipe.train.trackers)
    index = PassageIndex.open(recipe.passages.index)
    claim_directory(recipe, index)
    parts = _build_parts(recipe, index, device, say)
    trainer = build_trainer(
        parts.objective,
        _training_examples(recipe, parts),
        _conditions(parts, parts.splits.validation),
        recipe.train,
        recipe.out,
        pad_id=parts.pad_id,
        device=parts.language.model.device,
    )
    if on_progress is not None:
        trainer.add_callback(ProgressCallback(parts.objective, on_progress))
    require_as_launched(trainer.accelerator)
    checkpoint = last_checkpoint(recipe.out)
    if checkpoint is None:
        _initialise(recipe, parts, say)
    trainer.train(resume_from_checkpoint=checkpoint)
    say("measuring the losses on the passages held out for the report")
    report = _report(recipe, parts, trainer.state.global_step)
    if trainer.is_world_process_zero():
        _save(recipe, parts, report)
    return report


def _build_parts(
    recipe: ProjectorRecipe, index: PassageIndex, device: str | None, say: OnMessage
) -> _Parts:
    place = pick_device(device)
    attention = recipe.model.attention or ("eager" if place.type == "cpu" else None)
    language = load_language_model(
        recipe.model.language_model,
        device=place,
        dtype=pick_dtype(place, recipe.model.dtype),
        attention=attention,
        on_message=say,
    )
    say("choosing the passages to train on, to validate and to report on")
    passages = recipe.passages
    splitter = PassageSplitter(
        validation=passages.validation,
        report=passages.report,
        keep_out=passages.keep_out,
        questions=passages.questions,
    )
    splits = splitter.split(rows_of(index), limit=passages.limit)
    layout = layout_named(recipe.model.layout, language.tokenizer)
    seed_libraries(recipe.train.seed)
    projector = Projector(
        index.spec.dimensions,
        embedding_width(language.model),
        recipe.projector.depth,
        linear_path=recipe.projector.linear_path,
    )
    reader = SoftTokenModel(language.model, projector.to(place))
    return _Parts(
        index,
        language,
        Wordings(
            PromptEncoder(language.tokenizer),
            layout,
            PARAPHRASE_INSTRUCTIONS,
            passages.max_tokens,
        ),
        splits,
        ParaphraseObjective(
            reader,
            contrast_weight=recipe.loss.contrast_weight,
            contrast_margin=recipe.loss.contrast_margin,
        ),
    )


def _initialise(recipe: ProjectorRecipe, parts: _Parts, say: OnMessage) -> None:
    """Fill the projector before the first step, where the recipe wants more than chance."""
    options = recipe.projector
    if options.init == "random":
        return
    say("fitting the closed-form warm start")
    rows = parts.splits.train[: options.warm_start_passages]
    explained = warm_start(
        parts.projector,
        parts.language.model,
        parts.wordings.encoder,
        read_all(parts.index.take, [row.offset for row in rows]),
        ridge=options.ridge,
        idf_power=options.idf_power,
        scale=options.scale,
    )
    say(f"warm start: {explained:.0%} of the variance explained, by {len(rows)} passages")


def _training_examples(recipe: ProjectorRecipe, parts: _Parts) -> ParaphraseExamples:
    plan = draw_plan(
        np.array([row.length for row in parts.splits.train], np.int64),
        epochs=recipe.train.epochs,
        batch_size=examples_a_step(recipe.train),
        instruction_count=len(PARAPHRASE_INSTRUCTIONS),
        seed=recipe.train.seed,
    )
    return ParaphraseExamples(
        parts.splits.train,
        plan,
        parts.index.take,
        parts.wordings,
        has_contrast=recipe.loss.contrast_weight > 0,
    )


def _conditions(parts: _Parts, rows: list[IndexRow]) -> dict[Condition, ParaphraseExamples]:
    """The same passages with the right, no and a wrong soft token."""
    return {
        condition: ParaphraseExamples(
            rows, fixed_plan(len(rows)), parts.index.take, parts.wordings, condition=condition
        )
        for condition in Condition
    }


def _report(recipe: ProjectorRecipe, parts: _Parts, steps: int) -> ProjectorReport:
    losses = measure_losses(
        parts.objective,
        _conditions(parts, parts.splits.report),
        pad_id=parts.pad_id,
        batch_size=recipe.train.batch_size,
    )
    return ProjectorReport(
        projector=recipe.out / _PROJECTOR,
        losses=losses,
        steps=steps,
        examples=steps * examples_a_step(recipe.train),
        passages=len(parts.splits.train),
        reserved=parts.splits.reserved,
    )


def _save(recipe: ProjectorRecipe, parts: _Parts, report: ProjectorReport) -> None:
    """Write the projector with all that is needed to judge and to repeat it, in half precision."""
    training: Mapping[str, Any] = {
        "examples": report.examples,
        "passages": report.passages,
        "reserved": report.reserved,
        "steps": report.steps,
    }
    manifest = Manifest(
        kind="projector",
        base_model=base_model_shape(parts.language.model, parts.language.name),
        encoder=parts.index.spec,
        recipe=recipe.model_dump(mode="json"),
        metrics={"losses": asdict(report.losses), **training},
        settings={"layout": parts.wordings.layout.name},
    )
    save_projector(report.projector, parts.projector, manifest, dtype=torch.float16, overwrite=True)


def _require_trackers(trackers: tuple[str, ...]) -> None:
    missing = [name for name in trackers if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"the tracker {missing[0]!r} is not installed; install xorag[train] or that tracker, "
            "or switch it off with train.trackers=[]"
        )
