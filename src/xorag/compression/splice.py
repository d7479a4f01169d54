"""Put soft tokens into a prompt's embeddings, by position."""

from torch import Tensor

from xorag.errors import SpliceError


def splice(token_embeds: Tensor, soft_tokens: Tensor, is_placeholder: Tensor) -> Tensor:
    """Put soft tokens where the placeholders stand, in the type of the embeddings.

    Args:
        token_embeds: Embeddings of the prompt, `(batch, length, hidden)`.
        soft_tokens: Projected passages in reading order, `(placeholders, hidden)`.
        is_placeholder: True at each placeholder, `(batch, length)`.

    Raises:
        SpliceError: If the two counts or widths differ.

    Examples:
        >>> import torch
        >>> mask = torch.tensor([[False, True]])
        >>> splice(torch.zeros(1, 2, 3), torch.ones(1, 3), mask).tolist()
        [[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]
    """
    wanted, given = int(is_placeholder.sum()), soft_tokens.shape[0]
    if wanted != given:
        raise SpliceError(
            f"the prompt has {wanted} placeholders, but {given} soft tokens came; "
            "give one passage embedding for each placeholder, in reading order"
        )
    if soft_tokens.shape[-1] != token_embeds.shape[-1]:
        raise SpliceError(
            f"the language model is {token_embeds.shape[-1]} wide, but the soft tokens are "
            f"{soft_tokens.shape[-1]} wide; use a projector made for this model"
        )
    return token_embeds.masked_scatter(
        is_placeholder.unsqueeze(-1), soft_tokens.to(token_embeds.dtype)
    )
