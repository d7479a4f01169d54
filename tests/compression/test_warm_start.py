"""The closed-form warm start."""

import math

import pytest
import torch

from xorag.compression.projector import Projector
from xorag.compression.warm_start import (
    LinearMap,
    explained_variance,
    fit_ridge,
    inverse_document_frequency,
    start_from,
    weighted_mean_embedding,
)
from xorag.errors import ConfigError


def test_idf_counts_a_token_once_a_passage_and_is_never_negative() -> None:
    idf = inverse_document_frequency([[0, 1, 1], [0, 2], [0], [0]], vocab=4)

    assert idf.tolist() == pytest.approx([0.0, math.log(2), math.log(2), math.log(4)])


def test_rare_tokens_weigh_more_in_a_passages_mean() -> None:
    table = torch.eye(3)

    mean = weighted_mean_embedding([0, 1, 1, 2], table, torch.tensor([0.0, 1.0, 2.0]))

    assert mean.tolist() == pytest.approx([0.0, 0.5, 0.5])


def test_a_passage_of_weightless_tokens_has_the_zero_target() -> None:
    mean = weighted_mean_embedding([0, 0], torch.ones(2, 3), torch.zeros(2))

    assert mean.tolist() == [0.0, 0.0, 0.0]


def test_a_linear_truth_is_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 5, generator=generator)
    truth, offset = torch.randn(3, 5, generator=generator), torch.randn(3, generator=generator)
    targets = inputs @ truth.T + offset

    found = fit_ridge(inputs, targets, ridge=1e-6, scale=1.0)

    assert torch.allclose(found.weight, truth, atol=1e-4)
    assert torch.allclose(found.bias, offset, atol=1e-4)
    assert explained_variance(inputs, targets, ridge=1e-6) == pytest.approx(1.0, abs=1e-5)


def test_the_scale_stretches_around_the_mean_and_leaves_the_mean() -> None:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(100, 4, generator=generator) + 3
    targets = torch.randn(100, 2, generator=generator)

    once = fit_ridge(inputs, targets, ridge=1.0, scale=1.0)
    eight = fit_ridge(inputs, targets, ridge=1.0, scale=8.0)

    middle = inputs.mean(dim=0)
    assert torch.allclose(middle @ eight.weight.T + eight.bias, targets.mean(dim=0), atol=1e-4)
    assert torch.allclose(eight.weight, 8 * once.weight, atol=1e-5)


def test_a_started_projector_computes_the_map_and_can_still_learn() -> None:
    projector = Projector(4, 3, linear_path=True)
    start = LinearMap(torch.randn(3, 4), torch.randn(3))
    inputs = torch.randn(6, 4)

    start_from(projector, start)

    assert torch.allclose(projector(inputs), inputs @ start.weight.T + start.bias, atol=1e-6)
    projector(inputs).sum().backward()
    last = dict(projector.named_parameters())["mlp.2.weight"].grad
    assert last is not None
    assert last.any()


def test_a_projector_without_a_linear_path_cannot_be_started() -> None:
    with pytest.raises(ConfigError, match="linear_path"):
        start_from(Projector(4, 3), LinearMap(torch.zeros(3, 4), torch.zeros(3)))


def test_one_passage_is_too_few() -> None:
    with pytest.raises(ConfigError, match="at least 2"):
        fit_ridge(torch.ones(1, 2), torch.ones(1, 2), ridge=1.0, scale=1.0)
