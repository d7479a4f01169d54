"""The flow from questions to answers: retrieve, put into the prompt, generate, say what it cost.

Each step is a part of its own that can be swapped: a retriever, an embedder, a choice of readings,
a prompt builder, a generator. What they take and return is in `xorag.types`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Unpack

import torch

from xorag.errors import IndexNotFoundError, ProjectorMismatchError, UsageError
from xorag.generation.generator import Generator
from xorag.generation.prompting import PromptBuilder
from xorag.pipeline.answers import Asked, answer_of, with_generation
from xorag.pipeline.opening import PartNames, Parts, open_parts
from xorag.pipeline.options import Asking, AskOptions, checked
from xorag.pipeline.reading import given_hits, put_in_form
from xorag.retrieval.timed import TimedEmbedder, TimedHits, TimedRetriever
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.sources import default_index_path
from xorag.types import (
    Answer,
    ChooseReadings,
    Form,
    Generation,
    Hit,
    Mode,
    Passage,
    Reading,
    Seconds,
)

OnAnswer = Callable[[int, Answer], object]
"""Gets each answer with the place of its question, as soon as its batch is done."""


class Pipeline:
    """Answers questions from passages, and says what each answer rests on and cost."""

    def __init__(
        self,
        builder: PromptBuilder,
        generator: Generator,
        retriever: TimedRetriever | None = None,
        *,
        embedder: TimedEmbedder | None = None,
        choose_readings: ChooseReadings | None = None,
        has_projector: bool = True,
        trained_tokens: int | None = None,
    ) -> None:
        """Put a pipeline together from its parts; `Pipeline.open` does it for parts by name.

        Args:
            builder: Words prompts.
            generator: Answers them.
            retriever: Finds passages; without one, passages must be given.
            embedder: Encodes what the retriever's hits hold no embeddings of.
            choose_readings: Decides how each passage is read where a call does not say it; unset,
                the mode does.
            has_projector: Whether the generator reads soft tokens.
            trained_tokens: Most soft tokens a passage that the projector was trained for, if that
                is known; with more it may answer worse.
        """
        self.builder = builder
        self.generator = generator
        self.retriever = retriever
        self.embedder = embedder
        self.trained_tokens = trained_tokens
        self._choose_readings = choose_readings
        self._has_projector = has_projector

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        *,
        model: str | None = None,
        encoder: str | None = None,
        projector: str | Path | None = None,
        layout: str | None = None,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
    ) -> "Pipeline":
        """Open an index, the models that belong to it, and the projector between them.

        Args:
            index: A directory made by `xorag index`; unset, the demo's, if it was made.
            model: A causal language model: folder, known name or hub name.
            encoder: Of queries and pieces; unset, the index's own, or without an index the one
                that the projector was made for.
            projector: A directory; unset, one that comes with xorag and fits.
            layout: Of the prompts; unset, the projector's own or the model's chat template.
            device: Such as `cpu` or `cuda`; unset, the best here.
            dtype: Such as `bfloat16`; unset, the fastest here.

        Raises:
            IndexMismatchError: If the index was made with another encoder (at the first search).
            IndexNotFoundError: If an index was named and is not there.
            ModelNotFoundError: If a model was not found.
            ProjectorMismatchError: If the projector fits not this model or index.
        """
        place = device if isinstance(device, torch.device) else pick_device(device)
        kind = dtype if isinstance(dtype, torch.dtype) else pick_dtype(place, dtype)
        names = PartNames(index, model, encoder, projector, layout)
        return cls.of(open_parts(names, place, kind))

    @classmethod
    def of(cls, parts: Parts) -> "Pipeline":
        """Put together the parts that `xorag.pipeline.opening.open_parts` opened."""
        return cls(
            parts.builder,
            parts.generator,
            parts.retriever,
            embedder=parts.embedder,
            has_projector=parts.projector is not None,
            trained_tokens=parts.trained_tokens,
        )

    def ask(
        self,
        question: str,
        *,
        passages: Sequence[Passage] | None = None,
        on_text: Callable[[str], None] | None = None,
        **options: Unpack[AskOptions],
    ) -> Answer:
        """Answer one question.

        Args:
            question: In plain words; nothing in it becomes a control token.
            passages: Read these, all and in this order, instead of looking for some; no index is
                needed then. Mode `closed` does not read them.
            on_text: Gets the answer's text piece by piece as it is written.
            **options: `mode`, `k`, `max_new_tokens`, `form`, `tokens_per_passage`, `task`, as
                `AskOptions` explains.

        Raises:
            IndexNotFoundError: If passages are to be found and there is no index.
            ProjectorMismatchError: If soft tokens are to be read and there is no projector.
            PromptTooLongError: If the prompt exceeds what the language model reads.
            UsageError: If the question is empty, an option unknown or out of range, or no encoder
                is known to read given passages with.
        """
        given = None if passages is None else [passages]
        (answer,) = self._answer([question], given, checked(**options), on_text, None)
        return answer

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        passages: Sequence[Sequence[Passage]] | None = None,
        on_answer: OnAnswer | None = None,
        **options: Unpack[AskOptions],
    ) -> list[Answer]:
        """Answer questions in batches of like length; raises as `ask` does.

        The seconds of an answer are its share: of the time to find and read the passages of all
        questions, and of the time to generate its batch.

        Args:
            questions: In plain words.
            passages: Of each question, read as those of `ask`.
            on_answer: Gets each answer with the place of its question, as soon as its batch is
                done; shorter prompts come first.
            **options: `mode`, `k`, `max_new_tokens`, `form`, `tokens_per_passage`, `task`, as
                `AskOptions` explains.

        Returns:
            The answers in the order of the questions.
        """
        return self._answer(questions, passages, checked(**options), None, on_answer)

    def prepare(self, mode: Mode | str) -> None:
        """Open what a mode needs, so that the first question does not wait for it; raises as `ask`.

        Without it, the index's encoder is opened at the first question that needs it.
        """
        asking = checked(mode=mode)
        if asking.reading is not None:
            self._require_projector(asking)
            self._needed_retriever().open()

    def _answer(
        self,
        questions: Sequence[str],
        passages: Sequence[Sequence[Passage]] | None,
        asking: Asking,
        on_text: Callable[[str], None] | None,
        on_answer: OnAnswer | None,
    ) -> list[Answer]:
        found = self._retrieve(questions, passages, asking)
        asked, before = self._word(questions, found, asking)
        answers: dict[int, Answer] = {}
        start = time.perf_counter()

        def finish(batch: Mapping[int, Generation]) -> None:
            nonlocal start
            seconds = with_generation(before, (time.perf_counter() - start) / len(batch))
            for i, generation in batch.items():
                answers[i] = answer_of(asked[i], generation, seconds, self.builder)
                if on_answer is not None:
                    on_answer(i, answers[i])
            start = time.perf_counter()

        self.generator.generate(
            [item.prompt for item in asked],
            max_new_tokens=asking.max_new_tokens,
            stop=self.builder.layout.stop,
            on_text=on_text,
            on_batch=finish,
        )
        return [answers[i] for i in range(len(questions))]

    def _retrieve(
        self,
        questions: Sequence[str],
        passages: Sequence[Sequence[Passage]] | None,
        asking: Asking,
    ) -> TimedHits:
        """Find what the questions shall be answered from, or take what was given."""
        if empty := [question for question in questions if not question.strip()]:
            raise UsageError(f"the question is empty, got {empty[0]!r}; ask something")
        if passages is not None and len(passages) != len(questions):
            raise UsageError(
                f"passages were given for {len(passages)} questions, but {len(questions)} are "
                "asked; give a list of passages for each question"
            )
        if asking.reading is None:
            return TimedHits([[] for _ in questions])
        self._require_projector(asking)
        if passages is not None:
            return TimedHits([given_hits(row) for row in passages])
        return self._needed_retriever().find(questions, k=asking.k, pieces=asking.reading.tokens)

    def _word(
        self, questions: Sequence[str], found: TimedHits, asking: Asking
    ) -> tuple[list[Asked], Seconds]:
        """Put each question and its passages into a prompt; the seconds are one's share."""
        contexts = put_in_form(
            found.hits,
            [self._readings(hits, asking) for hits in found.hits],
            self.embedder,
            stored_pieces=asking.reading.tokens if asking.reading else 1,
        )
        start = time.perf_counter()
        asked = [
            Asked(
                question, asking.mode, context, self.builder.build(question, context, asking.task)
            )
            for question, context in zip(questions, contexts.of_questions, strict=True)
        ]
        share = 1 / max(1, len(questions))
        encode = (found.encode_seconds + contexts.encode_seconds) * share
        search = found.search_seconds * share
        words = (time.perf_counter() - start) * share
        return asked, Seconds(encode, search, generate=0.0, total=encode + search + words)

    def _readings(self, hits: Sequence[Hit], asking: Asking) -> list[Reading]:
        """How each passage of a question is read."""
        if asking.reading is None or not hits:
            return []
        if self._choose_readings is None or asking.is_reading_named:
            return [asking.reading] * len(hits)
        return self._choose_readings(asking.mode, hits)

    def _needed_retriever(self) -> TimedRetriever:
        if self.retriever is None:
            raise IndexNotFoundError(
                f"there is no index at {str(default_index_path())!r}, the demo's place; name one "
                "with --index, make the demo's with `make demo`, or use mode 'closed'"
            )
        return self.retriever

    def _require_projector(self, asking: Asking) -> None:
        """Refuse soft tokens where nothing reads them."""
        if asking.reading and asking.reading.form is Form.TOKEN and not self._has_projector:
            raise ProjectorMismatchError(
                "no projector fits this language model and index; name one with --projector, "
                "train one with `xorag train projector`, or use mode 'text'"
            )
