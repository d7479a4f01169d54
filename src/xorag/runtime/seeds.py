"""Chance as an argument: seeded generators, and the global seed where a library leaves no choice.

Knows nothing of what is drawn.
"""

import random

import numpy as np
import torch


def seeded_generator(seed: int, *, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own, which nothing else draws from."""
    return torch.Generator(device=device).manual_seed(seed)


def seed_libraries(seed: int) -> None:
    """Seed Python, NumPy and torch, for code that draws from their global generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator is the one meant here
    torch.manual_seed(seed)
