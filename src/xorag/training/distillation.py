"""Self-distillation: what the student, who reads soft tokens, learns from the teacher's logits."""

from enum import StrEnum

import torch
from torch import Tensor, nn

from xorag.errors import ConfigError
from xorag.generation.examples import NOT_SCORED


class Alignment(StrEnum):
    """At which positions the two distributions are compared."""

    SHIFTED = "shifted"
    """Where each answer token is predicted, one before it stands, as the next-token loss does."""
    PUBLISHED = "published"
    """Where each answer token stands, as the published xRAG program does."""


def compared_positions(labels: Tensor, alignment: Alignment) -> Tensor:
    """True where the student's and the teacher's logits are compared, `(batch, length)`.

    Args:
        labels: Ids of the answer, `NOT_SCORED` elsewhere, `(batch, length)`.
        alignment: Of the comparison.
    """
    is_answer = labels != NOT_SCORED
    if alignment is Alignment.PUBLISHED:
        return is_answer
    is_predicting = torch.zeros_like(is_answer)
    is_predicting[:, :-1] = is_answer[:, 1:]
    return is_predicting


def distillation_loss(
    student: Tensor, teacher: Tensor, *, temperature: float = 1.0, top_k: int | None = None
) -> Tensor:
    """KL(teacher || student) of each token, `(tokens,)` (arXiv 2405.13792, section 3.3).

    Scaled by the squared temperature, so that its gradient keeps its size as the temperature
    rises (Hinton et al., 2015, section 2). With `top_k`, both distributions are those over the
    teacher's most probable tokens alone.

    Args:
        student: Logits, `(tokens, vocab)`.
        teacher: Logits, `(tokens, vocab)`.
        temperature: By which logits are divided, above 0.
        top_k: Tokens of the teacher that count; unset, all.

    Raises:
        ConfigError: If the two do not score equally many tokens.
    """
    if student.shape != teacher.shape:
        raise ConfigError(
            f"the student scores {tuple(student.shape)} logits and the teacher "
            f"{tuple(teacher.shape)}; drop examples whose two versions disagree"
        )
    if top_k is not None and top_k < teacher.shape[-1]:
        teacher, best = teacher.topk(top_k, dim=-1)
        student = student.gather(-1, best)
    log_p = torch.log_softmax(teacher.float() / temperature, dim=-1)
    log_q = torch.log_softmax(student.float() / temperature, dim=-1)
    kl = nn.functional.kl_div(log_q, log_p, reduction="none", log_target=True)
    return kl.sum(dim=-1) * temperature**2
