"""Opening the models of an evaluation, and saying which they are.

Knows nothing of questions.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xorag.artifact.manifest import MANIFEST_NAME, Manifest
from xorag.errors import ProjectorMismatchError, UsageError
from xorag.evaluation.plan import Condition, PassageSource
from xorag.evaluation.ranking import Ranking, score_rankings
from xorag.evaluation.registered import Models
from xorag.generation.reader.shipped import shipped_reader
from xorag.pipeline import Pipeline
from xorag.pipeline.generator_kind import GeneratorKind
from xorag.pipeline.needs import needed_cascade, needed_reader
from xorag.pipeline.opening import PartNames, Parts, open_parts
from xorag.pipeline.opening_reader import SHIPPED
from xorag.retrieval.timed import IndexOnDemand
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.sources import default_index_path
from xorag.types import AUTO, Mode, SearchMode
from xorag.types.readings import JUDGED_MODES


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how the models compute."""

    device: str | None = None
    dtype: str | None = None
    batch_tokens: int = 8192
    """The most tokens, padding and new ones included, generated together."""

    def __post_init__(self) -> None:
        if self.batch_tokens < 1:
            raise UsageError(f"--batch-tokens must be at least 1, got {self.batch_tokens}")

    def like(self, recorded: Models | None) -> "Place":
        """The same, with what is unset as it was when the evaluation began.

        On a CPU the faster format is measured, which may choose another one the second time.
        """
        if recorded is None:
            return self
        return Place(
            self.device or recorded.device, self.dtype or recorded.dtype, self.batch_tokens
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A pipeline, and the names of what is in it."""

    pipeline: Pipeline
    models: Models
    projector: Manifest | None = None


def open_models(
    names: PartNames, place: Place, passages: PassageSource, conditions: Sequence[Condition]
) -> Opened:
    """Open what the conditions need, so that what is missing shows before anything is asked.

    Raises:
        IndexNotFoundError: If passages are to be retrieved and there is no index.
        MissingExtraError: If passages are to be retrieved and ir-measures is not installed.
        ModelNotFoundError: If a model is not found.
        ProjectorMismatchError: If soft tokens are to be read and no projector fits.
        UsageError: If a device, format or layout is unknown, or an encoder must be named.
    """
    if passages is PassageSource.RETRIEVED:
        _require_ranking()
    device = pick_device(place.device)
    dtype = pick_dtype(device, place.dtype)
    parts = open_parts(names, device, dtype, batch_tokens=place.batch_tokens)
    pipeline = Pipeline.of(parts)
    _require(parts, pipeline, passages, conditions)
    models = Models(
        model=parts.model.name,
        encoder=parts.encoder.name if parts.encoder else None,
        projector=_projector_name(names, parts),
        projector_sha256=_digest(parts.projector),
        index=_index_name(names, parts),
        index_sha256=_digest(_index_manifest(parts)),
        layout=parts.builder.layout.name,
        dtype=str(dtype).removeprefix("torch."),
        device=device.type,
        reader=None if names.reader is None else str(names.reader),
        reader_sha256=_reader_digest(names),
        calibration=_calibrated(parts),
        form_calibration=_form_calibration(parts, conditions),
        judge=None if names.judge is None else str(names.judge),
        reranker=names.reranker,
        search=_search_name(names, parts),
        generator=None if names.generator == GeneratorKind.TRANSFORMERS else str(names.generator),
    )
    return Opened(pipeline, models, parts.projector)


def _require_ranking() -> None:
    """Make sure that retrieval can be scored, before hours are spent on answers.

    Raises:
        MissingExtraError: If ir-measures is not installed.
    """
    score_rankings([Ranking(("p",), frozenset({"p"}))], cutoffs=[1])


def _require(
    parts: Parts, pipeline: Pipeline, passages: PassageSource, conditions: Sequence[Condition]
) -> None:
    """Refuse what cannot be asked with these parts."""
    modes = dict.fromkeys(condition.mode for condition in conditions if condition.k)
    has_soft_tokens = any(condition.needs_projector for condition in conditions)
    if has_soft_tokens and parts.projector is None:
        raise ProjectorMismatchError(
            f"no projector fits the language model {parts.model.name!r} and its encoder; name one "
            "with --projector, train one with `xorag train projector`, or leave out xrag of "
            "--modes and forms with soft tokens of --form"
        )
    if JUDGED_MODES.intersection(modes):
        needed_reader(parts.openrag)
    if Mode.CASCADE in modes:
        needed_cascade(parts.cascade)
    if passages is PassageSource.RETRIEVED:
        for mode in modes:
            pipeline.prepare(mode)
    elif has_soft_tokens and parts.embedder is None:
        raise UsageError(
            "the projector does not record its encoder, which makes soft tokens of the given "
            "passages; name it with --encoder"
        )


def _projector_name(names: PartNames, parts: Parts) -> str | None:
    if names.projector is not None:
        return str(names.projector)
    return None if parts.projector is None else "the one that comes with xorag"


def _reader_digest(names: PartNames) -> str | None:
    """Of the manifest of a reader that was named; a published checkpoint has none."""
    if names.reader is None:
        return None
    named = names.reader
    directory = shipped_reader(names.model) if named == SHIPPED else Path(named)
    manifest = directory / MANIFEST_NAME
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None


def _calibrated(parts: Parts) -> str | None:
    """The gate that the reader's calibration chose, such as `token at 0.4`."""
    if parts.openrag is None or parts.openrag.calibration is None:
        return None
    gate = parts.openrag.calibration.gate
    return f"{gate.kind.value} at {gate.threshold:g}"


def _form_calibration(parts: Parts, conditions: Sequence[Condition]) -> str | None:
    """Of what forms are worth, where some are chosen by it."""
    is_chosen = any(condition.form == AUTO for condition in conditions)
    return parts.forms.fingerprint if is_chosen and parts.forms is not None else None


def _search_name(names: PartNames, parts: Parts) -> str | None:
    """How the index is searched, where there is one and it is not the default."""
    is_default = parts.retriever is None or names.search == SearchMode.DENSE
    return None if is_default else str(names.search)


def _index_manifest(parts: Parts) -> Manifest | None:
    return parts.retriever.manifest if isinstance(parts.retriever, IndexOnDemand) else None


def _index_name(names: PartNames, parts: Parts) -> str | None:
    if parts.retriever is None:
        return None
    return str(default_index_path() if names.index is None else names.index)


def _digest(manifest: Manifest | None) -> str | None:
    if manifest is None:
        return None
    return hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()
