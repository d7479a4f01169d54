"""Stage 2 from a recipe to a projector artifact: the whole of `xorag train distill`."""

import hashlib
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector_artifact import base_model_shape, save_projector
from xorag.config.distill_recipe import DistillRecipe
from xorag.data.instructions.reading import Instruction
from xorag.training.adapters import take_adapters
from xorag.training.distill_examples import (
    AlternatingExamples,
    DistillCollator,
    DistillExamples,
)
from xorag.training.distill_parts import DistillParts, build_distill_parts
from xorag.training.evaluation import TokenLosses, measure_losses
from xorag.training.examples import Condition
from xorag.training.forms import trained_forms
from xorag.training.instruction_splits import Dropped, length_of, passage_count, word_plan
from xorag.training.plan import Choices, draw_plan, fixed_plan
from xorag.training.progress import OnMessage, OnTraining
from xorag.training.run_directory import claim_directory, history
from xorag.training.running import run_to_end
from xorag.training.trainer import (
    build_trainer,
    examples_a_step,
    require_trackers,
)

logger = logging.getLogger(__name__)
_PROJECTOR = "projector"
_TEXTS_AT_ONCE = 4
"""Examples that are read together as text, which may be ten passages each."""


@dataclass(frozen=True, slots=True)
class DistillReport:
    """What a run made."""

    projector: Path
    """The artifact's directory."""
    adapter_rank: int
    """Of the adapters that are kept with it; 0: there are none."""
    losses_by_rate: dict[int, TokenLosses]
    """Of the answers of held-out examples, for each number of soft tokens a passage."""
    losses_by_form: dict[str, TokenLosses]
    """Of the same, for each form that shows something beside one soft token, such as `strings32`;
    empty where the recipe names none."""
    restating_losses_by_rate: dict[int, TokenLosses]
    """Of restated passages that were held out; empty where the recipe names none."""
    steps: int
    examples: int
    """Read in training, repeats included."""
    instructions: int
    """Different examples that training could read."""
    dropped: Dropped


def train_distill(
    recipe: DistillRecipe,
    *,
    device: str | None = None,
    on_progress: OnTraining | None = None,
    on_message: OnMessage | None = None,
) -> DistillReport:
    """Distil as a recipe says; the same call goes on after a kill.

    Args:
        recipe: What to do.
        device: Such as `cpu`; unset, the best here.
        on_progress: Told of each step.
        on_message: Told what is being done before and after the steps.

    Raises:
        ConfigError: If the directory holds another run, or too few examples are left.
        MissingExtraError: If a tracker, or peft for adapters, is not installed.
        ModelNotFoundError: If the language model or the encoder is not found.
        ProjectorMismatchError: If there is no projector to go on from, or it does not fit, or has
            other adapters than the recipe asks for.
        SourceError: If an instruction file cannot be read.
        TrainingError: If the processes launched do not work together.
    """
    say = on_message or logger.info
    require_trackers(recipe.train.trackers)
    parts = build_distill_parts(recipe, device, say)
    claim_directory(recipe.out, recipe, examples=_identity(parts))
    trainer = build_trainer(
        parts.objective,
        _training_examples(recipe, parts),
        _conditions(parts, parts.splits.validation, has_text=False),
        recipe.train,
        recipe.out,
        collate=DistillCollator(parts.pad_id),
        device=parts.language.model.device,
    )
    steps = run_to_end(trainer, parts.objective, recipe.out, on_progress=on_progress)
    say("measuring the losses on the examples held out for the report")
    reader = _as_saved(recipe, parts)
    report = _report(recipe, parts, reader, steps)
    if trainer.is_world_process_zero():
        _save(recipe, parts, reader, report)
    return report


def _as_saved(recipe: DistillRecipe, parts: DistillParts) -> SoftTokenModel:
    """What was trained as the artifact's users will read with it.

    Adapters act where soft tokens are read, so that text is read as without any of this.
    """
    adapters = take_adapters(parts.language.model, recipe.lora)
    return SoftTokenModel(parts.language.model, parts.projector, adapters)


def _training_examples(
    recipe: DistillRecipe, parts: DistillParts
) -> DistillExamples | AlternatingExamples:
    instructions = _instruction_examples(recipe, parts)
    every = recipe.restating.every if recipe.restating else None
    if parts.restating is None or every is None:
        return instructions
    has_contrast = recipe.loss.contrast_weight > 0
    return AlternatingExamples(
        instructions,
        parts.restating.training_examples(recipe.train, has_contrast=has_contrast),
        step_size=examples_a_step(recipe.train),
        every=every,
    )


