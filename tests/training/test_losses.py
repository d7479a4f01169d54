"""Losses of scored tokens."""

import pytest
import torch
from torch import nn

from tests.compression.tiny_models import CONFIGS, IN_DIM, make_model
from xorag.compression.model import SoftTokenModel, embedding_width
from xorag.compression.projector import Projector
from xorag.generation.examples import NOT_SCORED
from xorag.training.losses import contrast_loss
from xorag.training.objective import ParaphraseObjective

LABELS = torch.tensor(
    [
        [NOT_SCORED, NOT_SCORED, NOT_SCORED, 7, 8, 2],
        [NOT_SCORED, NOT_SCORED, 9, 2, NOT_SCORED, NOT_SCORED],
    ]
)


def batch() -> dict[str, torch.Tensor]:
    return {
        "input_ids": torch.tensor([[1, 0, 5, 7, 8, 2], [1, 0, 9, 2, 0, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]),
        "is_placeholder": torch.tensor([[0, 1, 0, 0, 0, 0]] * 2, dtype=torch.bool),
        "passage_embeddings": torch.randn(2, IN_DIM, generator=torch.Generator().manual_seed(3)),
        "labels": LABELS,
    }


def reader_of(family: str) -> SoftTokenModel:
    model = make_model(family)
    torch.manual_seed(0)
    return SoftTokenModel(model, Projector(IN_DIM, embedding_width(model)))


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_the_loss_equals_the_one_over_all_positions(family: str) -> None:
    reader = reader_of(family)
    inputs = batch()
    logits = reader(**{k: v for k, v in inputs.items() if k != "labels"}).logits
    expected = nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(), LABELS[:, 1:].flatten(), ignore_index=NOT_SCORED
    )

    loss = ParaphraseObjective(reader)(**inputs)["loss"]

    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)


def test_only_the_projector_gets_gradients() -> None:
    objective = ParaphraseObjective(reader_of("llama"))

    objective(**batch())["loss"].backward()

    named = dict(objective.named_parameters())
    with_gradient = {name for name, p in named.items() if p.grad is not None and p.grad.any()}
    assert with_gradient
    assert all(name.startswith("reader.projector.") for name in with_gradient)


def test_the_state_to_be_saved_is_the_projector_alone() -> None:
    state = ParaphraseObjective(reader_of("llama")).state_dict()

    assert state
    assert all(name.startswith("reader.projector.") for name in state)


def test_losses_add_up_over_passes_of_a_step() -> None:
    objective = ParaphraseObjective(reader_of("llama"), contrast_weight=0.5)
    inputs = batch() | {"wrong_embeddings": batch()["passage_embeddings"].flip(0)}
    whole = objective(**inputs)["loss"]

    halves = [
        objective(**{k: v[i : i + 1] for k, v in inputs.items()}, num_items_in_batch=5)["loss"]
        for i in range(2)
    ]

    assert sum(half.item() for half in halves) == pytest.approx(whole.item(), abs=1e-5)


def test_a_contrast_counts_only_where_the_wrong_token_is_not_much_worse() -> None:
    right, wrong = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 9.0])

    near, far = contrast_loss(right, wrong, margin=0.5).tolist()

    assert near == pytest.approx(0.974077, abs=1e-5)  # softplus(0.5)
    assert far < 0.001


def test_a_contrast_adds_to_the_loss() -> None:
    reader = reader_of("llama")
    inputs = batch() | {"wrong_embeddings": batch()["passage_embeddings"].flip(0)}

    plain = ParaphraseObjective(reader)(**inputs)["loss"]
    contrasted = ParaphraseObjective(reader, contrast_weight=1.0)(**inputs)["loss"]

    assert contrasted > plain
