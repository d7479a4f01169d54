"""Opening the language model of a pipeline: a plain one, or a reader with its calibration."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel

from xorag.artifact.hub import find_artifact
from xorag.artifact.manifest import BaseModelShape
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector_artifact import base_model_shape
from xorag.errors import UsageError
from xorag.generation.calibration_artifact import (
    FOLDER_NAME,
    Calibration,
    check_fits_reader,
    load_calibration,
    reader_fingerprint,
)
from xorag.generation.control import PromptEncoder
from xorag.generation.judging import Judge
from xorag.generation.layouts import layout_named
from xorag.generation.reader.opening import Reader, open_reader
from xorag.generation.reader.remote import open_remote_reader, stored_fingerprint
from xorag.generation.reader.shipped import SHIPPED as READERS
from xorag.generation.reader.shipped import shipped_reader
from xorag.generation.token_judge_artifact import FOLDER_NAME as JUDGE_FOLDER
from xorag.generation.token_judge_artifact import load_token_judge, open_token_judge
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_rows import RemoteRows
from xorag.pipeline.cascade import Cascade
from xorag.pipeline.openrag import OpenRag
from xorag.runtime.embeddings_only import load_embeddings_only
from xorag.runtime.loading import LanguageModel, load_language_model

SHIPPED = "shipped"
"""Names the reader that comes with xorag and fits the language model."""
_LAYOUT = "openrag"


@dataclass(frozen=True, slots=True)
class ReaderNames:
    """A reader and its calibration, as a user names them."""

    reader: str | Path | None = None
    """None for no reader."""
    calibration: str | Path | None = None
    is_calibrated: bool = True
    """Whether the one in the reader's directory is used, where none is named."""
    judge: str | Path | None = None
    """What lets it judge soft tokens; None: what lies in its directory, if anything."""


@dataclass(frozen=True, slots=True)
class OpenedLanguage:
    """A language model, and the reader that it is, if it is one."""

    language: LanguageModel
    shape: BaseModelShape
    """Of the model without its reflection tokens, which projectors are made for."""
    reader: Reader | None = None
    directory: Path | None = None
    """Of the reader."""
    is_elsewhere: bool = False
    """Whether a server computes it, and only its embeddings are here."""

    @property
    def made_of(self) -> str | None:
        """The language model that the reader was made of, where its manifest says it."""
        made_of = self.reader.manifest.base_model if self.reader and self.reader.manifest else None
        return None if made_of is None else made_of.name

    def openrag(
        self,
        model: SoftTokenModel | PreTrainedModel,
        prompts: PromptEncoder,
        names: ReaderNames,
        *,
        batch_tokens: int,
        remote: RemoteModel | None = None,
    ) -> OpenRag | None:
        """Mode openrag with this reader; None where it is none.

        Args:
            model: The language model, in a projector's wrapper if there is one.
            prompts: Encodes for it.
            names: Of its calibration.
            batch_tokens: The most tokens computed together.
            remote: The same model on a server, where that computes it.

        Raises:
            CalibrationMismatchError: If the calibration was made for another reader.
        """
        if self.reader is None:
            return None
        layout = layout_named(_LAYOUT, self.language.tokenizer)
        watched = self.reader.vocabulary.ordered_ids
        rows = RemoteRows(remote, watched_ids=watched) if remote is not None else None
        judge = Judge(model, prompts, layout, batch_tokens=batch_tokens, rows=rows)
        return OpenRag(judge, self._calibration(self.reader, names))

    def cascade(
        self, prompts: PromptEncoder, names: ReaderNames, *, batch_tokens: int
    ) -> Cascade | None:
        """Mode cascade with this reader; None where it cannot judge soft tokens, or not here.

        Args:
            prompts: Encodes for it.
            names: Of what lets it judge them.
            batch_tokens: The most tokens computed together.

        Raises:
            ArtifactError: If what was named is incomplete, altered, or was not trained for this.
            ReaderMismatchError: If it was trained for another reader.
        """
        beside = None if self.directory is None else self.directory / JUDGE_FOLDER
        is_beside = beside is not None and beside.is_dir()
        if self.reader is None or self.is_elsewhere or (names.judge is None and not is_beside):
            return None
        saved = load_token_judge(find_artifact(names.judge or str(beside), "projector"))
        layout = layout_named(_LAYOUT, self.language.tokenizer)
        judge = open_token_judge(saved, self.reader, prompts, layout, batch_tokens=batch_tokens)
        return Cascade(judge)

    def _calibration(self, reader: Reader, names: ReaderNames) -> Calibration | None:
        """The calibration that was named, else the one in the reader's directory, else none."""
        beside = None if self.directory is None else self.directory / FOLDER_NAME
        is_beside = names.is_calibrated and beside is not None and beside.is_dir()
        if names.calibration is None and not is_beside:
            return None
        named = find_artifact(names.calibration or str(beside), "calibration")
        found = load_calibration(named)
        check_fits_reader(found, str(self.directory or names.reader), self._fingerprint(reader))
        return found

    def _fingerprint(self, reader: Reader) -> str:
        if self.is_elsewhere and self.directory is not None:
            return stored_fingerprint(self.directory)
        return reader_fingerprint(reader.language.model, reader.vocabulary.ordered_ids)


def open_language(
    model: str | None, names: ReaderNames, place: torch.device, dtype: torch.dtype
) -> OpenedLanguage:
    """Open a language model, or the reader that was named, which brings its own.

    Raises:
        UsageError: If a calibration was named without a reader.
    """
    _check_names(names)
    if names.reader is None:
        language = load_language_model(model, device=place, dtype=dtype)
        return OpenedLanguage(language, base_model_shape(language.model, language.name))
    source = _source(names.reader, model)
    reader = open_reader(source, device=place, dtype=dtype, model=model)
    return OpenedLanguage(reader.language, _shape(reader), reader, source)


def open_embeddings(model: str | None, names: ReaderNames, place: torch.device) -> OpenedLanguage:
    """Open of a language model that computes elsewhere what its prompts are made with.

    Raises:
        ReaderMismatchError: If the reader that was named is not merged.
        UsageError: If a calibration was named without a reader.
    """
    _check_names(names)
    if names.reader is None:
        language = load_embeddings_only(model, device=place)
        return OpenedLanguage(language, base_model_shape(language.model, language.name))
    source = _source(names.reader, model)
    reader = open_remote_reader(source, device=place)
    return OpenedLanguage(reader.language, _shape(reader), reader, source, is_elsewhere=True)


def _check_names(names: ReaderNames) -> None:
    for what, named in (("calibration", names.calibration), ("judge", names.judge)):
        if names.reader is None and named is not None:
            raise UsageError(
                f"a {what} belongs to a reader, but only {str(named)!r} was named; name its reader "
                "with --reader, too"
            )


def _source(reader: str | Path, model: str | None) -> Path:
    """The directory of a reader that was named."""
    if reader == SHIPPED:
        return shipped_reader(model)
    return find_artifact(reader, "reader", packaged=READERS)


def _shape(reader: Reader) -> BaseModelShape:
    """Of the language model that a reader was made of, else of itself."""
    made_of = reader.manifest.base_model if reader.manifest else None
    return made_of or base_model_shape(reader.language.model, reader.language.name)
