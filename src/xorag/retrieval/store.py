"""What keeps the passages of an index: a few verbs for readers, and a few for its one writer.

`PassageIndex` in Lance is one, Milvus another. Knows nothing of how they do it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.places import Place
from xorag.retrieval.scoring import Embeddings
from xorag.types import FloatArray, Hit, Passage

DEFAULT_CHUNK_TOKENS = 180
CHUNK_SETTING = "chunk_tokens"
PIECES_SETTING = "pieces"
STRINGS_SETTING = "strings"
"""The language model by whose vocabulary rare terms were found, where strings are stored."""
STORE_SETTING = "store"
"""What keeps the passages, where it is not Lance beside the manifest."""
URI_SETTING = "uri"
COLLECTION_SETTING = "collection"


@dataclass(frozen=True, slots=True)
class PassageBatch:
    """Some rows of an index."""

    passages: list[Passage]
    embeddings: list[FloatArray]
    """Float32, `(dimensions,)` each, or `(tokens, dimensions)` of a multi-vector index."""
    pieces: list[FloatArray | None] | None = None
    """Float32, `(pieces, dimensions)` each, where they were asked for; None in it: not stored."""


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What all passages of an index have in common."""

    chunk_tokens: int
    """The most tokens of a passage."""
    pieces: int = 0
    """Into how many pieces each is cut whose embeddings are kept too; 0: none are."""
    strings: str | None = None
    """The language model by whose vocabulary strings are found that are kept; None: none are."""
    milvus: str | None = None
    """The file or URL of the Milvus that keeps the passages of a new index; None: Lance does."""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as a list shows it."""

    id: str
    title: str
    passages: int


class PassageStore(Protocol):
    """The passages of an index, to be searched and read."""

    @property
    def place(self) -> Place:
        """Where the manifest is."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What the index says of itself."""
        ...

    @property
    def spec(self) -> EncoderSpec:
        """The encoder that made the stored embeddings."""
        ...

    @property
    def chunk_tokens(self) -> int:
        """The most tokens of a passage."""
        ...

    @property
    def piece_count(self) -> int:
        """Into how many pieces passages are cut whose embeddings are stored; 0: none are."""
        ...

    @property
    def strings_by(self) -> str | None:
        """The language model by whose vocabulary the stored strings were found; None: none are."""
        ...

    def passage_count(self) -> int:
        """Passages now."""
        ...

    def document_count(self) -> int:
        """Documents now."""
        ...

    def search_dense(
        self,
        vectors: Embeddings,
        k: int,
        *,
        with_pieces: bool = False,
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """The nearest passages of each query, best first, with their stored embeddings.

        Args:
            vectors: `(dimensions,)` a query, or `(tokens, dimensions)` for a multi-vector index.
            k: Hits a query.
            with_pieces: Whether hits come with the stored embeddings of their pieces.
            within: Documents whose passages are searched; None: all.
        """
        ...

    def search_bm25(
        self,
        queries: Sequence[str],
        k: int,
        *,
        with_pieces: bool = False,
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """The passages that share the most telling words with each query, best first."""
        ...

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, str]:
        """The content hash of each of the documents that are held."""
        ...

    def document_ids(self, *, batch_size: int = 8192) -> Iterator[list[str]]:
        """The ids of all documents, in batches."""
        ...

    def documents(self, *, offset: int, limit: int) -> list[ListedDocument]:
        """Some documents, in the store's order, which a write may change.

        Args:
            offset: How many are passed over.
            limit: The most that are listed.
        """
        ...

    def stream(
        self, *, batch_size: int = 1024, with_pieces: bool = False
    ) -> Iterator[PassageBatch]:
        """All passages with their embeddings, in batches."""
        ...


class StoreWriter(Protocol):
    """Writes to an index whose lock is held."""

    @property
    def index(self) -> PassageStore:
        """What is written to."""
        ...

    def add(self, rows: pa.Table) -> None:
        """Add the passages of documents that are not held."""
        ...

    def replace(self, rows: pa.Table, document_ids: Sequence[str]) -> None:
        """Put new passages in the place of all that is held of these documents."""
        ...

    def delete(self, document_ids: Sequence[str]) -> None:
        """Take documents out."""
        ...

    def tidy(self, *, force: bool = False) -> None:
        """Merge what many writes have left, every so many writes."""
        ...

    def finish(self, *, vector_index_values: int) -> None:
        """Bring the indexes up to date; from so many stored numbers on vectors get one, too."""
        ...
