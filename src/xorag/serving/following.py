"""An index that is followed while it changes: appended to, replaced, damaged, deleted, restored.

The table of an index shows its newest version at each search. A directory that was replaced as a
whole is opened again, between two searches. Knows nothing of questions and answers.
"""

import logging
import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xorag.artifact.manifest import MANIFEST_NAME, Manifest
from xorag.errors import ArtifactError
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.timed import IndexOnDemand, TimedHits
from xorag.serving.protocol import IndexAbout
from xorag.serving.unreadable import readable

if TYPE_CHECKING:
    from xorag.retrieval.encoder import PassageEncoder
    from xorag.retrieval.search import IndexRetriever

logger = logging.getLogger(__name__)


class FollowedIndex:
    """An index as it lies at its place at each search; a `TimedRetriever`."""

    def __init__(self, index: IndexOnDemand, directory: Path | None) -> None:
        """Follow an index.

        Args:
            index: As it is now.
            directory: Where it lies; None: elsewhere than in a directory, where it cannot be
                replaced unnoticed.
        """
        self._index = index
        self._directory = directory
        self._signature = self._present_signature()
        self._opening = threading.Lock()
        self._is_held = False

    @property
    def manifest(self) -> Manifest:
        """What the index says of itself."""
        return self._index.manifest

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

    def _present(self) -> IndexOnDemand:
        """The index, opened again if another one lies at its place now."""
        with self._opening:
            if self._is_held:
                return self._index
            signature = self._present_signature()
            if signature != self._signature or signature is None:
                self._index = self._index.again()
                self._signature = signature
                logger.info("the index was opened again", extra={"directory": self._directory})
            return self._index

    def _present_signature(self) -> Hashable | None:
        """What tells one directory and manifest from another; None where there is none."""
        if self._directory is None:
            return "elsewhere"
        try:
            folder, manifest = self._directory.stat(), (self._directory / MANIFEST_NAME).stat()
        except OSError:
            return None
        return (folder.st_dev, folder.st_ino, manifest.st_ino, manifest.st_mtime_ns)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Say of any failure to read the index that it is one, and open it again next time."""
        try:
            with readable(self._directory):
                yield
        except ArtifactError:
            self._signature = None
            raise
