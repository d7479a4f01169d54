"""What is known of the passages of calibration questions before any form is chosen.

Knows nothing of answers or of what is fitted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from xorag.data.questions import Question, is_dev
from xorag.evaluation.passages import (
    as_passage,
    find_gold,
    given_passages,
    gold_passages,
    passage_id,
)
from xorag.evaluation.question_sets import QuestionSet
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.candidates import Candidate, Seen
from xorag.pipeline.forms.first_token import FirstTokens
from xorag.pipeline.options import checked
from xorag.types import AUTO, Form, Hit

_BATCH = 64
"""Questions whose passages are found or encoded together."""


@dataclass(frozen=True, slots=True)
class SeenQuestion:
    """A question with its passages."""

    set_name: str
    question: Question
    seen: tuple[Seen, ...]
    is_gold: tuple[bool, ...]
    """Whether each passage supports the answer, by the data set's labels."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others."""
        return self.set_name, self.question.id


def kept_passages(sets: Sequence[QuestionSet], keep_out: frozenset[str]) -> frozenset[str]:
    """Ids of the passages that nothing may be fitted on: those that support dev rows, and others.

    Args:
        sets: With all their rows.
        keep_out: Ids of the others.
    """
    dev = (question for each in sets for question in each.questions if is_dev(question))
    return keep_out.union(*(_gold_ids(question) for question in dev))


def without_kept(sets: Sequence[QuestionSet], kept: frozenset[str]) -> tuple[QuestionSet, ...]:
    """The sets without questions that a kept passage supports."""
    return tuple(
        replace(each, questions=tuple(q for q in each.questions if kept.isdisjoint(_gold_ids(q))))
        for each in sets
    )


def see_gold(pipeline: Pipeline, sets: Sequence[QuestionSet], *, seed: int) -> list[SeenQuestion]:
    """Each question that came with a supporting passage, with one of these.

    The language model is asked for its first token from that passage's soft token.

    Raises:
        ProjectorMismatchError: If it reads no soft tokens.
        UsageError: If there is no encoder.
    """
    questions = [
        (each.name, question)
        for each in sets
        for question in each.questions
        if any(passage.is_supporting for passage in question.passages)
    ]
    return list(_given(pipeline, questions, k=1, seed=seed, is_read=True))


def see_several(
    pipeline: Pipeline,
    sets: Sequence[QuestionSet],
    *,
    k: int,
    seed: int,
    retrieved_without: frozenset[str] | None,
) -> list[SeenQuestion]:
    """Each question with several passages, of which some are known to support it or not to.

    Args:
        pipeline: Finds or encodes the passages.
        sets: Of the questions.
        k: The most passages of one.
        seed: Of the order of given ones.
        retrieved_without: Ids of passages that are passed over where more are found in the index;
            None: none are found, and those that came along must do.
    """
    named = [(each.name, question) for each in sets for question in each.questions]
    several = [
        (name, question)
        for name, question in named
        if len({passage.is_supporting for passage in question.passages} - {None}) > 1
    ]
    seen = list(_given(pipeline, several, k=k, seed=seed))
    if retrieved_without is not None:
        with_gold = [(name, question) for name, question in named if gold_passages(question)]
        seen += _retrieved(pipeline, with_gold, k=k, kept=retrieved_without)
    return seen


def showing(pipeline: Pipeline, seen: Seen) -> list[Candidate]:
    """The forms of a passage that show strings or sentences."""
    listed = pipeline.forms.candidates(pipeline.builder).of(seen)
    return [each for each in listed if each.reading.form in (Form.STRINGS, Form.SENTENCES)]


def _given(
    pipeline: Pipeline,
    questions: Sequence[tuple[str, Question]],
    *,
    k: int,
    seed: int,
    is_read: bool = False,
) -> Iterator[SeenQuestion]:
    """Questions with passages that came along; `is_read`: with what the model makes of these."""
    asking, lists = checked(form=AUTO, k=k), pipeline.forms.candidates(pipeline.builder)
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        given = [given_passages(question, k=k, seed=seed) for _, question in batch]
        asked = [question.question for _, question in batch]
        passages = [[as_passage(passage) for passage in row] for row in given]
        found = pipeline.retrieve(asked, passages, asking)
        if is_read:
            first = FirstTokens(pipeline.builder, pipeline.generator)
            found = first.noted(asked, found, pipeline.embedder)
        for (name, question), row, hits in zip(batch, given, found.hits, strict=True):
            labels = tuple(passage.is_supporting is True for passage in row)
            seen = tuple(lists.seen(question.question, hits))
            yield SeenQuestion(name, question, seen, labels)


def _retrieved(
    pipeline: Pipeline,
    questions: Sequence[tuple[str, Question]],
    *,
    k: int,
    kept: frozenset[str],
) -> Iterator[SeenQuestion]:
    asking, lists = checked(form=AUTO, k=k), pipeline.forms.candidates(pipeline.builder)
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        found = pipeline.retrieve([question.question for _, question in batch], None, asking)
        for (name, question), row in zip(batch, found.hits, strict=True):
            hits = [hit for hit in row if not _is_kept(hit, kept)]
            golds = gold_passages(question)
            labels = tuple(find_gold(hit.passage, golds) is not None for hit in hits)
            seen = tuple(lists.seen(question.question, hits))
            yield SeenQuestion(name, question, seen, labels)


def _is_kept(hit: Hit, kept: frozenset[str]) -> bool:
    passage = hit.passage
    own = {passage.id, passage.document_id, passage_id(passage.title, passage.text)}
    return not kept.isdisjoint(own)


def _gold_ids(question: Question) -> set[str]:
    return {passage_id(p.title, p.text) for p in question.passages if p.is_supporting}
