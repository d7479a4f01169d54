"""Embeddings of the pieces of passages, one a soft token: encoded when needed, and kept.

Knows nothing of prompts or projectors.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from xorag.data.pieces import cut_into_pieces
from xorag.retrieval.encoder import PassageEncoder, titled
from xorag.types import FloatArray, Passage

CACHED_PIECES = 200_000
"""Embeddings that are kept: 150 MB of those of a small encoder."""


class PieceEmbedder:
    """Embeds passages piece by piece, each piece with its passage's title in front."""

    def __init__(self, encoder: PassageEncoder, *, cached_pieces: int = CACHED_PIECES) -> None:
        self._encoder = encoder
        self._capacity = cached_pieces
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()

    def embed(self, passages: Sequence[Passage], counts: Sequence[int]) -> list[FloatArray]:
        """Embed each passage cut into so many pieces, fewer where it is too short for them.

        Embeddings are rounded to half precision, as an index stores them.

        Args:
            passages: Any number.
            counts: Pieces wanted of each passage.

        Returns:
            One array a passage, `(pieces, dimensions)` in float32, in reading order.

        Raises:
            UsageError: If a count is less than 1.
        """
        texts = [
            [
                titled(piece_of(passage, text), self._encoder.spec)
                for text in cut_into_pieces(passage.text, count)
            ]
            for passage, count in zip(passages, counts, strict=True)
        ]
        found = self._embeddings(list(dict.fromkeys(text for row in texts for text in row)))
        return [np.stack([found[text] for text in row]).astype(np.float32) for row in texts]

    def embed_questions(self, questions: Sequence[str]) -> list[FloatArray]:
        """Embed questions, `(dimensions,)` each in float32."""
        return [np.asarray(row, np.float32) for row in self._encoder.encode_queries(questions)]

    def needed_pieces(self, passages: Sequence[Passage], piece_tokens: int) -> list[int]:
        """Into how many pieces of that many tokens at most each passage has to be cut.

        Every piece repeats the title, so only the room beside it is counted, half a piece at
        least.
        """
        spec = self._encoder.spec
        whole = self._encoder.count_tokens([titled(passage, spec) for passage in passages])
        around = self._encoder.count_tokens([titled(piece_of(p, ""), spec) for p in passages])
        return [
            max(1, math.ceil((total - fixed) / max(piece_tokens - fixed, piece_tokens // 2)))
            for total, fixed in zip(whole, around, strict=True)
        ]

    def _embeddings(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        found = {text: self._kept[text] for text in texts if text in self._kept}
        missing = [text for text in texts if text not in found]
        if missing:
            rows = self._encoder.encode_passages(missing)
            found |= {
                text: np.asarray(row, np.float16) for text, row in zip(missing, rows, strict=True)
            }
        self._keep(found)
        return found

    def _keep(self, found: dict[str, FloatArray]) -> None:
        """Keep what was used last; what was used longest ago makes room."""
        for text, embedding in found.items():
            self._kept[text] = embedding
            self._kept.move_to_end(text)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


def piece_of(passage: Passage, text: str) -> Passage:
    """A piece of a passage as a passage of its own, with the title."""
    return Passage(passage.id, passage.document_id, passage.title, text, passage.position)
