"""The order of examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.training.plan import Choices, FormShare, draw_plan, fixed_plan


@given(
    st.lists(st.integers(1, 500), min_size=2, max_size=80),
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(0, 5),
)
def test_every_passage_comes_once_an_epoch_against_another_one(
    lengths: list[int], epochs: int, batch_size: int, seed: int
) -> None:
    plan = draw_plan(
        np.array(lengths), epochs=epochs, batch_size=batch_size, seed=seed, choices=Choices(4)
    )

    counts = np.bincount(plan.passages, minlength=len(lengths))
    assert set(counts.tolist()) == {epochs}
    assert (plan.passages != plan.wrong_passages).all()
    assert set(plan.instructions.tolist()) <= {0, 1, 2, 3}


def test_the_same_seed_draws_the_same_plan_and_another_one_does_not() -> None:
    lengths = np.arange(1, 101)

    first, second, other = (
        draw_plan(lengths, epochs=2, batch_size=8, seed=seed, choices=Choices(3))
        for seed in (1, 1, 2)
    )

    assert (first.passages == second.passages).all()
    assert (first.instructions == second.instructions).all()
    assert (first.passages != other.passages).any()


def test_batches_hold_passages_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(10, 500, size=4000)

    plan = draw_plan(lengths, epochs=1, batch_size=16, seed=0)

    batches = lengths[plan.passages].reshape(-1, 16)
    padded = batches.max(axis=1).sum() * 16
    assert padded < 1.05 * lengths.sum()


def test_evaluation_reads_passages_in_order_each_against_the_next() -> None:
    plan = fixed_plan(3)

    assert plan.passages.tolist() == [0, 1, 2]
    assert plan.wrong_passages.tolist() == [1, 2, 0]


def test_forms_are_drawn_by_their_weights_and_leave_all_else_as_it_was() -> None:
    lengths = np.random.default_rng(0).integers(10, 500, size=4000)
    forms = (FormShare(3), FormShare(1), FormShare(0))

    alone, mixed = (
        draw_plan(lengths, epochs=2, batch_size=16, seed=1, choices=Choices(4, (1, 4), of))
        for of in ((FormShare(),), forms)
    )

    assert np.bincount(mixed.forms, minlength=3) / len(mixed) == pytest.approx(
        [0.75, 0.25, 0.0], abs=0.03
    )
    assert not alone.forms.any()
    for name in ("passages", "wrong_passages", "instructions", "rates"):
        assert (getattr(mixed, name) == getattr(alone, name)).all()


def test_a_batch_holds_examples_that_are_alike_long_in_their_forms() -> None:
    lengths = np.full(1600, 20)

    plan = draw_plan(
        lengths,
        epochs=1,
        batch_size=16,
        seed=0,
        choices=Choices(forms=(FormShare(), FormShare(tokens=60))),
    )

    batches = plan.forms.reshape(-1, 16)
    assert (batches.min(axis=1) == batches.max(axis=1)).mean() > 0.9
