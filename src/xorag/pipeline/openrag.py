"""Mode openrag: decide whether to retrieve, read each passage by itself, judge, choose.

Open-RAG (Islam et al., 2024, arXiv 2410.01782). Knows nothing of how passages are found.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from xorag.generation.calibration_artifact import Calibration
from xorag.generation.judging import Begun, Judge, Path
from xorag.generation.judging_prompts import Paragraph
from xorag.generation.prompting import Context
from xorag.pipeline.answers import evidence_of, unanswered
from xorag.pipeline.finding_options import Finding, SelectBy
from xorag.pipeline.judged_answers import Judged, Read, Skimmed, judged_answer
from xorag.pipeline.judging_options import Judging
from xorag.pipeline.options import Asking
from xorag.pipeline.selecting import best_places
from xorag.pipeline.watching import Answers, Onlooker
from xorag.reflection.gates import Gate
from xorag.types import Answer, Form

logger = logging.getLogger(__name__)

GROUP = 32
"""Questions whose keys and values are kept at a time."""


@dataclass(frozen=True, slots=True)
class Found:
    """The passages of some questions, in their forms, and what finding them took."""

    contexts: list[tuple[Context, ...]]
    encode_seconds: float = 0.0
    search_seconds: float = 0.0
    skimmed: list[Skimmed] = field(default_factory=list)
    """Of each question in mode cascade, else none."""


Find = Callable[[Sequence[int]], Found]
"""Gets the passages of the questions at these places, in their order."""


class OpenRag:
    """A reader that answers questions, and its calibration where it has one."""

    def __init__(self, judge: Judge, calibration: Calibration | None = None) -> None:
        self.judge = judge
        self.calibration = calibration

    def gate(self, judging: Judging) -> Gate:
        """The gate that a call asks for; what it leaves open is the calibration's."""
        known = self.calibration.gate if self.calibration else Gate()
        kind = judging.gate or known.kind
        default = known.threshold if kind is known.kind else Gate().threshold
        return Gate(kind, default if judging.threshold is None else judging.threshold)

    def answer(
        self, questions: Sequence[str], asking: Asking, find: Find, onlooker: Onlooker
    ) -> list[Answer]:
        """Answer questions in groups of like length.

        Args:
            questions: In plain words.
            asking: What the call asks for.
            find: Gets passages, for those questions only for which the gate wants some.
            onlooker: Hears of each answer as soon as its group is done; shorter questions come
                first. What it wants no more is not begun, or ends where it is.

        Returns:
            The answers in the order of the questions.
        """
        answers = Answers(onlooker)
        for places in self.judge.groups(questions, asking.task, GROUP):
            group = [i for i in places if onlooker.wants(i)]
            for i in set(places).difference(group):
                answers.add(i, unanswered(questions[i], asking))
            if not group:
                continue
            start = time.perf_counter()
            begun = self.judge.begin(
                [questions[i] for i in group],
                task=asking.task,
                max_new_tokens=asking.max_new_tokens,
                is_wanted=partial(_wants_in_group, onlooker, group),
            )
            find_here = partial(self._find_in_group, find, onlooker, group)
            judged = self._judge(begun, asking, find_here)
            elapsed = time.perf_counter() - start
            outside = sum(item.encode_seconds + item.search_seconds for item in judged)
            share = (elapsed - outside) / len(group)
            for i, item in zip(group, judged, strict=True):
                answer = judged_answer(questions[i], item, asking, share, self.judge.prompts)
                if onlooker.on_text is not None and onlooker.wants(i):
                    onlooker.on_text(i, answer.answer)
                answers.add(i, answer)
        return answers.in_order()

    def _find_in_group(
        self, find: Find, onlooker: Onlooker, group: Sequence[int], places: Sequence[int]
    ) -> Found:
        """The passages of those questions that stand at some places of a group."""
        found = find([group[i] for i in places])
        if onlooker.on_passages is not None:
            for i, context in zip(places, found.contexts, strict=True):
                onlooker.on_passages(group[i], evidence_of(context, self.judge.prompts))
        return found

    def _judge(self, begun: Begun, asking: Asking, find: Find) -> list[Judged]:
        """Decide, read and judge the questions of one group."""
        new_tokens, count = asking.max_new_tokens, len(begun.questions)
        decided = self.judge.decide(begun, self.gate(asking.judging), max_new_tokens=new_tokens)
        is_wanted = begun.beginnings.is_wanted
        wanting = [i for i, item in enumerate(decided) if item.gate.retrieved and is_wanted(i)]
        found = find(wanting) if wanting else Found([])
        read = self._read(begun, dict(zip(wanting, found.contexts, strict=True)), asking)
        skimmed = dict(zip(wanting, found.skimmed, strict=False))
        closed = {i: item.closed for i, item in enumerate(decided) if item.closed is not None}
        missing = [i for i in range(count) if i not in read and i not in closed]
        written = self.judge.answer_closed(begun, missing, max_new_tokens=new_tokens)
        closed |= zip(missing, written, strict=True)
        share = 1 / max(1, len(wanting))
        return [
            Judged(
                gate=replace(item.gate, retrieved=i in read),
                question_tokens=len(begun.beginnings.prompts[i].token_ids),
                read=read.get(i),
                closed=closed.get(i),
                encode_seconds=found.encode_seconds * share if i in wanting else 0.0,
                search_seconds=found.search_seconds * share if i in wanting else 0.0,
                skimmed=skimmed.get(i),
            )
            for i, item in enumerate(decided)
        ]

    def _read(
        self, begun: Begun, contexts: Mapping[int, Sequence[Context]], asking: Asking
    ) -> dict[int, Read]:
        """Read the passages of those questions that have some to be read."""
        facts = self._selected(
            begun, {i: _readable(context) for i, context in contexts.items()}, asking.finding
        )
        together = asking.judging.together or asking.finding.select is not None
        paragraphs = {i: _paragraphs(kept, together=together) for i, kept in facts.items() if kept}
        paths = self.judge.read(
            begun,
            paragraphs,
            max_new_tokens=asking.max_new_tokens,
            weights=asking.judging.weights,
            as_relevant=asking.judging.as_relevant,
        )
        for i in contexts.keys() - paths.keys():
            logger.warning("no passage to read", extra={"question": begun.questions[i]})
        for passage in (
            p for of_question in paths.values() for path in of_question for p in path.cut
        ):
            logger.warning(
                "a passage is too long for the language model and was cut",
                extra={"passage": passage.id, "characters": len(passage.text)},
            )
        return {
            i: Read(tuple(paragraphs[i]), tuple(found), _dropped(contexts[i]))
            for i, found in paths.items()
        }

    def _selected(
        self, begun: Begun, facts: Mapping[int, tuple[Context, ...]], finding: Finding
    ) -> dict[int, tuple[Context, ...]]:
        """Of each question's passages those that the reader holds most relevant, in their order."""
        count = finding.select
        if count is None or finding.select_by is not SelectBy.RELEVANCE:
            return dict(facts)
        paragraphs = {
            i: _paragraphs(kept, together=False) for i, kept in facts.items() if len(kept) > count
        }
        # One new token, for the relevance stands in the first.
        paths = self.judge.read(begun, paragraphs, max_new_tokens=1)
        best = {
            i: best_places([_relevance(path) for path in row], count) for i, row in paths.items()
        }
        return {**facts, **{i: tuple(facts[i][at] for at in row) for i, row in best.items()}}


def _relevance(path: Path) -> float:
    return path.critique.relevance if path.critique is not None else 0.0


def _wants_in_group(onlooker: Onlooker, group: Sequence[int], place: int) -> bool:
    """Whether the answer to the question at a place of a group is still waited for."""
    return onlooker.wants(group[place])


def _dropped(context: Sequence[Context]) -> tuple[Context, ...]:
    return tuple(item for item in context if item.form is Form.DROPPED)


def _readable(context: Sequence[Context]) -> tuple[Context, ...]:
    """The passages that are to be read and hold some text."""
    for item in context:
        if not item.hit.passage.text.strip():
            logger.warning("an empty passage was left out", extra={"passage": item.hit.passage.id})
    return tuple(
        item for item in context if item.form is not Form.DROPPED and item.hit.passage.text.strip()
    )


def _paragraphs(facts: Sequence[Context], *, together: bool) -> list[Paragraph]:
    """All passages in one paragraph, or each in its own."""
    return [Paragraph(tuple(facts))] if together else [Paragraph((fact,)) for fact in facts]
