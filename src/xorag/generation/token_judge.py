"""A reader that judges passages by their soft tokens alone, many at a time.

A paragraph then holds a soft token, with the passage's title beside it, in place of the text. The
soft token is made by a projector of the reader's own, and adapters act while paragraphs are read.
Knows nothing of how passages are found, nor of what is done with those that are relevant.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import shorten

from xorag.compression.model import SoftTokenModel
from xorag.data.questions import Task
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import BATCH_TOKENS
from xorag.generation.judging import Judge
from xorag.generation.judging_prompts import Paragraph
from xorag.generation.layouts import Layout
from xorag.generation.prompting import Context
from xorag.types import Form, Hit

MOST_TITLE = 48
"""Characters of a title that are shown; few have more, and one long row makes all others long."""
_LEAST = 1e-6
QUESTIONS_AT_ONCE = 32
"""Whose keys and values are kept at a time."""


@dataclass(frozen=True, slots=True)
class SoftJudgements:
    """How relevant the passages of a question are found, and what that took."""

    relevances: tuple[float, ...]
    """Of each passage in order, 0 to 1."""
    scores: tuple[float, ...]
    """By which they are compared: the relevance, and how similar question and passage are."""
    prompt_tokens: int
    """Of the question and of all that was read after it."""
    passage_tokens: tuple[int, ...]
    """Of that, each passage's."""


class TokenJudge:
    """Judges how relevant passages are, reading one soft token of each."""

    def __init__(
        self,
        model: SoftTokenModel,
        encoder: PromptEncoder,
        layout: Layout,
        *,
        with_title: bool,
        similarity_weight: float = 0.0,
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        """Wrap a reader.

        Args:
            model: The reader, with the projector and adapters that were trained for judging.
            encoder: Of its tokenizer, which has the reflection tokens.
            layout: How questions are worded.
            with_title: Whether titles stand beside soft tokens, as they did in training.
            similarity_weight: What the encoder's similarity counts beside the log-odds of
                relevance, as training found it.
            batch_tokens: The most positions computed together.

        Raises:
            ReflectionError: If the tokenizer lacks reflection tokens.
        """
        self.similarity_weight = similarity_weight
        self._model = model
        self._judge = Judge(model, encoder, layout, batch_tokens=batch_tokens)
        self.with_title = with_title

    def judge(
        self, questions: Sequence[str], hits: Sequence[Sequence[Hit]], task: Task = "qa"
    ) -> list[SoftJudgements]:
        """Judge the passages of questions.

        Args:
            questions: In plain words.
            hits: The passages of each, with their embeddings, and their similarities to the
                question where these shall count.
            task: What the questions want.

        Returns:
            In the order of the questions.

        Raises:
            IndexMismatchError: If a passage came without its embedding.
            PromptTooLongError: If a question exceeds what the reader reads.
        """
        judged: dict[int, SoftJudgements] = {}
        for group in self._judge.groups(questions, task, QUESTIONS_AT_ONCE):
            asked = [questions[i] for i in group]
            judged |= zip(group, self._of_group(asked, [hits[i] for i in group], task), strict=True)
        return [judged[i] for i in range(len(questions))]

    def _of_group(
        self, questions: Sequence[str], hits: Sequence[Sequence[Hit]], task: Task
    ) -> list[SoftJudgements]:
        begun = self._judge.begin(questions, task=task, max_new_tokens=1)
        paragraphs = {
            i: [Paragraph((soft_fact(hit, with_title=self.with_title),)) for hit in row]
            for i, row in enumerate(hits)
        }
        # One new token, for the relevance stands in the first.
        with self._model.adapted(reads_soft_tokens=True):
            begun = self._judge.open_paragraphs(begun)
            paths = self._judge.read(begun, paragraphs, max_new_tokens=1)
        asked = [len(prompt.token_ids) for prompt in begun.beginnings.prompts]
        found: list[SoftJudgements] = []
        for i, row in enumerate(hits):
            relevances = [path.critique.relevance if path.critique else 0.0 for path in paths[i]]
            tokens = tuple(path.prompt_tokens for path in paths[i])
            scores = self._scores(relevances, row)
            found.append(SoftJudgements(tuple(relevances), scores, asked[i] + sum(tokens), tokens))
        return found

    def _scores(self, relevances: Sequence[float], hits: Sequence[Hit]) -> tuple[float, ...]:
        """Log-odds of relevance and weighted similarity; that of all passages is known, or none."""
        odds = [log_odds(relevance) for relevance in relevances]
        similarities = [hit.similarity for hit in hits]
        known = [value for value in similarities if value is not None]
        if len(known) < len(hits):
            return tuple(odds)
        weight = self.similarity_weight
        return tuple(one + weight * value for one, value in zip(odds, known, strict=True))


def log_odds(probability: float) -> float:
    """The logarithm of how much likelier it is than not; finite for 0 and 1."""
    kept = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))


def soft_fact(hit: Hit, *, with_title: bool) -> Context:
    """A passage as it stands in a paragraph that is judged: its title, if wanted, and soft token.

    Args:
        hit: With its embedding.
        with_title: Whether the title is shown.
    """
    # A passage that is too long for one embedding has those of its pieces.
    embeddings = hit.pieces if hit.embedding is None else None
    if not with_title:
        return Context(hit, Form.TOKEN, embeddings)
    title = shorten(hit.passage.title, MOST_TITLE, placeholder="…")
    return Context(
        replace(hit, passage=replace(hit.passage, title=title)), Form.STRINGS, embeddings
    )
