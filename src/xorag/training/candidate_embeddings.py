"""Embeddings of questions' passages: those that an index stores, and the others encoded.

Knows nothing of questions or prompts.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from xorag.data.training_corpus import content_id
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.types import FloatArray, Passage

EmbedCandidates = Callable[[Sequence[Passage]], list[FloatArray]]
"""The embeddings of passages, `(dimensions,)` each."""


class CandidateEmbeddings:
    """Embeds passages, and looks those up that were found in an index."""

    def __init__(self, pieces: PieceEmbedder) -> None:
        """Encode with `pieces` what no index holds; it keeps what it has encoded."""
        self._pieces = pieces
        self._place: dict[str, int] = {}
        self._stored: NDArray[np.float16] = np.zeros((0, 0), np.float16)

    def look_up(self, index: PassageIndex, wanted: Iterable[tuple[str, str]]) -> int:
        """Keep what an index stores of these passages; returns how many it holds.

        Args:
            index: Made with the same encoder.
            wanted: Their titles and texts.
        """
        names = {content_id(title, text) for title, text in wanted}
        rows: list[NDArray[np.float16]] = []
        for batch in index.stream():
            for passage, embedding in zip(batch.passages, batch.embeddings, strict=True):
                name = content_id(passage.title, passage.text)
                if name in names and name not in self._place:
                    self._place[name] = len(rows)
                    rows.append(np.asarray(embedding, np.float16))
        if rows:
            self._stored = np.stack(rows)
        return len(rows)

    def __call__(self, passages: Sequence[Passage]) -> list[FloatArray]:
        """The embeddings of passages, `(dimensions,)` each in float32."""
        places = [self._place.get(content_id(p.title, p.text)) for p in passages]
        missing = [p for p, place in zip(passages, places, strict=True) if place is None]
        encoded = iter(self._pieces.embed(missing, [1] * len(missing)) if missing else [])
        return [
            next(encoded)[0] if place is None else self._stored[place].astype(np.float32)
            for place in places
        ]

    def of_questions(self, questions: Sequence[str]) -> list[FloatArray]:
        """The embeddings of questions, `(dimensions,)` each."""
        return self._pieces.embed_questions(questions)
