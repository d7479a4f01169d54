"""Splicing: soft tokens land on placeholders, in reading order, and nowhere else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from xorag.compression.splice import splice
from xorag.errors import SpliceError


def test_soft_tokens_land_on_placeholders_in_reading_order() -> None:
    mask = torch.tensor([[False, True, False], [True, False, False]])

    out = splice(torch.zeros(2, 3, 2), torch.tensor([[1.0, 1.0], [2.0, 2.0]]), mask)

    assert (out[0, 1].tolist(), out[1, 0].tolist()) == ([1.0, 1.0], [2.0, 2.0])


@given(hnp.arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 6))))
def test_every_other_embedding_stays_as_it_was(is_placeholder: NDArray[np.bool_]) -> None:
    mask = torch.from_numpy(is_placeholder)
    embeds = torch.randn(*mask.shape, 3)
    soft = torch.randn(int(mask.sum()), 3)

    out = splice(embeds, soft, mask)

    assert torch.equal(out[~mask], embeds[~mask])
    assert torch.equal(out[mask], soft)


def test_unequal_counts_are_refused() -> None:
    with pytest.raises(SpliceError, match="1 placeholders, but 2 soft tokens"):
        splice(torch.zeros(1, 2, 3), torch.zeros(2, 3), torch.tensor([[True, False]]))


def test_unequal_widths_are_refused() -> None:
    with pytest.raises(SpliceError, match=r"3 wide.*4 wide"):
        splice(torch.zeros(1, 2, 3), torch.zeros(1, 4), torch.tensor([[True, False]]))
