"""Retrieval that says how long its steps took, from parts that are opened when needed.

Knows nothing of how hits are used.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.places import Location, Place
from xorag.errors import ArtifactError
from xorag.retrieval.compatibility import require_same_encoder
from xorag.retrieval.index_manifest import index_manifest, index_place
from xorag.retrieval.plain_encoder import open_plain_encoder
from xorag.types import FloatArray, Hit, Passage, SearchMode

if TYPE_CHECKING:
    from xorag.retrieval.encoder import PassageEncoder
    from xorag.retrieval.pieces import PieceEmbedder
    from xorag.retrieval.search import IndexRetriever

PIECE_TOKENS = 180
"""Most tokens that a soft token stands for, where no index says otherwise (xRAG's cut)."""
STORED_PIECES = 0
"""Asks for the embeddings of as many pieces a passage as an index holds."""


@dataclass(frozen=True, slots=True)
class TimedHits:
    """The hits of each question, best first, and what finding them took."""

    hits: list[list[Hit]]
    encode_seconds: float = 0.0
    search_seconds: float = 0.0
    questions: list[FloatArray] | None = None
    """The embeddings of the questions, `(dimensions,)` each, where the search made some."""
    read_seconds: float = 0.0
    """What the language model took to look at them before their forms are chosen."""


class TimedRetriever(Protocol):
    """Anything that finds passages for questions and times itself."""

    def open(self) -> object:
        """Get ready, so that the first question does not wait."""
        ...

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        """Find the `k` best passages of each question.

        Their `pieces` hold the embeddings of so many pieces each, if these are stored; with
        `pieces=STORED_PIECES` of as many as are stored.
        """
        ...


@dataclass(frozen=True, slots=True)
class TimedEmbeddings:
    """What was embedded, and what encoding it took."""

    embeddings: list[FloatArray]
    """Of passages, `(pieces, dimensions)` each, or of questions, `(dimensions,)` each."""
    encode_seconds: float


class TimedEmbedder(Protocol):
    """Anything that embeds passages piece by piece and times itself."""

    def embed(self, passages: Sequence[Passage], counts: Sequence[int]) -> TimedEmbeddings:
        """Embed each passage in so many pieces, or in more if the encoder would cut them."""
        ...

    def embed_questions(self, questions: Sequence[str]) -> TimedEmbeddings:
        """Embed questions, `(dimensions,)` each."""
        ...


class IndexOnDemand:
    """An index whose manifest is read at once, and whose table and encoder when needed.

    So a mismatch shows early, and a question that needs no passages waits for neither.
    """

    def __init__(
        self,
        location: Location,
        *,
        encoder: str | None = None,
        mode: SearchMode = SearchMode.DENSE,
        device: torch.device | None = None,
    ) -> None:
        """Read the manifest of an index.

        Raises:
            ArtifactError: If it is damaged.
            IndexNotFoundError: If there is no index.
        """
        self._location = location
        self._place = index_place(location)
        self.manifest: Manifest = index_manifest(self._place)
        self._encoder_name = encoder
        self._mode = mode
        self._device = device
        self._encoder: PassageEncoder | None = None
        self._retriever: IndexRetriever | None = None

    @property
    def place(self) -> Place:
        """Where the index is."""
        return self._place

    @property
    def piece_tokens(self) -> int:
        """The most tokens of a passage of the index."""
        return int(self.manifest.settings.get("chunk_tokens", PIECE_TOKENS))

    def open(self) -> "IndexRetriever":
        """Open the table and, unless words are searched for, the encoder, once.

        Raises:
            IndexMismatchError: If the encoder is not the index's.
            ModelNotFoundError: If the encoder is not found.
        """
        if self._retriever is None:
            # Imported here: LanceDB takes a second to import.
            from xorag.retrieval.search import IndexRetriever  # noqa: PLC0415
            from xorag.retrieval.store_opening import open_store  # noqa: PLC0415

            index = open_store(self._place)
            encoder = None if self._mode is SearchMode.BM25 else self.encoder()
            self._retriever = IndexRetriever(index, encoder, mode=self._mode)
        return self._retriever

    def again(self) -> "IndexOnDemand":
        """The index that lies at the place now, to be read with the encoder that is open.

        Raises:
            ArtifactError: If it is damaged.
            IndexMismatchError: If it was made with another encoder.
            IndexNotFoundError: If there is no index any more.
        """
        other = IndexOnDemand(
            self._location, encoder=self._encoder_name, mode=self._mode, device=self._device
        )
        if self._encoder is not None and other.manifest.encoder is not None:
            require_same_encoder(other.manifest.encoder, self._encoder.spec)
            other._encoder = self._encoder
        return other

    def encoder(self) -> "PassageEncoder":
        """Open the encoder, once; without the table.

        Raises:
            IndexMismatchError: If the encoder is not the index's.
            ModelNotFoundError: If the encoder is not found.
        """
        if self._encoder is None:
            self._encoder = open_named_encoder(
                self.manifest.encoder, self._encoder_name, self._device
            )
        return self._encoder

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        """Find the `k` best passages of each question; opening is not part of the time.

        Args:
            questions: Any number.
            k: Passages of each.
            pieces: Hits come with the embeddings of so many pieces, if the index holds these, or
                with `STORED_PIECES` of as many as it holds.

        Raises:
            IndexMismatchError: If the encoder is not the index's.
            ModelNotFoundError: If the encoder is not found.
            UsageError: If k is less than 1 or a question is empty.
        """
        retriever = self.open()
        start = time.perf_counter()
        encoded = retriever.encode(questions)
        middle = time.perf_counter()
        stored = retriever.index.piece_count
        is_stored = stored > 1 and pieces in (stored, STORED_PIECES)
        hits = retriever.search_encoded(encoded, k=k, with_pieces=is_stored)
        asked = list(encoded.embeddings) or None
        return TimedHits(hits, middle - start, time.perf_counter() - middle, asked)


class PiecesOnDemand:
    """Embeds pieces of passages with an encoder that is opened when the first are asked for."""

    def __init__(
        self, open_encoder: "Callable[[], PassageEncoder]", *, piece_tokens: int = PIECE_TOKENS
    ) -> None:
        """Wrap an encoder.

        Args:
            open_encoder: Called once at most.
            piece_tokens: A passage of more tokens is cut into more pieces than asked for.
        """
        self._open_encoder = open_encoder
        self._piece_tokens = piece_tokens
        self._embedder: PieceEmbedder | None = None

    def open(self) -> "PieceEmbedder":
        """Open the encoder, once.

        Raises:
            IndexMismatchError: If the encoder is not the one that is recorded.
            ModelNotFoundError: If the encoder is not found.
        """
        if self._embedder is None:
            from xorag.retrieval.pieces import PieceEmbedder  # noqa: PLC0415 - takes seconds

            self._embedder = PieceEmbedder(self._open_encoder())
        return self._embedder

    def embed(self, passages: Sequence[Passage], counts: Sequence[int]) -> TimedEmbeddings:
        """Embed each passage cut into so many pieces; opening is not part of the time.

        A passage that is longer than so many pieces of `piece_tokens` is cut into more pieces.

        Raises:
            IndexMismatchError: If the encoder is not the one that is recorded.
            ModelNotFoundError: If the encoder is not found.
        """
        embedder = self.open()
        start = time.perf_counter()
        needed = embedder.needed_pieces(passages, self._piece_tokens)
        enough = [max(pair) for pair in zip(counts, needed, strict=True)]
        embeddings = embedder.embed(passages, enough)
        return TimedEmbeddings(embeddings, time.perf_counter() - start)

    def embed_questions(self, questions: Sequence[str]) -> TimedEmbeddings:
        """Embed questions, `(dimensions,)` each; opening is not part of the time.

        Raises:
            IndexMismatchError: If the encoder is not the one that is recorded.
            ModelNotFoundError: If the encoder is not found.
        """
        embedder = self.open()
        start = time.perf_counter()
        embeddings = embedder.embed_questions(questions)
        return TimedEmbeddings(embeddings, time.perf_counter() - start)


def open_named_encoder(
    spec: EncoderSpec | None, name: str | None, device: torch.device | None
) -> "PassageEncoder":
    """The encoder that a manifest records, by its own name or as named by a user.

    Raises:
        ArtifactError: If the manifest records none.
        IndexMismatchError: If the encoder of that name is another one.
        ModelNotFoundError: If it is not found.
    """
    if spec is None:
        raise ArtifactError("the manifest names no encoder; make the index or projector again")
    if name in (None, spec.name) and (plain := open_plain_encoder(spec, device)):
        return plain
    # Imported here: LanceDB takes a second to import.
    from xorag.retrieval.search import open_encoder  # noqa: PLC0415

    encoder = open_encoder(spec, name, device=device)
    require_same_encoder(spec, encoder.spec)
    return encoder
