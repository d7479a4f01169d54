"""Read and judge: does a question need passages, and how good is the answer read from each?

The loop of Open-RAG (arXiv 2410.01782), in another order of work than the published program: a
question is read once; the gate reads the probabilities of the token after it; each passage is read
after the question's stored keys and values; and the passages of all questions that are asked
together are read, and answered from, together. The numbers are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from transformers import PreTrainedModel

from xorag.compression.model import SoftTokenModel
from xorag.data.questions import Task
from xorag.errors import PromptTooLongError, UsageError
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import BATCH_TOKENS, end_ids_of
from xorag.generation.judging_notes import Written
from xorag.generation.judging_prompts import JudgingPrompts, Paragraph, Worded
from xorag.generation.judging_protocol import Rows
from xorag.generation.judging_rows import RowModel
from xorag.generation.judging_sharing import Beginnings, Row
from xorag.generation.layouts import Layout
from xorag.generation.prompting import word_means
from xorag.generation.protocol import IsWanted
from xorag.reflection.gates import Gate, decide_by_answer, decide_by_token
from xorag.reflection.reading import read_path
from xorag.reflection.scoring import Weights, critique
from xorag.reflection.stripping import answer_places
from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.types import (
    Critique,
    GateDecision,
    Generation,
    Passage,
    ReflectionToken,
)


@dataclass(frozen=True, slots=True)
class Path:
    """What was written after one paragraph, or after none."""

    generation: Generation
    """The answer alone, without reflection tokens."""
    token_ids: tuple[int, ...]
    """All that was written, without the end mark."""
    prompt_tokens: int
    """Read for it after the question."""
    critique: Critique | None = None
    """None of an answer without passages."""
    cut: tuple[Passage, ...] = ()
    """Passages of which only the beginning was read."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Questions that were read."""

    questions: tuple[str, ...]
    task: Task
    beginnings: Beginnings


@dataclass(frozen=True, slots=True)
class Decided:
    """Whether a question needs passages, and its answer without any, where that decided."""

    gate: GateDecision
    closed: Path | None = None


