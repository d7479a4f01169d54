"""Measures what the soft tokens of an index's passages restore, and keeps it in the index.

A passage that this language model and projector have measured is not measured again, so a run
that was stopped goes on where it was. Knows nothing of what the numbers are good for.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from xorag.artifact.manifest import Manifest
from xorag.artifact.places import Location
from xorag.compression.model import SoftTokenModel
from xorag.compression.pretrained import open_projector
from xorag.compression.projector_artifact import base_model_shape
from xorag.errors import ProjectorMismatchError, UsageError
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.generation.restoring import Restorer, TokenPair
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.restoration_rows import (
    EmbeddedPassage,
    add_columns,
    read_passages,
    unmeasured,
    write_restorations,
)
from xorag.retrieval.store import DEFAULT_CHUNK_TOKENS
from xorag.retrieval.writer import open_for_writing
from xorag.runtime.loading import load_language_model
from xorag.types import Passage, Restoration

OTHERS = 64
"""Passages of an index whose soft tokens stand for another's."""
PASSAGES_A_WRITE = 32
"""Measured between two writes: what a killed run loses at most."""
BATCH_SIZE = 8
"""Passages measured together, in three rows each."""
OnMeasured = Callable[[int, int], None]
"""Told how many passages are measured, and of how many."""


@dataclass(frozen=True, slots=True)
class RestorationOptions:
    """With what is measured, and how much."""

    model: str | None = None
    """A causal language model: folder, known name or hub name."""
    projector: Path | None = None
    """A directory; unset, one that comes with xorag and fits."""
    limit: int | None = None
    """The most passages of this run, drawn at random; None: all that are not measured."""
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UsageError(
                f"the limit of passages to measure must be at least 1, got {self.limit}; leave it "
                "out to measure all"
            )


@dataclass(frozen=True, slots=True)
class MeasuringReport:
    """What a run measured."""

    measured: int
    """Passages of this run."""
    left: int
    """Passages that this language model and projector have not measured."""
    measured_by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class OpenedRestorer:
    """What measures, and the name under which it is kept."""

    restorer: Restorer
    measured_by: str

    def measure(
        self,
        passages: Sequence[EmbeddedPassage],
        others: Sequence[EmbeddedPassage],
        batch_size: int,
    ) -> Iterator[dict[str, Restoration]]:
        """What the tokens of passages restore, by their ids, in batches of like long ones.

        Args:
            passages: To be measured.
            others: Whose tokens stand for another's.
            batch_size: Passages measured together.
        """
        ordered = sorted(passages, key=lambda item: -_characters(item.passage))
        for start in range(0, len(ordered), batch_size):
            batch = ordered[start : start + batch_size]
            found = self.restorer.measure([_pair(item, others) for item in batch])
            yield {item.passage.id: each for item, each in zip(batch, found, strict=True)}


def measure_restoration(
    location: Location,
    options: RestorationOptions,
    *,
    device: torch.device,
    dtype: torch.dtype,
    on_measured: OnMeasured | None = None,
) -> MeasuringReport:
    """Measure passages of an index that were not measured with these models.

    Args:
        location: Of the index.
        options: With what is measured, and how much.
        device: Where the language model computes.
        dtype: In which it computes.
        on_measured: Told after each batch.

    Raises:
        IndexNotFoundError: If there is no index.
        ModelNotFoundError: If the language model is not found.
        ProjectorMismatchError: If no projector fits the language model and the index.
        StorageError: If another process is writing, or the disk refuses.
        UsageError: If the index holds fewer than two passages, or keeps them in another store.
    """
    start = time.perf_counter()
    opened = open_restorer(PassageIndex.open(location), options, device, dtype)
    with open_for_writing(location, None, chunk_tokens=DEFAULT_CHUNK_TOKENS) as writer:
        _require_others(writer.index)
        add_columns(writer)
        found = unmeasured(writer.index, opened.measured_by, others=OTHERS)
        wanted = found.ids[: options.limit]
        others = read_passages(writer.index, found.others)
        done = 0
        for ids in _parts(wanted, PASSAGES_A_WRITE):
            measured: dict[str, Restoration] = {}
            passages = read_passages(writer.index, ids)
            for some in opened.measure(passages, others, options.batch_size):
                measured |= some
                if on_measured is not None:
                    on_measured(done + len(measured), len(wanted))
            write_restorations(writer, measured, opened.measured_by)
            writer.tidy()
            done += len(measured)
        writer.finish()
    seconds = time.perf_counter() - start
    return MeasuringReport(done, len(found.ids) - done, opened.measured_by, seconds)


def open_restorer(
    index: PassageIndex, options: RestorationOptions, device: torch.device, dtype: torch.dtype
) -> OpenedRestorer:
    """Open the language model and the projector that fits it and the index.

    Raises:
        ModelNotFoundError: If the language model is not found.
        ProjectorMismatchError: If no projector fits.
    """
    language = load_language_model(options.model, device=device, dtype=dtype)
    shape = base_model_shape(language.model, language.name)
    saved = open_projector(options.projector, shape, index.spec)
    if saved is None:
        raise ProjectorMismatchError(
            f"no projector fits the language model {shape.name!r} and the encoder "
            f"{index.spec.name!r} of the index; name one with --projector, or train one with "
            "`xorag train projector`"
        )
    encoder = PromptEncoder(language.tokenizer, placeholder=saved.manifest.placeholder)
    layout = layout_named(saved.manifest.settings.get("layout"), language.tokenizer)
    model = SoftTokenModel(language.model, saved.projector.to(device), saved.adapters)
    return OpenedRestorer(Restorer(model, encoder, layout), pair_name(shape.name, saved.manifest))


def pair_name(model: str, projector: Manifest) -> str:
    """The name of a language model and a projector, by the hashes of the projector's files."""
    digest = hashlib.sha256("".join(sorted(projector.files.values())).encode()).hexdigest()
    return f"{Path(model).name} with projector {digest[:12]}"


def _pair(item: EmbeddedPassage, others: Sequence[EmbeddedPassage]) -> TokenPair:
    """A passage with another, of another document where there is one."""
    rest = [other for other in others if other.passage.id != item.passage.id]
    rest.sort(key=lambda other: other.passage.document_id == item.passage.document_id)
    strangers = sum(other.passage.document_id != item.passage.document_id for other in rest)
    mark = hashlib.blake2b(item.passage.id.encode(), digest_size=8).digest()
    other = rest[int.from_bytes(mark) % max(1, strangers)]
    return TokenPair(item.passage, item.embedding, other.passage, other.embedding)


def _characters(passage: Passage) -> int:
    return len(passage.title) + len(passage.text)


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _require_others(index: PassageIndex) -> None:
    if index.passage_count() < 2:  # noqa: PLR2004 - one and another
        raise UsageError(
            f"the index at {index.place.name!r} holds {index.passage_count()} passages, but a "
            "token is compared with another passage's; index at least two"
        )
