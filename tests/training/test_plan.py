"""The order of examples."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xorag.training.plan import Choices, draw_plan, fixed_plan


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
