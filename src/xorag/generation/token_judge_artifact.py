"""What lets a reader judge soft tokens, kept as a projector that names its reader.

It lies in the reader's own folder, as a calibration does. Knows nothing of judging.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector_artifact import SavedProjector, base_model_shape, load_projector
from xorag.errors import ArtifactError, ReaderMismatchError
from xorag.generation.calibration_artifact import reader_fingerprint
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import Layout
from xorag.generation.reader.opening import Reader
from xorag.generation.token_judge import TokenJudge

FOLDER_NAME = "judge"
"""Of the one that belongs to a reader, inside the reader's own folder."""
_SETTING = "judge"


@dataclass(frozen=True, slots=True)
class TokenJudgeSettings:
    """What a manifest says beside a projector's own settings."""

    reader_fingerprint: str
    """Of `reader_fingerprint`."""
    with_title: bool
    """Whether titles stand beside soft tokens."""
    similarity_weight: float = 0.0
    """What the encoder's similarity counts beside the log-odds of relevance."""


@dataclass(frozen=True, slots=True)
class SavedTokenJudge:
    """A projector for judging, with the reader that it was trained for."""

    projector: SavedProjector
    settings: TokenJudgeSettings


def judge_manifest(reader: Reader, encoder: EncoderSpec, settings: TokenJudgeSettings) -> Manifest:
    """The manifest of a judge, without what training has to say."""
    made_of = reader.manifest.base_model if reader.manifest else None
    return Manifest(
        kind="projector",
        base_model=made_of or base_model_shape(reader.language.model, reader.language.name),
        encoder=encoder,
        settings={_SETTING: asdict(settings)},
    )


def is_for_judging(manifest: Manifest) -> bool:
    """Whether a projector was trained for judging."""
    return _SETTING in manifest.settings


def load_token_judge(directory: Path) -> SavedTokenJudge:
    """Read one back, after its manifest and hashes agree.

    Raises:
        ArtifactError: If it is incomplete, altered, or a projector for other things.
    """
    saved = load_projector(directory)
    try:
        settings = TypeAdapter(TokenJudgeSettings).validate_python(
            saved.manifest.settings.get(_SETTING)
        )
    except ValidationError as error:
        raise ArtifactError(
            f"the projector at {str(directory)!r} was not trained for judging; give one made by "
            "`xorag train judge`"
        ) from error
    return SavedTokenJudge(saved, settings)


def open_token_judge(
    saved: SavedTokenJudge,
    reader: Reader,
    encoder: PromptEncoder,
    layout: Layout,
    *,
    batch_tokens: int,
) -> TokenJudge:
    """Put a judge beside the reader that it was trained for.

    Args:
        saved: As it was loaded.
        reader: Opened; what it computes stays as it is.
        encoder: Of its tokenizer.
        layout: How questions are worded.
        batch_tokens: The most positions computed together.

    Raises:
        ReaderMismatchError: If it was trained for another reader.
    """
    model = reader.language.model
    given = reader_fingerprint(model, reader.vocabulary.ordered_ids)
    if given != saved.settings.reader_fingerprint:
        raise ReaderMismatchError(
            "this reader's judge of soft tokens was trained for another reader (fingerprint "
            f"{saved.settings.reader_fingerprint}), but the reader has {given}; train one for it "
            "with `xorag train judge`"
        )
    projector = saved.projector.projector.to(model.device)
    soft = SoftTokenModel(model, projector, saved.projector.adapters)
    return TokenJudge(
        soft,
        encoder,
        layout,
        with_title=saved.settings.with_title,
        similarity_weight=saved.settings.similarity_weight,
        batch_tokens=batch_tokens,
    )
