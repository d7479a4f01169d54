"""Opening the parts of a pipeline by their names, each checked against the others."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel

from xorag.artifact.manifest import BaseModelShape, EncoderSpec, Manifest
from xorag.compression.model import SoftTokenModel
from xorag.compression.pretrained import open_projector
from xorag.compression.projector_artifact import SavedProjector
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import BATCH_TOKENS, TransformersGenerator
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import PromptBuilder, word_means
from xorag.generation.protocol import Generator
from xorag.generation.vllm import VllmGenerator
from xorag.generation.vllm_remote import RemoteModel
from xorag.pipeline.cascade import Cascade
from xorag.pipeline.forms.calibration_artifact import FormCalibration
from xorag.pipeline.generator_kind import GeneratorKind
from xorag.pipeline.opening_forms import named_form_calibration, open_form_calibration
from xorag.pipeline.opening_reader import (
    OpenedLanguage,
    ReaderNames,
    open_embeddings,
    open_language,
)
from xorag.pipeline.opening_search import (
    open_embedder,
    open_encoder,
    open_index,
    open_reranker,
)
from xorag.pipeline.openrag import OpenRag
from xorag.pipeline.remote_options import Remote, RemoteNames, RemoteOptions, checked_remote
from xorag.pipeline.selecting import ScoresHits
from xorag.retrieval.timed import IndexOnDemand, TimedEmbedder, TimedRetriever
from xorag.types import ReflectionToken, SearchMode

logger = logging.getLogger(__name__)


class PartOptions(RemoteOptions, total=False):
    """The keywords of `Pipeline.open` that name parts, beside those of its parent."""

    model: str | None
    """A causal language model: folder, known name or hub name."""
    encoder: str | None
    """Of queries and pieces; unset, the index's own, or without an index the one that the projector
    was made for."""
    projector: str | Path | None
    """A directory; unset, one that comes with xorag and fits. Adapters that are kept with it act
    where soft tokens are read, and nowhere else; on a reader they don't act."""
    layout: str | None
    """Of the prompts of the other modes than openrag; unset, the projector's own or the model's
    chat template."""
    reader: str | Path | None
    """For mode openrag: a directory made by `xorag train reader`, `merge` or `import`, a published
    checkpoint, or "shipped" for one that comes with xorag. It brings its language model, which the
    other modes then use, too."""
    calibration: str | Path | None
    """Made by `xorag calibrate`: of that reader, or with its `--form auto` of the projector, for
    form auto; unset, those in their own directories, if any."""
    judge: str | Path | None
    """For mode cascade: what `xorag train judge` made for that reader; unset, what lies in its own
    directory, if anything."""
    search: SearchMode | str
    """How the index is searched: `dense`, the default, `bm25` or `hybrid`."""
    reranker: str | None
    """A cross-encoder that chooses passages: a folder or hub name."""


