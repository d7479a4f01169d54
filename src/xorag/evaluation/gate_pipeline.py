"""What a pipeline's reader says of calibration questions, with and without passages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorag.data.questions import Task
from xorag.evaluation.asking import Group
from xorag.evaluation.gate_keeping import Basis
from xorag.evaluation.gate_readings import GateReading, ReadsGates
from xorag.evaluation.opening import Place
from xorag.evaluation.plan import PassageSource, Settings
from xorag.evaluation.run import AsksMany
from xorag.generation.calibration_artifact import reader_fingerprint
from xorag.generation.judging import Judge
from xorag.pipeline import Pipeline
from xorag.pipeline.needs import needed_reader
from xorag.pipeline.opening import PartNames, open_parts
from xorag.pipeline.opening_reader import SHIPPED
from xorag.pipeline.openrag import GROUP
from xorag.reflection.gates import Gate, mean_probability, min_probability
from xorag.runtime.device import pick_device, pick_dtype
from xorag.types import GateKind, Generation, Mode


@dataclass(frozen=True, slots=True)
class OpenedGates:
    """A reader that can be calibrated, and which it is."""

    gates: ReadsGates
    basis: Basis


@dataclass(frozen=True, slots=True)
class _Closed:
    """A question read by itself."""

    retrieval_probability: float
    generation: Generation
    """The answer without passages."""


def open_gates(names: PartNames, place: Place, settings: Settings) -> OpenedGates:
    """Open a reader and what finds its passages.

    Args:
        names: Of the parts; without a reader, the one that comes with xorag and fits. A
            calibration that the reader has already is not looked at.
        place: Where and how the models compute.
        settings: Of the questions that will be asked.

    Raises:
        IndexNotFoundError: If an index was named and is not there.
        ModelNotFoundError: If a model is not found, or no reader comes with xorag for it.
        ReaderMismatchError: If the reader does not fit the language model.
    """
    device = pick_device(place.device)
    names = replace(names, reader=names.reader or SHIPPED, is_calibrated=False)
    dtype = pick_dtype(device, place.dtype)
    parts = open_parts(names, device, dtype, batch_tokens=place.batch_tokens)
    pipeline = Pipeline.of(parts)
    judge = needed_reader(parts.openrag).judge
    if settings.passages is PassageSource.RETRIEVED:
        pipeline.prepare(Mode.OPENRAG)
    basis = Basis(
        reader=str(names.reader),
        fingerprint=reader_fingerprint(judge.language_model, judge.vocabulary.ordered_ids),
        model=parts.model,
        passages=settings.k,
        max_new_tokens=settings.max_new_tokens,
    )
    return OpenedGates(PipelineGates(judge, pipeline, settings), basis)


class PipelineGates:
    """Answers without passages by the reader itself, and from passages as `xorag ask` does."""

    def __init__(self, judge: Judge, asker: AsksMany, settings: Settings) -> None:
        """Take what answers.

        Args:
            judge: The reader of the pipeline.
            asker: The pipeline.
            settings: How many passages are read, and where an answer is cut.
        """
        self._judge = judge
        self._asker = asker
        self._settings = settings

    def read(self, group: Group) -> list[GateReading]:
        """Read the gates of some questions, in their order; raises as `Pipeline.ask_many`.

        One answer without passages serves all gates: the probability of retrieval stands before
        it, and the others are made of its tokens.
        """
        texts = [item.text for item in group.asked]
        length = self._settings.max_new_tokens
        closed = self._closed(texts, group.task)
        is_given = self._settings.passages is PassageSource.GIVEN
        answers = self._asker.ask_many(
            texts,
            passages=[item.passages for item in group.asked] if is_given else None,
            mode=Mode.OPENRAG,
            gate=GateKind.ALWAYS,
            k=self._settings.k,
            max_new_tokens=length,
            task=group.task,
        )
        return [
            GateReading(
                _within(own.retrieval_probability),
                _within(min_probability(own.generation.logprobs)),
                _within(mean_probability(own.generation.logprobs)),
                closed_answer=own.generation.text,
                retrieved_answer=answer.answer,
            )
            for own, answer in zip(closed, answers, strict=True)
        ]

    def _closed(self, texts: Sequence[str], task: Task) -> list[_Closed]:
        """Answer questions without passages, in their order."""
        length = self._settings.max_new_tokens
        closed: dict[int, _Closed] = {}
        for places in self._judge.groups(texts, task, GROUP):
            begun = self._judge.begin([texts[i] for i in places], task=task, max_new_tokens=length)
            decided = self._judge.decide(begun, Gate(GateKind.TOKEN), max_new_tokens=length)
            paths = self._judge.answer_closed(begun, range(len(places)), max_new_tokens=length)
            for i, decision, path in zip(places, decided, paths, strict=True):
                closed[i] = _Closed(decision.gate.confidence or 0.0, path.generation)
        return [closed[i] for i in range(len(texts))]


def _within(probability: float) -> float:
    """The probability without the last digit by which float32's may exceed 1."""
    return min(probability, 1.0)
