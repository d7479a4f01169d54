"""The same seed draws the same."""

import random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from xorag.runtime.seeds import seed_libraries, seeded_generator


@given(st.integers(0, 2**40))
def test_a_generator_depends_on_its_seed_alone(seed: int) -> None:
    first = torch.rand(3, generator=seeded_generator(seed))
    torch.rand(5)

    assert torch.equal(first, torch.rand(3, generator=seeded_generator(seed)))


def test_the_global_generators_are_seeded_together() -> None:
    def draw() -> tuple[float, float]:
        seed_libraries(980406)
        return random.random() + float(np.random.rand()), float(torch.rand(1))  # noqa: NPY002

    assert draw() == draw()
