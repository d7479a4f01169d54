"""What is learnt beside the answers: a contrast, restated passages, and words."""

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.conftest import TrainingWorld
from tests.training.distilling import recipe_of, restating_of
from xorag.compression.projector_artifact import load_projector
from xorag.training.distill import train_distill
from xorag.training.distill_examples import (
    AlternatingExamples,
    DistillCollator,
    DistillExamples,
    DistillItem,
)
from xorag.training.distill_parts import build_distill_parts
from xorag.training.instruction_splits import word_plan
from xorag.training.losses import token_losses
from xorag.training.plan import fixed_plan
from xorag.training.projector import train_projector

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")


class Numbered:
    """Stands for examples: each is its own place."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitems__(self, places: list[int]) -> list[int]:
        assert max(places) < self._count
        return places


def test_a_run_that_restates_beside_says_what_it_can_still_restate(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(training_world, stage_one, tmp_path, restating=restating_of(training_world))

    report = train_distill(recipe, device="cpu")

    metrics = load_projector(report.projector).manifest.metrics
    assert metrics["losses"]["passages"] == 6
    assert metrics["losses"]["right"] == report.restating_losses_by_rate[1].right


def test_a_contrast_is_added_to_the_loss_of_the_answers(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    loss = {"kl_weight": 0.0, "contrast_weight": 2.0, "contrast_margin": 3.0}
    parts = build_distill_parts(
        recipe_of(training_world, stage_one, tmp_path, loss=loss), "cpu", lambda _: None
    )
    plan = fixed_plan(4, rate=2)
    worded = word_plan(plan, parts.splits.train, question_share=1.0, seed=0)
    examples = DistillExamples(
        parts.splits.train,
        worded,
        parts.prompts,
        parts.passages,
        has_teacher=False,
        has_contrast=True,
    )
    batch = DistillCollator(parts.pad_id)(examples.__getitems__([0, 1, 2, 3]))
    wrong = batch.pop("wrong_embeddings")

    plain = parts.objective(**batch)["loss"]
    contrasted = parts.objective(**batch, wrong_embeddings=wrong)["loss"]

    reader = parts.objective.reader
    right_losses = token_losses(reader, **batch)
    wrong_losses = token_losses(reader, **{**batch, "passage_embeddings": wrong})
    tokens = right_losses.tokens_by_row(4)
    gap = (wrong_losses.sum_by_row(4) - right_losses.sum_by_row(4)) / tokens
    expected = (torch.nn.functional.softplus(3.0 - gap) * tokens).sum() / tokens.sum()
    added = float((contrasted - plain).detach())
    assert added == pytest.approx(2.0 * float(expected.detach()), rel=1e-4)
    contrasted.backward()
    assert any(p.grad is not None and p.grad.any() for p in parts.projector.parameters())


@settings(max_examples=50, deadline=None)
@given(steps=st.integers(1, 30), every=st.integers(2, 6), step_size=st.integers(1, 4))
def test_of_so_many_steps_the_last_restates_and_no_question_is_missed(
    steps: int, every: int, step_size: int
) -> None:
    questions, passages = Numbered(steps * step_size), Numbered(3)
    alternating = AlternatingExamples(
        cast("Any", questions), cast("Any", passages), step_size=step_size, every=every
    )

    read: list[Any] = []
    for step in range(len(alternating) // step_size):
        batch = alternating.__getitems__([step * step_size + i for i in range(step_size)])
        if (step + 1) % every:
            read += batch
        else:
            assert all(isinstance(item, DistillItem) for item in batch)

    assert read == list(range(steps * step_size))


def test_a_projector_that_reads_words_is_distilled_with_them(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    first = training_world.recipe(tmp_path / "first", max_steps=1)
    words = first.projector.model_copy(update={"words": True})
    start = train_projector(first.model_copy(update={"projector": words}), device="cpu").projector

    report = train_distill(recipe_of(training_world, start, tmp_path), device="cpu")

    made, begun = load_projector(report.projector).projector, load_projector(start).projector
    assert torch.equal(made.word_weights, begun.word_weights)
    assert not torch.equal(made.state_dict()["mlp.2.weight"], begun.state_dict()["mlp.2.weight"])
