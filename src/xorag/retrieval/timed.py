"""Retrieval that says how long its steps took, from an index whose parts are opened when needed.

Knows nothing of how hits are used.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from xorag.artifact.manifest import MANIFEST_NAME, Manifest
from xorag.artifact.store import read_manifest
from xorag.errors import IndexNotFoundError
from xorag.types import Hit, SearchMode

if TYPE_CHECKING:
    from xorag.retrieval.search import IndexRetriever


@dataclass(frozen=True, slots=True)
class TimedHits:
    """The hits of each question, best first, and what finding them took."""

    hits: list[list[Hit]]
    encode_seconds: float = 0.0
    search_seconds: float = 0.0


class TimedRetriever(Protocol):
    """Anything that finds passages for questions and times itself."""

    def open(self) -> object:
        """Get ready, so that the first question does not wait."""
        ...

    def find(self, questions: Sequence[str], *, k: int) -> TimedHits:
        """Find the `k` best passages of each question."""
        ...


class IndexOnDemand:
    """An index whose manifest is read at once, and whose table and encoder at the first question.

    So a mismatch shows early, and a question that needs no passages waits for neither.
    """

    def __init__(
        self,
        directory: Path,
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
        if not (directory / MANIFEST_NAME).is_file():
            raise IndexNotFoundError(
                f"no index at {str(directory)!r}; build one with `xorag index SOURCE --index "
                f"{directory}`"
            )
        self.manifest: Manifest = read_manifest(directory, kind="index")
        self._directory = directory
        self._encoder = encoder
        self._mode = mode
        self._device = device
        self._retriever: IndexRetriever | None = None

    def open(self) -> "IndexRetriever":
        """Open the table and the encoder, once.

        Raises:
            IndexMismatchError: If the encoder is not the index's.
            ModelNotFoundError: If the encoder is not found.
        """
        if self._retriever is None:
            # Imported here: sentence-transformers and LanceDB take seconds to import.
            from xorag.retrieval.search import open_retriever  # noqa: PLC0415

            self._retriever = open_retriever(
                self._directory, encoder=self._encoder, mode=self._mode, device=self._device
            )
        return self._retriever

    def find(self, questions: Sequence[str], *, k: int) -> TimedHits:
        """Find the `k` best passages of each question; opening is not part of the time.

        Raises:
            IndexMismatchError: If the encoder is not the index's.
            ModelNotFoundError: If the encoder is not found.
            UsageError: If k is less than 1 or a question is empty.
        """
        retriever = self.open()
        start = time.perf_counter()
        encoded = retriever.encode(questions)
        middle = time.perf_counter()
        hits = retriever.search_encoded(encoded, k=k)
        return TimedHits(hits, middle - start, time.perf_counter() - middle)
