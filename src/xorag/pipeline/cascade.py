"""Mode cascade: judge many passages by one soft token each, and read only the best.

What is read of these, and how it is answered from, is mode openrag's. Knows nothing of how
passages are found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from xorag.data.questions import Task
from xorag.generation.prompting import Context
from xorag.generation.token_judge import SoftJudgements, TokenJudge
from xorag.pipeline.forms.similarity import with_whole_similarities
from xorag.pipeline.judged_answers import Skimmed
from xorag.pipeline.openrag import Found
from xorag.pipeline.options import Asking
from xorag.pipeline.reading import Contexts
from xorag.pipeline.selecting import best_places
from xorag.retrieval.timed import TimedEmbedder, TimedHits
from xorag.types import Form, Hit, Reading

PutInForm = Callable[[Sequence[str], TimedHits, Asking], Contexts]
"""Puts the passages of questions into the forms in which they shall be read."""


class ComparesPieces(Protocol):
    """Compares what a form shows of passages to their questions, where it shows some of them."""

    def compared(
        self,
        questions: Sequence[str],
        found: TimedHits,
        asking: Asking,
        embedder: TimedEmbedder | None,
    ) -> TimedHits:
        """The hits with what was compared."""
        ...


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The passages of a question that shall be read, and what was judged."""

    kept: list[Hit]
    reasons: list[str]
    """Why each is read."""
    skimmed: Skimmed


class Cascade:
    """Judges passages by their soft tokens and keeps the best of them."""

    def __init__(self, judge: TokenJudge) -> None:
        self.judge = judge

    def found(
        self,
        questions: Sequence[str],
        hits: TimedHits,
        asking: Asking,
        embedder: TimedEmbedder | None,
        forms: ComparesPieces,
        put: PutInForm,
    ) -> Found:
        """The best passages of each question in their forms, with what was judged.

        Args:
            questions: In plain words.
            hits: All passages of each.
            asking: How many to keep, and in which form.
            embedder: Encodes questions, and passages that came without an embedding.
            forms: Compares pieces of those that are kept.
            put: Puts those that are kept into their forms.

        Raises:
            IndexMismatchError: If a passage has no embedding, and nothing encodes it.
        """
        compared = with_whole_similarities(questions, hits, embedder)
        narrowed = self.narrowed(questions, compared.hits, asking.finding.keep, asking.task)
        chosen = replace(compared, hits=[item.kept for item in narrowed])
        kept = forms.compared(questions, chosen, asking, embedder)
        contexts = put(questions, kept, asking)
        read = [
            tuple(
                replace(context, reason="; ".join(filter(None, (reason, context.reason))))
                for context, reason in zip(row, item.reasons, strict=True)
            )
            for row, item in zip(contexts.of_questions, narrowed, strict=True)
        ]
        encode = kept.encode_seconds + contexts.encode_seconds + kept.read_seconds
        return Found(read, encode, hits.search_seconds, [item.skimmed for item in narrowed])

    def narrowed(
        self, questions: Sequence[str], hits: Sequence[Sequence[Hit]], keep: int, task: Task = "qa"
    ) -> list[Narrowed]:
        """Judge the passages of questions that have more than are kept, all in one go.

        Args:
            questions: In plain words.
            hits: Of each, with embeddings, and similarities where these are known.
            keep: The most that are kept; they stay in their order.
            task: What the questions want.
        """
        places = [i for i, row in enumerate(hits) if len(row) > keep]
        judged = self.judge.judge([questions[i] for i in places], [hits[i] for i in places], task)
        found = dict(zip(places, judged, strict=True))
        return [
            _narrowed(row, found[i], keep) if i in found else _whole(row)
            for i, row in enumerate(hits)
        ]


def skimming(asking: Asking) -> Asking:
    """The same call as one that reads text: nothing has to be chosen of what is not read yet."""
    return replace(asking, reading=Reading(Form.TEXT), budget=None)


def _whole(hits: Sequence[Hit]) -> Narrowed:
    """All passages, where there are no more than shall be read."""
    return Narrowed(list(hits), [""] * len(hits), Skimmed((), (), 0))


def _narrowed(hits: Sequence[Hit], judged: SoftJudgements, keep: int) -> Narrowed:
    best = best_places(judged.scores, keep)
    why = [f"relevance {relevance:.2f} by its soft token" for relevance in judged.relevances]
    left = [at for at in range(len(hits)) if at not in set(best)]
    contexts = tuple(
        Context(hits[at], Form.TOKEN, reason=f"{why[at]}, not among the best {keep}") for at in left
    )
    tokens = tuple(judged.passage_tokens[at] for at in left)
    return Narrowed(
        [hits[at] for at in best],
        [f"{why[at]}, among the best {keep} of {len(hits)}" for at in best],
        Skimmed(contexts, tokens, judged.prompt_tokens),
    )
