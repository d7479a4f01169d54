"""The projector: its sum of two paths, the published keys, and what it refuses."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xorag.compression.projector import (
    Projector,
    ProjectorShape,
    projector_from_published,
    published_state,
)
from xorag.errors import ConfigError, ProjectorMismatchError


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_the_published_keys_carry_a_projector_of_any_depth(
    in_dim: int, hidden: int, depth: int
) -> None:
    projector = Projector(in_dim, hidden, depth)

    back = projector_from_published(published_state(projector))

    passages = torch.randn(3, in_dim)
    assert back.shape == projector.shape
    assert torch.equal(back(passages), projector(passages))


def test_two_layers_have_the_published_names() -> None:
    assert sorted(published_state(Projector(4, 8))) == [
        f"projector.projector.{layer}.{kind}" for layer in (0, 2) for kind in ("bias", "weight")
    ]


def test_the_linear_path_is_added_to_the_mlp() -> None:
    projector = Projector(4, 8, linear_path=True)
    passages = torch.randn(2, 4)
    mlp, linear = projector.mlp, projector.linear
    assert linear is not None

    assert torch.equal(projector(passages), mlp(passages) + linear(passages))


def test_a_linear_path_has_no_published_form() -> None:
    with pytest.raises(ProjectorMismatchError, match="linear path"):
        published_state(Projector(4, 8, linear_path=True))


def test_half_precision_embeddings_are_projected_in_the_projectors_own_type() -> None:
    assert Projector(4, 8)(torch.randn(2, 4, dtype=torch.float16)).dtype == torch.float32


def test_embeddings_of_another_width_are_refused() -> None:
    with pytest.raises(ProjectorMismatchError, match=r"width 4.*5 wide"):
        Projector(4, 8)(torch.randn(2, 5))


@pytest.mark.parametrize(
    "keys", [[], ["0.weight"], ["0.weight", "0.bias", "1.weight", "1.bias"], ["0.weight", "x"]]
)
def test_keys_of_another_kind_of_projector_are_refused(keys: list[str]) -> None:
    with pytest.raises(ProjectorMismatchError, match="linear layers 0, 2, 4"):
        projector_from_published({key: torch.zeros(2, 2) for key in keys})


def test_layers_that_do_not_chain_are_refused() -> None:
    state = published_state(Projector(4, 8))
    state["projector.projector.2.weight"] = torch.zeros(8, 7)

    with pytest.raises(ProjectorMismatchError, match="do not fit each other"):
        projector_from_published(state)


@pytest.mark.parametrize(("in_dim", "hidden", "depth"), [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_sizes_below_one_are_refused(in_dim: int, hidden: int, depth: int) -> None:
    with pytest.raises(ConfigError, match="must be at least 1, got 0"):
        ProjectorShape(in_dim, hidden, depth)
