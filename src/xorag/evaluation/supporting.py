"""Which supporting passages an answer read, and which sentences it can be said to rest on.

Knows nothing of models, and nothing of how passages were chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.data.questions import Question, SupportingFact
from xorag.data.sentences import split_sentences
from xorag.evaluation.normalisation import squad_text
from xorag.evaluation.passages import find_gold, gold_passages
from xorag.types import Passage


@dataclass(frozen=True, slots=True)
class PassageScores:
    """Shares of passages, from 0 to 1."""

    recall: float
    """Of the supporting passages, those that were read."""
    precision: float
    """Of the passages that were read, those that support."""
    is_complete: float
    """1 where all supporting passages were read."""


def passage_scores(question: Question, read: Sequence[Passage]) -> PassageScores | None:
    """How well the passages that were read cover those that support the answer.

    None where nothing was read or no supporting passage is known. A passage that was read counts
    as a supporting one as in `find_gold`.
    """
    golds = gold_passages(question)
    if not golds or not read:
        return None
    found = [find_gold(passage, golds) for passage in read]
    recall = len({gold.id for gold in found if gold}) / len({gold.id for gold in golds})
    precision = sum(gold is not None for gold in found) / len(read)
    return PassageScores(recall, precision, is_complete=float(recall == 1))


def named_facts(question: str, answer: str, read: Sequence[Passage]) -> frozenset[SupportingFact]:
    """One sentence of each passage: the one that shares most words with question and answer.

    A rule of ours, since readers here name passages and not sentences; of equal sentences the
    first counts. Sentences are cut by `split_sentences`, which may cut elsewhere than HotpotQA.
    """
    wanted = set(squad_text(f"{question} {answer}").split())
    facts = set()
    for passage in read:
        shared = [
            len(wanted & set(squad_text(sentence).split()))
            for sentence in split_sentences(passage.text)
        ]
        if shared:
            facts.add(SupportingFact(passage.title, shared.index(max(shared))))
    return frozenset(facts)
