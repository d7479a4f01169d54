"""Documents, the passages that they are cut into, and passages as they are found."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xorag.types.strings import FoundString

FloatArray = NDArray[np.floating[Any]]


class SearchMode(StrEnum):
    """How passages are found."""

    DENSE = "dense"
    BM25 = "bm25"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its source gives it, before it is cut into passages."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, the unit that is encoded, found and read."""

    id: str
    document_id: str
    title: str
    text: str
    position: int
    """Place in its document, from 0."""

    @property
    def titled_text(self) -> str:
        """The passage as an encoder reads it: its title in front, where it has one."""
        return f"{self.title} | {self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage as retrieved for one query."""

    passage: Passage
    score: float
    embedding: FloatArray | None = field(default=None, compare=False, repr=False)
    """The stored embedding, `(dimensions,)`, which the projector turns into a soft token."""
    pieces: FloatArray | None = field(default=None, compare=False, repr=False)
    """The stored embeddings of its pieces, `(pieces, dimensions)`, where they were asked for."""
    similarities: FloatArray | None = field(default=None, compare=False, repr=False)
    """Of its pieces to the question, -1 to 1, `(pieces,)`, where they were compared."""
    similarity: float | None = field(default=None, compare=False)
    """Of the whole passage to the question, -1 to 1, where they were compared."""
    first_logprob: float | None = field(default=None, compare=False)
    """Log-probability of the first few tokens of the question's answer where each of its passages
    is read as one soft token; the same for all of these; None where that was not asked for."""
    strings: tuple[FoundString, ...] | None = field(default=None, compare=False, repr=False)
    """Its exact strings in reading order, where the index holds them; None: they are found."""
