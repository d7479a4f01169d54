"""The flow from questions to answers: retrieve, put into the prompt, generate, say what it cost.

Each step is a part of its own that can be swapped: a retriever, an embedder, a choice of readings,
a prompt builder, a generator. What they take and return is in `xorag.types`.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Unpack

import torch

from xorag.generation.prompting import PromptBuilder
from xorag.generation.protocol import Generator, IsWanted, OnText
from xorag.pipeline.answers import Asked, evidence_of
from xorag.pipeline.cascade import Cascade, skimming
from xorag.pipeline.forms.choosing import Forms, wanted_pieces
from xorag.pipeline.hops import in_hops
from xorag.pipeline.needs import (
    needed_cascade,
    needed_reader,
    needed_retriever,
    require_asked,
    require_projector,
)
from xorag.pipeline.opening import PartNames, PartOptions, Parts, open_parts
from xorag.pipeline.openrag import Found, OpenRag
from xorag.pipeline.options import Asking, AskOptions, checked
from xorag.pipeline.reading import Contexts, chosen_readings, given_hits, put_in_form
from xorag.pipeline.selecting import ScoresHits, reranked
from xorag.pipeline.verified_answers import judged, written
from xorag.pipeline.watching import OnAnswer, Onlooker, OnPassages
from xorag.pipeline.writing import Writer
from xorag.retrieval.timed import TimedEmbedder, TimedHits, TimedRetriever
from xorag.runtime.device import pick_device, pick_dtype
from xorag.types import Answer, ChooseReadings, GateKind, Mode, Passage, Seconds
from xorag.types.readings import JUDGED_MODES


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
        self.openrag: OpenRag | None = None
        """The reader of mode openrag, where there is one."""
        self.cascade: Cascade | None = None
        """Judges soft tokens in mode cascade, where the reader has learnt it."""
        self.reranker: ScoresHits | None = None
        self._choose_readings = choose_readings
        self.forms = Forms.of(builder, generator, trained_tokens)
        """Chooses what is shown of passages."""
        self._has_projector = has_projector

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        *,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
        **parts: Unpack[PartOptions],
    ) -> "Pipeline":
        """Open an index, the models that belong to it, and the projector between them.

        Args:
            index: A directory made by `xorag index`; unset, the demo's, if it was made.
            device: Such as `cpu` or `cuda`; unset, the best here.
            dtype: Such as `bfloat16`; unset, the fastest here.
            **parts: `model`, `encoder`, `projector`, `layout`, `reader`, `calibration`, as
                `PartOptions` explains.

        Raises:
            CalibrationMismatchError: If the calibration was made for another reader.
            IndexMismatchError: If the index was made with another encoder (at the first search).
            IndexNotFoundError: If an index was named and is not there.
            ModelNotFoundError: If a model was not found.
            ProjectorMismatchError: If the projector fits not this model or index.
            ReaderMismatchError: If the reader fits not this model.
        """
        place = device if isinstance(device, torch.device) else pick_device(device)
        kind = dtype if isinstance(dtype, torch.dtype) else pick_dtype(place, dtype)
        return cls.of(open_parts(PartNames(index, **parts), place, kind))

    @classmethod
    def of(cls, parts: Parts) -> "Pipeline":
        """Put together the parts that `xorag.pipeline.opening.open_parts` opened."""
        pipeline = cls(
            parts.builder,
            parts.generator,
            parts.retriever,
            embedder=parts.embedder,
            has_projector=parts.projector is not None,
            trained_tokens=parts.trained_tokens,
        )
        pipeline.openrag, pipeline.reranker = parts.openrag, parts.reranker
        pipeline.cascade = parts.cascade
        if parts.forms is not None:
            pipeline.forms.gains = parts.forms.gains
        return pipeline

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
                `AskOptions` explains, and those of mode openrag, as `JudgingOptions` does.

        Raises:
            IndexNotFoundError: If passages are to be found and there is no index.
            ProjectorMismatchError: If soft tokens are to be read and there is no projector.
            PromptTooLongError: If the prompt exceeds what the language model reads.
            UsageError: If the question is empty, an option unknown or out of range, or no encoder
                is known to read given passages with.
        """
        given = None if passages is None else [passages]
        tell = None if on_text is None else lambda _, piece: on_text(piece)
        (answer,) = self.ask_many([question], passages=given, on_text=tell, **options)
        return answer

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        passages: Sequence[Sequence[Passage]] | None = None,
        on_answer: OnAnswer | None = None,
        on_passages: OnPassages | None = None,
        on_text: OnText | None = None,
        is_wanted: IsWanted | None = None,
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
            on_passages: Gets the passages of each question, with its place, before it is answered.
            on_text: Gets the place of a question and the next piece of its answer; in mode
                openrag the whole answer, once it is chosen.
            is_wanted: Asked again and again with the place of a question; once it says no, no
                more is computed for it, and its answer is whatever there is.
            **options: As those of `ask`.

        Returns:
            The answers in the order of the questions.
        """
        asking = checked(**options)
        require_asked(questions, passages)
        answer = self._judged if asking.mode in JUDGED_MODES else self._answer
        onlooker = Onlooker(on_answer, on_passages, on_text, is_wanted)
        return answer(questions, passages, asking, onlooker)

    def prepare(self, mode: Mode | str) -> None:
        """Open what a mode needs, so that the first question does not wait for it; raises as `ask`.

        Without it, the index's encoder is opened at the first question that needs it.
        """
        asking = checked(mode=mode)
        if asking.mode in JUDGED_MODES:
            needed_reader(self.openrag)
        if asking.mode is Mode.CASCADE:
            needed_cascade(self.cascade)
        if asking.reading is not None:
            require_projector(asking.reading, has_projector=self._has_projector)
            needed_retriever(self.retriever).open()

    def _answer(
        self,
        questions: Sequence[str],
        passages: Sequence[Sequence[Passage]] | None,
        asking: Asking,
        onlooker: Onlooker,
    ) -> list[Answer]:
        found = self.retrieve(questions, passages, asking)
        asked, before = self._word(questions, found, asking)
        if onlooker.on_passages is not None:
            for i, item in enumerate(asked):
                onlooker.on_passages(i, evidence_of(item.context, self.builder))
        return written(self._writer, asked, before, asking, onlooker)

    def _judged(
        self,
        questions: Sequence[str],
        passages: Sequence[Sequence[Passage]] | None,
        asking: Asking,
        onlooker: Onlooker,
    ) -> list[Answer]:
        """Modes openrag and cascade: passages are found for those questions that want some."""
        openrag = needed_reader(self.openrag)
        cascade = needed_cascade(self.cascade) if asking.mode is Mode.CASCADE else None
        if passages is None and asking.judging.gate is not GateKind.NEVER:
            needed_retriever(self.retriever)

        def find(places: Sequence[int]) -> Found:
            given = None if passages is None else [passages[i] for i in places]
            asked = [questions[i] for i in places]
            hits = self.retrieve(asked, given, skimming(asking) if cascade else asking)
            if cascade is not None:
                return cascade.found(asked, hits, asking, self.embedder, self.forms, self._in_form)
            contexts = self._in_form(asked, hits, asking)
            encode = hits.encode_seconds + contexts.encode_seconds + hits.read_seconds
            return Found(contexts.of_questions, encode, hits.search_seconds)

        return judged(openrag, questions, asking, find, onlooker)

    def retrieve(
        self,
        questions: Sequence[str],
        passages: Sequence[Sequence[Passage]] | None,
        asking: Asking,
    ) -> TimedHits:
        """Find what questions shall be answered from, or take what was given; raises as `ask`."""
        if asking.reading is None:
            return TimedHits([[] for _ in questions])
        require_projector(asking.reading, has_projector=self._has_projector)
        if passages is not None:
            found = TimedHits([given_hits(row) for row in passages])
        else:
            finder = in_hops(needed_retriever(self.retriever), asking.finding, self.ask_many)
            pieces = wanted_pieces(asking.reading, is_auto=asking.budget is not None)
            found = finder.find(questions, k=asking.k, pieces=pieces)
        kept = reranked(questions, found, asking.finding, self.reranker)
        return self.forms.compared(questions, kept, asking, self.embedder)

    def _word(
        self, questions: Sequence[str], found: TimedHits, asking: Asking
    ) -> tuple[list[Asked], Seconds]:
        """Put each question and its passages into a prompt; the seconds are one's share."""
        contexts = self._in_form(questions, found, asking)
        start = time.perf_counter()
        asked = [
            self._writer.worded(question, context, asking)
            for question, context in zip(questions, contexts.of_questions, strict=True)
        ]
        share = 1 / max(1, len(questions))
        encode = (found.encode_seconds + contexts.encode_seconds) * share
        search = found.search_seconds * share
        words = (time.perf_counter() - start) * share
        read = found.read_seconds * share
        return asked, Seconds(encode, search, read, encode + search + read + words)

    @property
    def _writer(self) -> Writer:
        return Writer(self.builder, self.generator)

    def _in_form(self, questions: Sequence[str], found: TimedHits, asking: Asking) -> Contexts:
        """Each passage in the form in which it shall be read."""
        reader = self.openrag if asking.mode in JUDGED_MODES else None
        counter = self.builder if reader is None else reader.judge.prompts
        choose = self.forms.chooser(asking, self._choose_readings, counter)
        readings = [
            chosen_readings(question, asking.mode, hits, choose)
            for question, hits in zip(questions, found.hits, strict=True)
        ]
        stored = asking.reading.tokens if asking.reading else 1
        return put_in_form(found.hits, readings, self.embedder, stored_pieces=stored)
