"""The mean of a text's own word embeddings, which may stand beside what an encoder made of it.

A sentence encoder keeps what a text is about and loses its names and numbers. The mean of the
embeddings that the language model itself has of the text's tokens, weighted by how rare they are,
keeps many of them, costs a look-up and no pass through any model, and lies where the language
model reads. The idea is xorag's own; `docs/concepts/word-means.md` shows what it brings.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from xorag.compression.model import SoftTokenModel
from xorag.compression.warm_start import weighted_mean_embedding
from xorag.data.pieces import cut_into_pieces
from xorag.types import FloatArray

Encode = Callable[[str], Sequence[int]]
"""The language model's tokens of a text, none of them a control token."""


class WordMeans:
    """Puts word means beside passages' embeddings, for projectors that read them."""

    def __init__(self, model: SoftTokenModel, encode: Encode) -> None:
        """Read words as a language model does.

        Args:
            model: Whose projector says whether, and by which weights, words are read.
            encode: Of the model's tokenizer.
        """
        self._model, self._encode = model, encode

    def beside(self, text: str, embeddings: FloatArray) -> FloatArray:
        """The embeddings of a passage's pieces, each with the mean of its words behind it.

        Args:
            text: Of the passage, without its title.
            embeddings: Of its pieces in order, `(pieces, in_dim)`, cut by `cut_into_pieces`.

        Returns:
            `(pieces, in_dim + hidden)`; as they came, if the projector reads no words.
        """
        if not self._model.projector.shape.word_vocab:
            return embeddings
        means = [self._mean(piece) for piece in cut_into_pieces(text, len(embeddings))]
        return np.concatenate([embeddings, np.stack(means)], axis=1).astype(np.float32)

    @torch.no_grad()
    def _mean(self, text: str) -> FloatArray:
        """The weighted mean of a text's word embeddings, `(hidden,)`; zeros without any words."""
        ids = torch.tensor(list(dict.fromkeys(self._encode(text))), dtype=torch.long)
        layer = self._model.language_model.get_input_embeddings()
        device = self._model.language_model.device
        # Looked up by the layer itself, since some models (Gemma) scale in it.
        words: Tensor = layer(ids.to(device)).float().cpu()
        weights = self._model.projector.word_weights[ids.to(device)].float().cpu()
        mean: FloatArray = weighted_mean_embedding(range(len(ids)), words, weights).numpy()
        return mean
