"""The projector: from a passage's embedding to a soft token (xRAG, arXiv 2405.13792)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from xorag.errors import ConfigError, ProjectorMismatchError

_PUBLISHED_PREFIX = "projector."


@dataclass(frozen=True, slots=True)
class ProjectorShape:
    """All that is needed to build a projector before its weights are read."""

    in_dim: int
    """Width of a passage's embedding."""
    hidden: int
    """Width of the language model."""
    depth: int = 2
    """Linear layers of the MLP, with a GELU between each two (`mlp{depth}x_gelu`)."""
    linear_path: bool = False
    """Whether a linear map stands beside the MLP."""
    word_vocab: int = 0
    """Tokens whose weighted mean embedding it reads beside the passage's; 0: it reads none."""

    @property
    def width(self) -> int:
        """Of all that it reads of a passage."""
        return self.in_dim + (self.hidden if self.word_vocab else 0)

    def __post_init__(self) -> None:
        for name in ("in_dim", "hidden", "depth"):
            if getattr(self, name) < 1:
                raise ConfigError(f"projector.{name} must be at least 1, got {getattr(self, name)}")


class Projector(nn.Module):
    """An MLP with GELUs, and on demand a linear map beside it, summed.

    The linear path is what the closed-form warm start fills; published projectors have none. One
    that reads words takes the mean of a text's word embeddings behind the text's own embedding.
    """

    word_weights: Tensor
    """How much each token counts in the mean, `(word_vocab,)`; only where words are read."""

    def __init__(
        self,
        in_dim: int,
        hidden: int,
        depth: int = 2,
        *,
        linear_path: bool = False,
        word_vocab: int = 0,
    ) -> None:
        super().__init__()
        self.shape = ProjectorShape(in_dim, hidden, depth, linear_path, word_vocab)
        self.mlp = _mlp([self.shape.width] + [hidden] * depth)
        self.linear = nn.Linear(self.shape.width, hidden) if linear_path else None
        if word_vocab:
            self.register_buffer("word_weights", torch.ones(word_vocab))

    @classmethod
    def of_shape(cls, shape: ProjectorShape) -> "Projector":
        """Build one with weights still to be filled."""
        return cls(
            shape.in_dim,
            shape.hidden,
            shape.depth,
            linear_path=shape.linear_path,
            word_vocab=shape.word_vocab,
        )

    @property
    def dtype(self) -> torch.dtype:
        """The type it computes in."""
        return next(self.parameters()).dtype

    def forward(self, passages: Tensor) -> Tensor:
        """Turn passage embeddings into soft tokens, in the projector's own type.

        Args:
            passages: Embeddings as the encoder gave them, `(passages, in_dim)`, with the means of
                the passages' words behind them where it reads words, `(passages, width)`.

        Raises:
            ProjectorMismatchError: If the embeddings have another width.
        """
        if passages.shape[-1] != self.shape.width:
            raise ProjectorMismatchError(
                f"the projector reads embeddings of width {self.shape.width}, but these are "
                f"{passages.shape[-1]} wide; use the encoder that it was trained with"
            )
        passages = passages.to(self.dtype)
        soft_tokens: Tensor = self.mlp(passages)
        if self.linear is None:
            return soft_tokens
        beside: Tensor = self.linear(passages)
        return soft_tokens + beside


def _mlp(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.GELU(), nn.Linear(before, after)] if layers else [nn.Linear(before, after)]
    return nn.Sequential(*layers)


def projector_from_published(tensors: Mapping[str, Tensor]) -> Projector:
    """Build a projector from the keys that xRAG publishes, `projector.0.weight` and so on.

    Args:
        tensors: The projector's tensors; a leading `projector.` of the wrapping model is allowed.

    Raises:
        ProjectorMismatchError: If the keys are not those of an `mlp{n}x_gelu`.
    """
    state = {_own_key(key): tensor for key, tensor in tensors.items()}
    weights = sorted(key for key in state if key.endswith(".weight"))
    expected = {f"mlp.{2 * i}.{kind}" for i in range(len(weights)) for kind in ("weight", "bias")}
    if not weights or set(state) != expected:
        raise ProjectorMismatchError(
            "a projector of the kind mlp{n}x_gelu has linear layers 0, 2, 4 and so on, but these "
            f"keys came: {sorted(tensors)}; check that the file comes from xRAG"
        )
    first = state["mlp.0.weight"]
    projector = Projector(first.shape[1], first.shape[0], depth=len(weights)).to(first.dtype)
    _fill(projector, state)
    return projector


def published_state(projector: Projector) -> dict[str, Tensor]:
    """The projector's tensors under the keys that xRAG publishes, as the whole model saves them.

    Raises:
        ProjectorMismatchError: If it has a linear path or reads words, for which those files have
            no place.
    """
    if projector.linear is not None or projector.shape.word_vocab:
        raise ProjectorMismatchError(
            "a projector with a linear path, or one that reads words, has no published form; save "
            "it as an xorag projector"
        )
    return {
        f"{_PUBLISHED_PREFIX * 2}{key.removeprefix('mlp.')}": tensor
        for key, tensor in projector.state_dict().items()
    }


def _own_key(key: str) -> str:
    while key.startswith(_PUBLISHED_PREFIX):
        key = key.removeprefix(_PUBLISHED_PREFIX)
    return f"mlp.{key}"


def _fill(projector: Projector, state: Mapping[str, Tensor]) -> None:
    """Load weights, with the tree's own exception for shapes that do not chain."""
    try:
        projector.load_state_dict(state)
    except RuntimeError as error:
        raise ProjectorMismatchError(
            f"the projector's layers do not fit each other: {error}; check that the file is whole"
        ) from error
