"""An index that is followed while it changes: appended to, replaced, damaged, deleted, restored.

The table of an index shows its newest version at each search. An index that was replaced as a
whole, in a directory or in a bucket, is opened again, between two searches. Knows nothing of
questions and answers.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xorag.artifact.folder_place import FolderPlace
from xorag.artifact.manifest import Manifest
from xorag.artifact.places import Place
from xorag.errors import ArtifactError, StorageError
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.store import ListedDocument
from xorag.retrieval.timed import IndexOnDemand, TimedHits
from xorag.serving.protocol import IndexAbout
from xorag.serving.unreadable import readable

if TYPE_CHECKING:
    from xorag.retrieval.encoder import PassageEncoder
    from xorag.retrieval.search import IndexRetriever

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at the manifest of an index in a bucket; in a directory each search looks."""


class FollowedIndex:
    """An index as it lies at its place at each search; a `TimedRetriever`."""

    def __init__(
        self, index: IndexOnDemand, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Follow an index.

        Args:
            index: As it is now.
            clock: Seconds, by which looks into a bucket are spaced.
        """
        self._index = index
        self._watch = _Watch(index.place, clock)
        self._signature = self._watch.signature()
        self._opening = threading.Lock()
        self._is_held = False

    @property
    def manifest(self) -> Manifest:
        """What the index says of itself."""
        return self._index.manifest

    @property
    def place(self) -> Place:
        """Where the index is."""
        return self._index.place

    def open(self) -> "IndexRetriever":
        """Open the table and the encoder, once; raises as `find` does."""
        with self._readable():
            return self._present().open()

    def encoder(self) -> "PassageEncoder":
        """The encoder of the index; raises as `IndexOnDemand.encoder` does."""
        return self._index.encoder()

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        """Find the `k` best passages of each question, in the index as it is now.

        Raises:
            ArtifactError: If the index cannot be read now.
            IndexMismatchError: If it was replaced by one of another encoder.
            IndexNotFoundError: If it was deleted.
            StorageError: If an object store or Milvus cannot be reached.
            UsageError: If k is less than 1 or a question is empty.
        """
        with self._readable():
            return self._present().find(questions, k=k, pieces=pieces)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have all searches in the block see one version of the index, where Lance keeps it."""
        store = self.open().index
        if not isinstance(store, PassageIndex):
            yield
            return
        with self._readable():
            store.table.checkout(store.table.version)
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            with self._readable():
                store.table.checkout_latest()  # type: ignore[no-untyped-call]  # LanceDB's

    def count(self) -> IndexAbout:
        """How much the index holds now; raises as `find` does, and from any thread."""
        with self._readable():
            store = self._present().open().index
            return IndexAbout(store.passage_count(), store.document_count())

    def documents(self, *, offset: int, limit: int) -> list[ListedDocument]:
        """Some documents of the index as it is now; raises as `find` does, and from any thread."""
        with self._readable():
            return self._present().open().index.documents(offset=offset, limit=limit)

    def _present(self) -> IndexOnDemand:
        """The index, opened again if another one lies at its place now."""
        with self._opening:
            if self._is_held:
                return self._index
            signature = self._watch.signature()
            if signature != self._signature or signature is None:
                self._index = self._index.again()
                self._signature = signature
                logger.info("the index was opened again", extra={"index": self.place.name})
            return self._index

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Say of any failure to read the index that it is one, and open it again next time."""
        try:
            with readable(self.place.name):
                yield
        except (ArtifactError, StorageError):
            self._signature = None
            raise


class _Watch:
    """Looks at what lies at a place; where looking costs a request, once in a while."""

    def __init__(self, place: Place, clock: Callable[[], float]) -> None:
        self._place = place
        self._clock = clock
        self._looked = -float("inf")
        self._seen: Hashable | None = None

    def signature(self) -> Hashable | None:
        """What tells an index from another one in its place; None where there was none."""
        now = self._clock()
        if isinstance(self._place, FolderPlace) or now - self._looked >= LOOK_SECONDS:
            self._seen = self._place.signature()
            self._looked = now
        return self._seen