class Judge:
    """A reader: a language model that writes reflection tokens."""

    def __init__(
        self,
        model: SoftTokenModel | PreTrainedModel,
        encoder: PromptEncoder,
        layout: Layout,
        *,
        batch_tokens: int = BATCH_TOKENS,
        rows: Rows | None = None,
    ) -> None:
        """Wrap a model.

        Args:
            model: With its experts in place; with a projector, it reads soft tokens too.
            encoder: Of its tokenizer, which has the reflection tokens.
            layout: How questions are worded.
            batch_tokens: The most positions that are read in one pass, padding included.
            rows: What computes the model; unset, this process. Else its embeddings are enough.

        Raises:
            ReflectionError: If the tokenizer lacks reflection tokens.
        """
        plain = model.language_model if isinstance(model, SoftTokenModel) else model
        self.language_model = plain
        self.encoder = encoder
        self.layout = layout
        self.vocabulary = ReflectionVocabulary.of(encoder.tokenizer)
        words = word_means(model, encoder) if isinstance(model, SoftTokenModel) else None
        self.prompts = JudgingPrompts(encoder, layout, words)
        self._batch_tokens = batch_tokens
        self._rows: Rows = rows or RowModel(
            model,
            end_ids=end_ids_of(plain, encoder),
            watched_ids=self.vocabulary.ordered_ids,
            batch_tokens=batch_tokens,
        )

    def groups(self, questions: Sequence[str], task: Task, size: int) -> list[list[int]]:
        """Places of the questions in groups of like length to begin together.

        Args:
            questions: In plain words.
            task: What they want.
            size: The most questions of a group; fewer of them where they are long.
        """
        lengths = [len(self.prompts.question(text, task).token_ids) for text in questions]
        groups: list[list[int]] = []
        for i in sorted(range(len(questions)), key=lambda i: lengths[i]):
            fits = groups and lengths[i] * (len(groups[-1]) + 1) <= self._batch_tokens
            if fits and len(groups[-1]) < size:
                groups[-1].append(i)
            else:
                groups.append([i])
        return groups

    def begin(
        self,
        questions: Sequence[str],
        *,
        task: Task = "qa",
        max_new_tokens: int,
        is_wanted: IsWanted = lambda _: True,
    ) -> Begun:
        """Read questions together; best some of like length.

        Args:
            questions: In plain words.
            task: What they want.
            max_new_tokens: Where each path will be cut.
            is_wanted: Asked with a question's place while its paths are written; once it says no,
                these end where they are.

        Raises:
            ControlTokenError: If a question cannot be encoded without a control token.
            PromptTooLongError: If a question and its answer exceed what the model reads.
            UsageError: If fewer than one new token is asked for.
        """
        if max_new_tokens < 1:
            raise UsageError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
        prompts = [self.prompts.question(question, task) for question in questions]
        room = self._room(max_new_tokens)
        longest = max(len(prompt.token_ids) for prompt in prompts)
        if room is not None and longest >= room:
            raise PromptTooLongError(
                f"a question takes {longest} tokens and {max_new_tokens} new ones are asked for, "
                f"but the language model reads {self._rows.limit}; shorten it, or ask for fewer"
            )
        return Begun(tuple(questions), task, self._rows.begin(prompts, is_wanted))

    def open_paragraphs(self, begun: Begun) -> Begun:
        """The same questions, with what opens a paragraph read once a question.

        For many short paragraphs, of whose tokens it is a fifth. The gate has no use for it.
        """
        ids = [
            self.vocabulary.ids[t] for t in (ReflectionToken.RETRIEVAL, ReflectionToken.PARAGRAPH)
        ]
        return replace(begun, beginnings=self._rows.read_on(begun.beginnings, ids))

    def decide(self, begun: Begun, gate: Gate, *, max_new_tokens: int) -> list[Decided]:
        """Whether each question needs passages.

        Only the gates minp and meanp write for that; the gate token reads what is known already.
        """
        everything = range(len(begun.questions))
        if gate.reads_answer:
            paths = self.answer_closed(begun, everything, max_new_tokens=max_new_tokens)
            return [
                Decided(decide_by_answer(gate, path.generation.logprobs), path) for path in paths
            ]
        first = [
            dict(zip(ReflectionToken, begun.beginnings.watched[i], strict=True)) for i in everything
        ]
        return [Decided(decide_by_token(gate, logprobs)) for logprobs in first]

    def answer_closed(
        self, begun: Begun, places: Sequence[int], *, max_new_tokens: int
    ) -> list[Path]:
        """Answer some of the questions without passages, after `[No Retrieval]`."""
        prompts = [self.prompts.closed(begun.questions[i], begun.task) for i in places]
        rows = [Row(i, prompt) for i, prompt in zip(places, prompts, strict=True)]
        written = self._rows.write(begun.beginnings, rows, max_new_tokens=max_new_tokens)
        return [
            self._path(begun, row, Worded(row.prompt), said)
            for row, said in zip(rows, written, strict=True)
        ]

    def read(
        self,
        begun: Begun,
        paragraphs: Mapping[int, Sequence[Paragraph]],
        *,
        max_new_tokens: int,
        weights: Weights | None = None,
        as_relevant: bool = False,
    ) -> dict[int, list[Path]]:
        """Answer from each paragraph by itself, and judge.

        Args:
            begun: The questions.
            paragraphs: Of some of the questions, by their place.
            max_new_tokens: Where a path is cut. One is enough for the relevance.
            weights: Of the judgements; unset, the published ones.
            as_relevant: Go on after `[Relevant]`, whatever the reader would write there. How
                relevant it finds the paragraph still counts in the score.

        Returns:
            The paths of those questions, in the order of their paragraphs.

        Raises:
            PromptTooLongError: If a question leaves no room for a passage.
        """
        places = [i for i, of_question in paragraphs.items() for _ in of_question]
        worded = [
            self.prompts.read(
                begun.questions[i], paragraph, begun.task, max_tokens=self._room(max_new_tokens)
            )
            for i, of_question in paragraphs.items()
            for paragraph in of_question
        ]
        rows = [Row(i, item.prompt) for i, item in zip(places, worded, strict=True)]
        written = self._rows.write(
            begun.beginnings,
            rows,
            max_new_tokens=max_new_tokens,
            first_id=self.vocabulary.ids[ReflectionToken.RELEVANT] if as_relevant else None,
        )
        paths: dict[int, list[Path]] = {i: [] for i in paragraphs}
        for row, item, said in zip(rows, worded, written, strict=True):
            judged = self._critique(said, weights)
            paths[row.beginning].append(self._path(begun, row, item, said, judged))
        return paths

    def _critique(self, written: Written, weights: Weights | None) -> Critique:
        read = read_path(
            written.token_ids, written.logprobs, np.array(written.watched), self.vocabulary
        )
        return critique(read, weights)

    def _path(
        self,
        begun: Begun,
        row: Row,
        worded: Worded,
        written: Written,
        judged: Critique | None = None,
    ) -> Path:
        kept = answer_places(written.token_ids, self.vocabulary)
        ids = tuple(written.token_ids[at] for at in kept)
        text = self.encoder.decode(ids).strip()
        answer = Generation(text, ids, tuple(written.logprobs[at] for at in kept))
        before = len(begun.beginnings.prompts[row.beginning].token_ids)
        prompt_tokens = len(row.prompt.token_ids) - before
        return Path(answer, written.token_ids, prompt_tokens, judged, worded.cut)

    def _room(self, max_new_tokens: int) -> int | None:
        """Tokens that a prompt may have."""
        limit = self._rows.limit
        return None if limit is None else limit - max_new_tokens
