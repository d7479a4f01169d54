"""What an artifact says of itself: its kind, format, models and the hashes of its files.

Knows nothing of how the files are written or read.
"""

from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

FORMAT: Final = 1
"""The artifact format that this version of xorag writes and reads."""

MANIFEST_NAME = "manifest.json"

Kind = Literal["index", "projector", "reader", "calibration"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BaseModelShape(_Frozen):
    """The language model that an artifact belongs to, and the sizes that must agree."""

    name: str = Field(description="as resolved when the artifact was made")
    hidden: int = Field(ge=1)
    vocab: int = Field(ge=1)
    layers: int = Field(ge=1)


class EncoderSpec(_Frozen):
    """The encoder that made the embeddings, and all that changes what it makes of a text."""

    name: str = Field(description="as resolved when the artifact was made")
    dimensions: int = Field(ge=1)
    normalized: bool = Field(description="whether embeddings are scaled to length 1")
    pooling: str | None = Field(default=None, description="mean, cls, last ...; None: the model's")
    query_prompt: str = Field(default="", description="put before each query")
    passage_prompt: str = Field(default="", description="put before each passage")
    max_tokens: int | None = Field(default=None, ge=1, description="where texts are cut")
    append_eos: bool = Field(default=False, description="whether texts end with eos")
    title_separator: str = Field(default=" | ", description="between a passage's title and text")
    metric: Literal["cosine", "dot", "l2"] = Field(
        default="cosine", description="how a query's embedding and a passage's are compared"
    )
    query_encoder: str | None = Field(
        default=None, description="the model for queries, where it is another one (DPR)"
    )
    multivector: bool = Field(default=False, description="one embedding a token (ColBERT)")
    fingerprint: str = Field(default="", description="short hash of the weights; empty: unknown")


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or name == MANIFEST_NAME:
        raise ValueError(f"{name!r} is not the name of a file inside the artifact")
    return name


FileName = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Frozen):
    """The `manifest.json` of an artifact directory (decision 006)."""

    kind: Kind
    format: Literal[1] = FORMAT
    xorag: str = Field(default=version("xorag"), description="the version that wrote it")
    base_model: BaseModelShape | None = None
    encoder: EncoderSpec | None = None
    placeholder: str | None = Field(default=None, description="the token that marks a soft token")
    recipe: dict[str, Any] = Field(default_factory=dict, description="how it was trained")
    metrics: dict[str, Any] = Field(default_factory=dict, description="what it reached")
    settings: dict[str, Any] = Field(default_factory=dict, description="the kind's own options")
    files: dict[FileName, Sha256] = Field(default_factory=dict)
    sizes: dict[FileName, int] = Field(default_factory=dict, description="bytes of each file")