@dataclass(frozen=True, slots=True)
class PartNames:
    """The parts to open, each as a user names it or unset, as `Pipeline.open` explains."""

    index: str | Path | None = None
    model: str | None = None
    encoder: str | None = None
    projector: str | Path | None = None
    layout: str | None = None
    reader: str | Path | None = None
    calibration: str | Path | None = None
    judge: str | Path | None = None
    reranker: str | None = None
    search: SearchMode | str = SearchMode.DENSE
    is_demo_used: bool = True
    """Whether the demo's index is opened, if there is one and no index is named."""
    is_calibrated: bool = True
    """Whether the calibration in the reader's directory is used, where none is named."""
    generator: GeneratorKind | str = GeneratorKind.TRANSFORMERS
    base_url: str | None = None
    served_model: str | None = None
    served_adapters: str | None = None

    @property
    def projector_directory(self) -> Path | None:
        """The projector as a path."""
        return None if self.projector is None else Path(self.projector)

    @property
    def remote(self) -> RemoteNames:
        """Those that say where the language model computes."""
        return RemoteNames(self.generator, self.base_url, self.served_model, self.served_adapters)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is put together from."""

    builder: PromptBuilder
    generator: Generator
    retriever: TimedRetriever | None
    embedder: TimedEmbedder | None
    model: BaseModelShape
    encoder: EncoderSpec | None
    """Of the index, of the name, or of the projector, whichever is the first that there is."""
    projector: Manifest | None
    openrag: OpenRag | None = None
    """Where a reader was named."""
    cascade: Cascade | None = None
    """Where that reader can judge soft tokens."""
    made_of: str | None = None
    """The language model that the reader was made of; None without a reader, or of a published
    checkpoint, which does not say it."""
    reranker: ScoresHits | None = None
    forms: FormCalibration | None = None
    """What each form of a passage is worth, where that is known."""

    @property
    def trained_tokens(self) -> int | None:
        """Most soft tokens a passage that the projector was trained for; None: there is none.

        One, where the manifest does not say it: so were the published projectors.
        """
        if self.projector is None:
            return None
        return int(max(self.projector.settings.get("tokens_per_passage", [1])))


def open_parts(
    names: PartNames,
    place: torch.device,
    dtype: torch.dtype,
    *,
    batch_tokens: int = BATCH_TOKENS,
) -> Parts:
    """Open an index, the models that belong to it, and the projector between them.

    `Pipeline.open` says what is raised.

    Args:
        names: Of the parts.
        place: Where the models compute.
        dtype: In which the language model computes.
        batch_tokens: The most tokens, padding and new ones included, generated together.
    """
    remote = checked_remote(names.remote)
    retriever = open_index(
        names.index, names.encoder, names.search, place, is_demo_used=names.is_demo_used
    )
    # Without an index, an encoder that was named is opened at once: the projector must fit it.
    named = open_encoder(names.encoder, place) if names.encoder and retriever is None else None
    spec = retriever.manifest.encoder if retriever else named.spec if named else None
    of_forms = named_form_calibration(names.calibration)
    of_reader = _reader_names(names, is_of_forms=of_forms is not None)
    opened = _open_language(names, of_reader, place, dtype, remote)
    saved = open_projector(names.projector_directory, opened.shape, spec)
    manifest = saved.manifest if saved else None
    placeholder = manifest.placeholder if manifest else None
    prompts = PromptEncoder(opened.language.tokenizer, placeholder=placeholder)
    model = _with_projector(opened, saved, place) if saved else opened.language.model
    recorded = manifest.encoder if manifest else None
    there = _on_server(model, prompts, remote, opened) if remote else None
    return Parts(
        _builder(names.layout, manifest, model, prompts),
        _generator(model, prompts, there, batch_tokens),
        retriever,
        open_embedder(retriever, named, recorded, place),
        model=opened.shape,
        encoder=spec or recorded,
        projector=manifest,
        openrag=opened.openrag(model, prompts, of_reader, batch_tokens=batch_tokens, remote=there),
        cascade=opened.cascade(prompts, of_reader, batch_tokens=batch_tokens),
        made_of=opened.made_of,
        reranker=open_reranker(names.reranker, place) if names.reranker else None,
        forms=_open_forms(of_forms, names, saved, opened, spec),
    )


def _reader_names(names: PartNames, *, is_of_forms: bool) -> ReaderNames:
    """A reader with what belongs to it; a calibration of forms does not."""
    of_gate = None if is_of_forms else names.calibration
    return ReaderNames(names.reader, of_gate, names.is_calibrated, names.judge)


def _retriever(names: PartNames, place: torch.device) -> IndexOnDemand | None:
    """What finds passages, where there is an index."""
    is_demo_used = names.is_demo_used
    return open_index(names.index, names.encoder, names.search, place, is_demo_used=is_demo_used)


def _builder(
    layout: str | None,
    projector: Manifest | None,
    model: SoftTokenModel | PreTrainedModel,
    prompts: PromptEncoder,
) -> PromptBuilder:
    """What words prompts: in the layout that was named, else in the projector's own."""
    named = layout or (projector.settings.get("layout") if projector else None)
    words = word_means(model, prompts) if isinstance(model, SoftTokenModel) else None
    return PromptBuilder(prompts, layout_named(named, prompts.tokenizer), words)


def _open_forms(
    named: Path | None,
    names: PartNames,
    saved: SavedProjector | None,
    opened: OpenedLanguage,
    spec: EncoderSpec | None,
) -> FormCalibration | None:
    """What forms are worth; a reader answers otherwise than the model this was seen of."""
    is_beside = names.is_calibrated and opened.reader is None
    return open_form_calibration(
        named, names.projector, saved, opened.shape, spec, is_beside=is_beside
    )


def _open_language(
    names: PartNames,
    reader: ReaderNames,
    place: torch.device,
    dtype: torch.dtype,
    remote: Remote | None,
) -> OpenedLanguage:
    """The language model, or what of it is needed here if a server computes it."""
    if remote is not None:
        return open_embeddings(names.model, reader, place)
    return open_language(names.model, reader, place, dtype)


def _on_server(
    model: SoftTokenModel | PreTrainedModel,
    prompts: PromptEncoder,
    remote: Remote,
    opened: OpenedLanguage,
) -> RemoteModel:
    """The same model on a server; of a reader, its tokens must be known there, too."""
    marks = "".join(ReflectionToken) if opened.reader is not None else ""
    return RemoteModel(remote.server, model, prompts, names=remote.names, marks=marks)


def _generator(
    model: SoftTokenModel | PreTrainedModel,
    prompts: PromptEncoder,
    there: RemoteModel | None,
    batch_tokens: int,
) -> Generator:
    """What computes the language model: this process, or a server."""
    if there is None:
        return TransformersGenerator(model, prompts, batch_tokens=batch_tokens)
    return VllmGenerator(there)


def _with_projector(
    opened: OpenedLanguage, saved: SavedProjector, place: torch.device
) -> SoftTokenModel:
    """The language model with a projector, and with its adapters where they are this model's.

    A reader has other weights than the model that the adapters were trained in, so they are left
    out: its soft tokens are read by the reader as it is.
    """
    is_reader = opened.reader is not None
    if is_reader and saved.adapters is not None:
        logger.info("a projector's adapters are left out, since a reader has other weights")
    return SoftTokenModel(
        opened.language.model, saved.projector.to(place), None if is_reader else saved.adapters
    )
