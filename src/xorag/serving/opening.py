"""Opens what a server answers with: a pipeline, its index to be followed, what it can do."""

from dataclasses import dataclass, replace

import torch

from xorag.artifact.folder_place import FolderPlace
from xorag.artifact.places import Location, Place, place_of
from xorag.pipeline.flow import Pipeline
from xorag.pipeline.generator_kind import GeneratorKind
from xorag.pipeline.opening import PartNames, Parts, open_parts
from xorag.retrieval.search import open_encoder
from xorag.retrieval.timed import IndexOnDemand
from xorag.runtime.sources import default_index_path
from xorag.serving.by_mode import ByMode
from xorag.serving.following import FollowedIndex
from xorag.serving.library import Library
from xorag.serving.protocol import About, LibraryAbout
from xorag.serving.service import Served
from xorag.types import Mode


def open_served(names: PartNames, place: torch.device, dtype: torch.dtype) -> Served:
    """Open an index, the models that belong to it, and the projector between them.

    With a reader, the model that it was made of is opened beside it for the other modes, unless a
    vLLM server computes the reader, which then answers in all of them. All is loaded, so that the
    first question doesn't wait; raises as `Pipeline.open` does.

    Args:
        names: Of the parts.
        place: Where the models compute.
        dtype: In which the language model computes.
    """
    parts = open_parts(names, place, dtype)
    pipeline = Pipeline.of(parts)
    index = None
    if isinstance(parts.retriever, IndexOnDemand):
        index = FollowedIndex(parts.retriever)
        index.open()
        pipeline.retriever = index
    plain = pipeline
    if parts.made_of is not None and names.generator == GeneratorKind.TRANSFORMERS:
        without = replace(names, model=names.model or parts.made_of, reader=None, calibration=None)
        without = replace(without, judge=None)
        plain = _beside(pipeline, open_parts(replace(without, reranker=None), place, dtype))
    about = About(
        modes=tuple(_modes(parts, has_index=parts.retriever is not None)),
        model=parts.model.name,
        encoder=parts.encoder.name if parts.encoder else None,
        projector=_name_of_projector(names, parts),
        reader=str(names.reader) if names.reader is not None else None,
    )
    return Served(pipeline if plain is pipeline else ByMode(plain, pipeline), about, index)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a server answers with, and what changes its documents."""

    served: Served
    library: Library | None = None
    """None where documents cannot be changed; `served.about` says why."""


def with_library(
    served: Served, names: PartNames, place: torch.device, *, is_read_only: bool = False
) -> Opened:
    """Add what lists, adds and deletes documents, with an encoder of its own.

    Args:
        served: What was opened.
        names: Of its parts.
        place: Where the encoder computes.
        is_read_only: Whether nobody shall change documents.
    """
    index = served.index
    if index is None:
        return Opened(served)
    reason = _why_closed(names.index, is_read_only=is_read_only)
    about = replace(served.about, library=LibraryAbout(not reason, reason))
    if reason:
        return Opened(replace(served, about=about))
    spec, location = index.manifest.encoder, _kept(index.place)
    library = Library(location, lambda: open_encoder(spec, names.encoder, device=place))
    return Opened(replace(served, about=about), library)


def _why_closed(index: Location | None, *, is_read_only: bool) -> str:
    """Why the documents of an index cannot be changed; empty where they can."""
    if is_read_only:
        return "the server was started with --read-only"
    location = default_index_path() if index is None else index
    if not place_of(location).has_manifest():
        return "the index is a copy of one that was published, which is not ours to change"
    return ""


def _beside(reader: Pipeline, plain: Parts) -> Pipeline:
    """The model that a reader was made of, which searches with what the reader searches with."""
    pipeline = Pipeline.of(plain)
    pipeline.retriever, pipeline.embedder = reader.retriever, reader.embedder
    pipeline.reranker = reader.reranker
    return pipeline


def _modes(parts: Parts, *, has_index: bool) -> list[Mode]:
    """Those that can be answered in with these parts."""
    is_able = {
        Mode.CLOSED: True,
        Mode.TEXT: has_index,
        Mode.XRAG: has_index and parts.projector is not None,
        Mode.OPENRAG: has_index and parts.openrag is not None,
        Mode.CASCADE: has_index and parts.cascade is not None,
    }
    return [mode for mode, able in is_able.items() if able]


def _kept(place: Place) -> Location:
    """Where an index is, also from another working directory."""
    return place.path.absolute() if isinstance(place, FolderPlace) else place.uri


def _name_of_projector(names: PartNames, parts: Parts) -> str | None:
    if parts.projector is None:
        return None
    return str(names.projector) if names.projector is not None else "shipped"