def _instruction_examples(recipe: DistillRecipe, parts: DistillParts) -> DistillExamples:
    train, has_teacher = parts.splits.train, recipe.loss.kl_weight > 0
    plan = draw_plan(
        np.array([length_of(item, has_teacher=has_teacher) for item in train], np.int64),
        epochs=recipe.train.epochs,
        batch_size=examples_a_step(recipe.train),
        seed=recipe.train.seed,
        choices=Choices(
            rates=recipe.examples.rates, forms=[form.share for form in parts.passages.details.forms]
        ),
        units=np.array([passage_count(item) for item in train], np.int64),
    )
    share, seed = recipe.examples.question_share, recipe.train.seed
    worded = word_plan(plan, train, question_share=share, seed=seed)
    return DistillExamples(
        train,
        worded,
        parts.prompts,
        parts.passages,
        has_teacher=has_teacher,
        has_contrast=recipe.loss.contrast_answers and recipe.loss.contrast_weight > 0,
    )


def _conditions(
    parts: DistillParts,
    instructions: list[Instruction],
    rate: int = 1,
    *,
    form: int = 0,
    has_text: bool = True,
) -> dict[Condition, DistillExamples]:
    """The same examples with the right, no and wrong soft tokens, and by option with text."""
    plan = fixed_plan(len(instructions), rate, form)
    worded = word_plan(plan, instructions, question_share=1.0, seed=0)
    return {
        condition: DistillExamples(
            instructions,
            worded,
            parts.prompts,
            parts.passages,
            condition=condition,
            has_teacher=False,
        )
        for condition in Condition
        if has_text or condition is not Condition.TEXT
    }


def _report(
    recipe: DistillRecipe, parts: DistillParts, reader: SoftTokenModel, steps: int
) -> DistillReport:
    def measured(rate: int = 1, form: int = 0) -> TokenLosses:
        # Text is the same at each rate, before and after training, and the dearest to read.
        has_text = rate == 1 and form == 0
        return measure_losses(
            reader,
            _conditions(parts, parts.splits.report, rate, form=form, has_text=has_text),
            collate=DistillCollator(parts.pad_id),
            batch_size=min(recipe.train.batch_size, _TEXTS_AT_ONCE),
        )

    showing = list(enumerate(parts.passages.details.forms))[1:]
    return DistillReport(
        projector=recipe.out / _PROJECTOR,
        adapter_rank=recipe.lora.rank,
        losses_by_rate={rate: measured(rate) for rate in sorted({1, *recipe.examples.rates})},
        losses_by_form={form.name: measured(form=place) for place, form in showing},
        restating_losses_by_rate=_restating_losses(parts, reader),
        steps=steps,
        examples=steps * examples_a_step(recipe.train),
        instructions=len(parts.splits.train),
        dropped=parts.splits.dropped,
    )


def _restating_losses(parts: DistillParts, reader: SoftTokenModel) -> dict[int, TokenLosses]:
    if parts.restating is None:
        return {}
    return parts.restating.reported_losses(reader, pad_id=parts.pad_id, batch_size=_TEXTS_AT_ONCE)


def _restated(losses_by_rate: dict[int, TokenLosses]) -> dict[str, Any]:
    """The losses under the names that a first stage gives them, if there are any."""
    if not losses_by_rate:
        return {}
    return {
        "losses": asdict(losses_by_rate[1]),
        "losses_by_rate": {rate: asdict(losses) for rate, losses in losses_by_rate.items()},
    }


def _save(
    recipe: DistillRecipe, parts: DistillParts, reader: SoftTokenModel, report: DistillReport
) -> None:
    """Write the projector with all that is needed to judge and to repeat it, in half precision."""
    metrics: dict[str, Any] = {
        "answer_losses_by_rate": {r: asdict(losses) for r, losses in report.losses_by_rate.items()},
        "answer_losses_by_form": {f: asdict(losses) for f, losses in report.losses_by_form.items()},
        **_restated(report.restating_losses_by_rate),
        "examples": report.examples,
        "instructions": report.instructions,
        "dropped": asdict(report.dropped),
        "steps": report.steps,
    }
    manifest = Manifest(
        kind="projector",
        base_model=base_model_shape(parts.language.model, parts.language.name),
        encoder=parts.encoder,
        recipe={**recipe.model_dump(mode="json"), "started_from": history(parts.started_from)},
        metrics=metrics,
        settings={
            "layout": parts.prompts.layout.name,
            "tokens_per_passage": sorted(set(recipe.examples.rates)),
            "forms": trained_forms(parts.passages.details.forms),
        },
    )
    save_projector(
        report.projector,
        reader.projector,
        manifest,
        adapters=reader.adapters,
        dtype=torch.float16,
        overwrite=True,
    )


def _identity(parts: DistillParts) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    ids = "\n".join(item.id for item in parts.splits.train)
    return {
        "count": len(parts.splits.train),
        "ids": hashlib.sha256(ids.encode()).hexdigest(),
        "encoder": _name(parts.encoder),
    }


def _name(encoder: EncoderSpec) -> str:
    return encoder.fingerprint or encoder.name
