"""How held-out judgements are scored."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.reflection.fake_vocabulary import VOCABULARY, WORD
from xorag.generation.examples import NOT_SCORED, Example
from xorag.training.plan import fixed_plan
from xorag.training.reader_examples import ReaderCollator, ReaderExamples
from xorag.training.reader_scores import (
    GroupScore,
    area_under_curve,
    mean_loss,
    score_reader,
)
from xorag.types import ReflectionToken

RELEVANT = VOCABULARY.ids[ReflectionToken.RELEVANT]
IRRELEVANT = VOCABULARY.ids[ReflectionToken.IRRELEVANT]
FULLY = VOCABULARY.ids[ReflectionToken.FULLY]
NO_SUPPORT = VOCABULARY.ids[ReflectionToken.NO_SUPPORT]
VOCAB = 130


class FixedReader(nn.Module):
    """Always as sure: how much more likely is the given token than all others, by what comes."""

    def __init__(self, bonus: dict[int, float]) -> None:
        super().__init__()
        self.language_model = SimpleNamespace(device=torch.device("cpu"))
        self._bonus = bonus

    def read(self, _ids: Tensor, _mask: Tensor, labels: Tensor) -> Tensor:
        targets = labels[:, 1:][labels[:, 1:] != NOT_SCORED]
        logits = torch.zeros(len(targets) + 3, VOCAB)  # further rows mean nothing
        for place, target in enumerate(targets.tolist()):
            for token, bonus in self._bonus.items():
                logits[place, token] = bonus
            logits[place, target] += 1.0
        return logits


def score(bonus: dict[int, float], *written: list[int]) -> dict[str, GroupScore]:
    reader: Any = FixedReader(bonus)
    examples = [Example((1, 2, *ids), (NOT_SCORED, NOT_SCORED, *ids), ()) for ids in written]
    return score_reader(
        reader,
        ReaderExamples(examples, fixed_plan(len(examples))),
        VOCABULARY,
        collate=ReaderCollator(0),
        batch_size=2,
    )


def test_judgements_are_scored_inside_their_group() -> None:
    found = score({WORD: 50.0}, [RELEVANT, FULLY], [IRRELEVANT, NO_SUPPORT], [RELEVANT])

    assert (found["relevance"].tokens, found["support"].tokens) == (3, 2)
    assert found["relevance"].accuracy == found["relevance"].auc == 1.0
    assert found["relevance"].loss > 10  # among all tokens, the word is far more likely


def test_a_reader_that_calls_all_relevant_is_right_where_that_is_so() -> None:
    found = score({RELEVANT: 5.0}, [RELEVANT], [IRRELEVANT], [RELEVANT], [IRRELEVANT])

    assert found["relevance"].accuracy == 0.5
    assert found["relevance"].auc == 1.0  # it is less sure where it is wrong


def test_all_other_tokens_are_text_and_kinds_without_places_are_left_out() -> None:
    found = score({}, [WORD, 8, RELEVANT])

    assert list(found) == ["relevance", "text"]
    assert found["text"].tokens == 2
    assert (found["text"].auc, found["relevance"].auc) == (None, None)


def test_the_loss_of_all_tokens_weighs_each_token_alike() -> None:
    scores = [GroupScore(3, 1.0, 0.0, None), GroupScore(1, 5.0, 0.0, None)]

    assert mean_loss(scores) == pytest.approx(2.0)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12))
def test_the_area_is_the_share_of_pairs_in_the_right_order(places: list[tuple[int, bool]]) -> None:
    positive = [score for score, is_positive in places if is_positive]
    negative = [score for score, is_positive in places if not is_positive]
    pairs = [(a > b) + 0.5 * (a == b) for a in positive for b in negative]

    found = area_under_curve(
        np.array([float(score) for score, _ in places]),
        np.array([is_positive for _, is_positive in places], dtype=bool),
    )

    assert found == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
