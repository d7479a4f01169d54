"""Opens what a server answers with: a pipeline, its index to be followed, what it can do."""

from dataclasses import replace
from pathlib import Path

import torch

from xorag.artifact.manifest import MANIFEST_NAME
from xorag.pipeline.flow import Pipeline
from xorag.pipeline.opening import PartNames, Parts, open_parts
from xorag.retrieval.search import open_encoder
from xorag.retrieval.timed import IndexOnDemand
from xorag.runtime.sources import default_index_path
from xorag.serving.by_mode import ByMode
from xorag.serving.following import FollowedIndex
from xorag.serving.library import Library
from xorag.serving.protocol import About
from xorag.serving.service import Served
from xorag.types import Mode


def open_served(names: PartNames, place: torch.device, dtype: torch.dtype) -> Served:
    """Open an index, the models that belong to it, and the projector between them.

    With a reader, the model that it was made of is opened beside it for the other modes. All is
    loaded, so that the first question doesn't wait; raises as `Pipeline.open` does.

    Args:
        names: Of the parts.
        place: Where the models compute.
        dtype: In which the language model computes.
    """
    parts = open_parts(names, place, dtype)
    pipeline = Pipeline.of(parts)
    index = None
    if isinstance(parts.retriever, IndexOnDemand):
        index = FollowedIndex(parts.retriever, _directory_of(names.index))
        index.open()
        pipeline.retriever = index
    plain = pipeline
    if parts.made_of is not None:
        without = replace(names, model=names.model or parts.made_of, reader=None, calibration=None)
        plain = _beside(pipeline, open_parts(replace(without, reranker=None), place, dtype))
    about = About(
        modes=tuple(_modes(parts, has_index=parts.retriever is not None)),
        model=parts.model.name,
        encoder=parts.encoder.name if parts.encoder else None,
        projector=_name_of_projector(names, parts),
        reader=str(names.reader) if names.reader is not None else None,
    )
    return Served(pipeline if plain is pipeline else ByMode(plain, pipeline), about, index)


def open_library(served: Served, names: PartNames, place: torch.device) -> Library | None:
    """What adds and deletes documents, with an encoder of its own; None where there is no folder.

    Args:
        served: What was opened.
        names: Of its parts.
        place: Where the encoder computes.
    """
    directory = _directory_of(names.index)
    if served.index is None or directory is None:
        return None
    spec = served.index.manifest.encoder
    return Library(directory, lambda: open_encoder(spec, names.encoder, device=place))


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
    }
    return [mode for mode, able in is_able.items() if able]


def _directory_of(index: str | Path | None) -> Path | None:
    """Where the index lies, if that is a directory here, which may be replaced."""
    directory = default_index_path() if index is None else Path(index)
    return directory.absolute() if (directory / MANIFEST_NAME).is_file() else None


def _name_of_projector(names: PartNames, parts: Parts) -> str | None:
    if parts.projector is None:
        return None
    return str(names.projector) if names.projector is not None else "shipped"
