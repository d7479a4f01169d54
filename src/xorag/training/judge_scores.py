"""How well soft tokens are judged on questions that training never saw, and beside similarity.

What the encoder's similarity of question and passage should count beside the judgement is found
here, too: by the ranking loss of training, on questions that are held out.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch.utils.data import DataLoader

from xorag.training.judge_examples import JudgeExamples, collate_judged
from xorag.training.judge_objective import losses
from xorag.training.judge_parts import JudgeParts
from xorag.training.reader_scores import area_under_curve

FloatArray = NDArray[np.float64]
MOST_WEIGHT = 100.0
"""Of the similarity, which then decides nearly alone."""


@dataclass(frozen=True, slots=True)
class SoftScores:
    """Scores of the passages of held-out questions, `(passages,)` each."""

    margins: FloatArray
    """Log-odds of relevance, by one soft token."""
    similarities: FloatArray
    """Of question and passage, by the encoder, -1 to 1."""
    is_supporting: NDArray[np.bool_]
    question_of: NDArray[np.int64]

    def together(self, weight: float) -> FloatArray:
        """Both, the similarity with a weight."""
        return self.margins + weight * self.similarities

    def auc(self, scores: FloatArray) -> float:
        """How often a supporting passage scores above another one, of whichever question."""
        area = area_under_curve(scores, self.is_supporting)
        return float("nan") if area is None else area

    def auc_within(self, scores: FloatArray) -> float:
        """The same inside each question, as a mean over those that have both kinds."""
        areas = [
            area_under_curve(scores[mine], self.is_supporting[mine])
            for mine in (self.question_of == number for number in np.unique(self.question_of))
        ]
        return float(np.mean([area for area in areas if area is not None]))


@torch.inference_mode()
def score_soft_tokens(parts: JudgeParts, examples: JudgeExamples, *, batch_size: int) -> SoftScores:
    """Judge the passages of questions, and compare these with their question by the encoder.

    Args:
        parts: Of a run, as trained so far.
        examples: Questions, in their order.
        batch_size: Questions at a time.
    """
    objective = parts.objective
    was_training = objective.training
    objective.train(mode=False)
    device, in_dim = parts.reader.language.model.device, parts.projector.shape.in_dim
    margins, similarities, labels, numbers = [], [], [], []
    first = 0
    for batch in DataLoader(examples, batch_size, collate_fn=collate_judged):
        moved = {name: tensor.to(device) for name, tensor in batch.items()}
        flags, of = moved.pop("labels"), batch["question_of"].numpy()
        count = len(batch["question_ids"])
        asked = np.stack(
            parts.embed.of_questions([examples.question(first + at) for at in range(count)])
        )
        margins.append(objective.margins(**moved).cpu().double().numpy())
        passages = batch["passage_embeddings"][:, :in_dim].double().numpy()
        similarities.append((passages * asked[of]).sum(axis=1))
        labels.append((flags > 0).cpu().numpy())
        numbers.append(of.astype(np.int64) + first)
        first += count
    objective.train(mode=was_training)
    return SoftScores(*(np.concatenate(rows) for rows in (margins, similarities, labels, numbers)))


def fit_similarity_weight(scores: SoftScores) -> float:
    """What the similarity should count beside the log-odds, 0 to 100.

    By the second loss of training, of log-odds plus weighted similarity times a factor of their
    own, which is fitted beside and changes no order.
    """
    columns = torch.from_numpy(np.stack([scores.margins, scores.similarities]))
    labels = torch.from_numpy(scores.is_supporting.astype(np.float64))
    question_of = torch.from_numpy(scores.question_of)

    def ranking_loss(fitted: FloatArray) -> float:
        weight, factor = fitted
        together = torch.tensor([1.0, weight], dtype=torch.float64) @ columns
        return float(losses(np.exp(factor) * together, labels, question_of)[1])

    bounds = [(0.0, MOST_WEIGHT), (-5.0, 5.0)]
    found = minimize(ranking_loss, np.array([1.0, 0.0]), method="Nelder-Mead", bounds=bounds)
    return float(found.x[0])
