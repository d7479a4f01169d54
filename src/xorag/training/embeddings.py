"""The embeddings that training reads: whole passages from an index, pieces from the encoder.

Knows nothing of texts as examples.
"""

from collections.abc import Callable, Sequence

from xorag.compression.word_means import WordMeans
from xorag.errors import ConfigError
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.training.splits import IndexRow
from xorag.types import FloatArray, Passage

EmbedPassages = Callable[[Sequence[Passage], Sequence[int]], list[FloatArray]]
"""What a projector reads of passages at the rates asked for, `(soft tokens, width)` each."""


def embed_with_words(pieces: PieceEmbedder, words: WordMeans) -> EmbedPassages:
    """Embed passages piece by piece, with their words beside, where the projector reads words."""

    def embed(passages: Sequence[Passage], rates: Sequence[int]) -> list[FloatArray]:
        rows = zip(passages, pieces.embed(passages, rates), strict=True)
        return [words.beside(passage.text, embeddings) for passage, embeddings in rows]

    return embed


class RowEmbedder:
    """Embeds rows of an index at a rate, that is as so many soft tokens a passage."""

    def __init__(
        self, index: PassageIndex, words: WordMeans, pieces: PieceEmbedder | None = None
    ) -> None:
        """Read from an index.

        Args:
            index: Whose stored embeddings serve one token a passage.
            words: Puts the passages' words beside them, where the projector reads words.
            pieces: Serves higher rates; it keeps what it has encoded.
        """
        self._index = index
        self._words = words
        self._pieces = pieces

    def __call__(self, rows: Sequence[IndexRow], rates: Sequence[int]) -> list[FloatArray]:
        """What the projector reads of each row, `(soft tokens, width)`, fewer for short passages.

        Raises:
            ConfigError: If a higher rate than one is asked for and there is no encoder.
        """
        found: dict[int, FloatArray] = {}
        whole = [at for at, rate in enumerate(rates) if rate == 1]
        if whole:
            stored = self._index.take([rows[at].offset for at in whole]).embeddings
            found |= {at: row[None, :] for at, row in zip(whole, stored, strict=True)}
        parted = [at for at, rate in enumerate(rates) if rate != 1]
        if parted:
            found |= zip(parted, self._of_pieces(rows, rates, parted), strict=True)
        return [self._words.beside(row.passage.text, found[at]) for at, row in enumerate(rows)]

    def _of_pieces(
        self, rows: Sequence[IndexRow], rates: Sequence[int], places: Sequence[int]
    ) -> list[FloatArray]:
        if self._pieces is None:
            raise ConfigError(
                f"rates {sorted(set(rates))} need the encoder, but only the index was opened; "
                "open the run with its encoder or set passages.rates=[1]"
            )
        return self._pieces.embed([rows[at].passage for at in places], [rates[at] for at in places])
