"""The distillation loss, and the objective that teacher and student share."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.compression.tiny_models import CONFIGS, IN_DIM, make_model
from tests.training.test_losses import LABELS, batch, reader_of
from xorag.compression.model import SoftTokenModel, embedding_width
from xorag.compression.projector import Projector
from xorag.config.distill_recipe import LoraOptions
from xorag.errors import ConfigError
from xorag.training.adapters import add_adapters
from xorag.training.distill_objective import DistillObjective, LossWeights
from xorag.training.distillation import Alignment, compared_positions, distillation_loss

TEACHER = {
    "teacher_input_ids": torch.tensor([[1, 4, 4, 4, 5, 7, 8, 2], [1, 4, 9, 2, 0, 0, 0, 0]]),
    "teacher_attention_mask": torch.tensor([[1] * 8, [1] * 4 + [0] * 4]),
    "teacher_labels": torch.tensor([[-100] * 5 + [7, 8, 2], [-100, -100, 9, 2] + [-100] * 4]),
}


def random_logits(seed: int, tokens: int = 3, vocab: int = 11) -> torch.Tensor:
    return torch.randn(tokens, vocab, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from([0.5, 1.0, 2.0]))
def test_the_loss_is_zero_for_equal_distributions_and_never_below(
    one: int, other: int, temperature: float
) -> None:
    student, teacher = random_logits(one), random_logits(other)

    loss = distillation_loss(student, teacher, temperature=temperature)

    shifted = distillation_loss(teacher + 3.0, teacher, temperature=temperature)
    assert bool((loss >= -1e-6).all())
    assert shifted.abs().max() < 1e-5


def test_the_loss_is_the_definition() -> None:
    student, teacher = random_logits(1), random_logits(2)
    p, q = torch.softmax(teacher / 2, -1), torch.softmax(student / 2, -1)
    expected = [
        4 * sum(float(a) * math.log(float(a) / float(b)) for a, b in zip(row_p, row_q, strict=True))
        for row_p, row_q in zip(p, q, strict=True)
    ]

    loss = distillation_loss(student, teacher, temperature=2.0)

    assert loss.tolist() == pytest.approx(expected, abs=1e-5)


def test_more_tokens_of_the_teacher_than_there_are_means_all() -> None:
    student, teacher = random_logits(1), random_logits(2)

    loss = distillation_loss(student, teacher, top_k=99)

    assert torch.equal(loss, distillation_loss(student, teacher))


def test_versions_with_different_numbers_of_tokens_are_refused() -> None:
    with pytest.raises(ConfigError, match="disagree"):
        distillation_loss(random_logits(1, tokens=2), random_logits(2, tokens=3))


def test_the_shifted_positions_are_one_before_the_published_ones() -> None:
    shifted, published = (compared_positions(LABELS, kind) for kind in Alignment)

    assert torch.equal(shifted[:, :-1], published[:, 1:])


@pytest.mark.parametrize("family", sorted(CONFIGS))
@pytest.mark.parametrize("alignment", list(Alignment))
def test_the_objective_is_the_sum_of_its_definitions(family: str, alignment: Alignment) -> None:
    reader = reader_of(family)
    weights = LossWeights(nll=0.5, kl=2.0, temperature=2.0, alignment=alignment)
    inputs = batch()
    student = reader(**{k: v for k, v in inputs.items() if k != "labels"}).logits
    teacher = reader(
        input_ids=TEACHER["teacher_input_ids"], attention_mask=TEACHER["teacher_attention_mask"]
    ).logits
    nll = torch.nn.functional.cross_entropy(student[:, :-1].flatten(0, 1), LABELS[:, 1:].flatten())
    kl = distillation_loss(
        student[compared_positions(LABELS, alignment)],
        teacher[compared_positions(TEACHER["teacher_labels"], alignment)],
        temperature=2.0,
    ).mean()

    loss = DistillObjective(reader, weights)(**inputs, **TEACHER)["loss"]

    assert loss.item() == pytest.approx((0.5 * nll + 2.0 * kl).item(), abs=1e-4)


def test_gradients_reach_the_projector_alone() -> None:
    objective = DistillObjective(reader_of("llama"), LossWeights())

    objective(**batch(), **TEACHER)["loss"].backward()

    named = objective.named_parameters()
    with_gradient = {name for name, p in named if p.grad is not None and bool(p.grad.any())}
    assert with_gradient
    assert all(name.startswith("reader.projector.") for name in with_gradient)


def test_the_teacher_reads_without_the_students_adapters() -> None:
    model = make_model("llama")
    reader = SoftTokenModel(model, Projector(IN_DIM, embedding_width(model)))
    objective = DistillObjective(reader, LossWeights(nll=0.0))
    without = objective(**batch(), **TEACHER)["loss"]
    add_adapters(model, LoraOptions(rank=2))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)

    teacher = {k.removeprefix("teacher_"): v for k, v in TEACHER.items()}
    ids, mask = teacher["input_ids"], teacher["attention_mask"]
    adapted = reader(input_ids=ids, attention_mask=mask).logits
    loss = objective(**batch(), **TEACHER)["loss"]

    from_adapted_teacher = distillation_loss(
        reader(**{k: v for k, v in batch().items() if k != "labels"}).logits[
            compared_positions(LABELS, Alignment.SHIFTED)
        ],
        adapted[compared_positions(teacher["labels"], Alignment.SHIFTED)],
    ).mean()
    assert loss.item() != pytest.approx(without.item(), abs=1e-4)
    assert loss.item() != pytest.approx(2 * from_adapted_teacher.item(), abs=1e-4)
    assert {name for name in reader.state_dict() if "lora" in name}
