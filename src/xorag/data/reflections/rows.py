"""A training row of a reader, and the published form in which it is written.

Source: Islam et al., 2024, *Open-RAG*, arXiv 2410.01782, section 2.2 and its table of tokens. The
published program reads the question from the conversation's `input`; `instruction` stays empty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xorag.data.questions import LabelledPassage, Question
from xorag.types import ReflectionToken

FILE_NAME = "reflections.jsonl"
"""The rows' file in a directory that `xorag build-data reflections` wrote."""
REFUSAL = "I don't know"
"""The answer where nothing shown holds one and none is given from memory."""
UTILITY = (
    ReflectionToken.UTILITY_1,
    ReflectionToken.UTILITY_2,
    ReflectionToken.UTILITY_3,
    ReflectionToken.UTILITY_4,
    ReflectionToken.UTILITY_5,
)
CLAIM = 'Is the claim true? Answer with "True" or "False".\n\nClaim: '
"""Stands before a claim."""


class RowKind(StrEnum):
    """What a row shows."""

    CLOSED = "closed"
    """No passage: the model knew the answer."""
    GOLD = "gold"
    """One passage, which holds the answer."""
    FACTS = "facts"
    """All passages that a question of several hops needs, and perhaps a distractor."""
    PART = "part"
    """One of the passages that such a question needs."""
    DISTRACTOR = "distractor"
    """A passage that was found for the question and does not answer it."""
    CUT = "cut"
    """A gold passage without the sentences that hold the answer."""
    ALTERED = "altered"
    """A gold passage with another question's answer in place of its own."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The reflection tokens of a row."""

    retrieval: ReflectionToken
    utility: ReflectionToken
    relevance: ReflectionToken | None = None
    """None where nothing was read, as is `support`."""
    support: ReflectionToken | None = None


@dataclass(frozen=True, slots=True)
class ReflectionRow:
    """One row."""

    id: str
    asked: str
    """The question or claim, as the reader is asked it."""
    answer: str
    passages: tuple[LabelledPassage, ...]
    """All in one paragraph; none in a row without retrieval."""
    labels: Labels
    kind: RowKind
    set: str
    """Name of the question set."""
    source: str = ""

    @property
    def output(self) -> str:
        """What the reader shall write, with its tokens and the passages."""
        labels, token = self.labels, ReflectionToken
        if labels.relevance is None or labels.support is None:
            return f"{labels.retrieval}{self.answer}{labels.utility}"
        paragraph = f"{token.PARAGRAPH}{paragraph_text(self.passages)}{token.END_PARAGRAPH}"
        return (
            f"{labels.retrieval}{paragraph}{labels.relevance}{self.answer}"
            f"{labels.support}{labels.utility}"
        )

    def as_json(self) -> dict[str, Any]:
        """The row in the published form, with its labels, kind and origin besides."""
        return {
            "id": self.id,
            "instruction": "",
            "conversation": [{"input": self.asked, "output": self.output}],
            "corpus": "",
            "kind": self.kind.value,
            "labels": {
                "retrieval": self.labels.retrieval.value,
                "relevance": self.labels.relevance,
                "support": self.labels.support,
                "utility": self.labels.utility.value,
            },
            "is_supporting": [passage.is_supporting for passage in self.passages],
            "set": self.set,
            "source": self.source,
        }


def asked_of(question: Question) -> str:
    """A question as the reader is asked it; a claim says what is wanted of it."""
    text = question.question.strip()
    return f"{CLAIM}{text}" if question.task == "claim" else text


def passage_text(title: str, text: str) -> str:
    """A passage as it stands in a paragraph.

    Examples:
        >>> passage_text("Emma", "A novel.").splitlines()
        ['Emma', 'A novel.']
    """
    return f"{title.strip()}\n{text.strip()}" if title.strip() else text.strip()


def paragraph_text(passages: Sequence[LabelledPassage]) -> str:
    """The passages of one paragraph, parted by an empty line."""
    return "\n\n".join(passage_text(passage.title, passage.text) for passage in passages)


def holds_token(texts: Iterable[str]) -> bool:
    """Whether a text holds the string of a reflection token, so that it must not be shown."""
    return any(token.value in text for text in texts for token in ReflectionToken)
