"""What training a reader minimises."""

import pytest
import torch
from torch import nn

from tests.compression.tiny_models import make_model
from xorag.generation.examples import NOT_SCORED
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import upcycle
from xorag.training.reader_objective import ReaderObjective

IDS = torch.tensor([[1, 4, 6, 7, 8, 2], [1, 5, 9, 7, 2, 0]])
MASK = torch.tensor([[1] * 6, [1] * 5 + [0]])
LABELS = torch.tensor(
    [[NOT_SCORED, NOT_SCORED, 6, 7, 8, 2], [NOT_SCORED, NOT_SCORED, 9, 7, 2, NOT_SCORED]]
)
JUDGEMENTS = (7, 9)


def losses_by_token() -> tuple[torch.Tensor, torch.Tensor]:
    """The loss and the id of each scored token, from plain logits."""
    logits = make_model("llama")(input_ids=IDS, attention_mask=MASK).logits[:, :-1].float()
    targets = LABELS[:, 1:]
    is_scored = targets != NOT_SCORED
    losses = nn.functional.cross_entropy(logits[is_scored], targets[is_scored], reduction="none")
    return losses, targets[is_scored]


def objective(weight: float) -> ReaderObjective:
    """Of a model with experts that add nothing yet."""
    model = make_model("llama")
    upcycle(model, ExpertOptions(experts=4, width=4))
    return ReaderObjective(model, torch.float32, judgement_ids=JUDGEMENTS, judgement_weight=weight)


@pytest.mark.parametrize("weight", [0.5, 1.0, 4.0])
def test_judgements_count_as_often_in_training_as_they_are_weighted(weight: float) -> None:
    losses, ids = losses_by_token()
    judges = torch.isin(ids, torch.tensor(JUDGEMENTS))
    expected = (losses[~judges].sum() + weight * losses[judges].sum()) / len(losses)

    loss = objective(weight).train()(IDS, MASK, LABELS)["loss"]

    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)


def test_held_out_losses_count_all_tokens_alike() -> None:
    losses, _ = losses_by_token()

    loss = objective(4.0).eval()(IDS, MASK, LABELS)["loss"]

    assert loss.item() == pytest.approx(losses.mean().item(), abs=1e-5)
