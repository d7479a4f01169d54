"""The mean of a text's word embeddings beside an encoder's embedding."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.compression.tiny_models import CONFIGS, HIDDEN, IN_DIM, VOCAB, make_model
from xorag.artifact.manifest import Manifest
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector, published_state
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.compression.word_means import WordMeans
from xorag.errors import ProjectorMismatchError

TEXT = "abc. This is a sentence of some length. This is another sentence, of some more length."


def letters(text: str) -> list[int]:
    """Each letter a token."""
    return [ord(letter) % VOCAB for letter in text]


def reader(family: str = "llama", *, word_vocab: int = VOCAB) -> SoftTokenModel:
    return SoftTokenModel(make_model(family), Projector(IN_DIM, HIDDEN, word_vocab=word_vocab))


@pytest.mark.parametrize("family", list(CONFIGS))
def test_behind_an_embedding_stands_the_weighted_mean_of_its_words(family: str) -> None:
    model = reader(family)
    model.projector.word_weights.copy_(torch.rand(VOCAB))
    embedding = np.ones((1, IN_DIM), np.float32)

    found = WordMeans(model, letters).beside(TEXT, embedding)

    ids = torch.tensor(sorted(set(letters(TEXT))))
    words = model.language_model.get_input_embeddings()(ids)
    weights = model.projector.word_weights[ids][:, None]
    assert found.shape == (1, model.projector.shape.width)
    assert (found[:, :IN_DIM] == 1).all()
    expected = (weights * words).sum(0) / weights.sum()
    np.testing.assert_allclose(found[0, IN_DIM:], expected.detach(), atol=1e-5)


def test_each_piece_has_its_own_words() -> None:
    words = WordMeans(reader(), letters)

    both = words.beside(TEXT, np.zeros((2, IN_DIM), np.float32))

    first = words.beside("abc. This is a sentence of some length.", np.zeros((1, IN_DIM)))
    np.testing.assert_allclose(both[0], first[0], atol=1e-6)
    assert not np.allclose(both[1], first[0])


def test_a_text_without_words_has_a_mean_of_zero() -> None:
    found = WordMeans(reader(), letters).beside("", np.zeros((1, IN_DIM), np.float32))

    assert not found.any()


def test_a_projector_that_reads_no_words_gets_its_embeddings_as_they_are() -> None:
    embedding = np.ones((1, IN_DIM), np.float32)

    assert WordMeans(reader(word_vocab=0), letters).beside(TEXT, embedding) is embedding


def test_the_weights_of_words_are_saved_with_the_projector(tmp_path: Path) -> None:
    projector = Projector(IN_DIM, HIDDEN, linear_path=True, word_vocab=VOCAB)
    projector.word_weights.copy_(torch.arange(VOCAB))
    save_projector(tmp_path / "p", projector, Manifest(kind="projector"))

    loaded = load_projector(tmp_path / "p").projector

    assert loaded.shape == projector.shape
    assert torch.equal(loaded.word_weights, projector.word_weights)
    read = torch.randn(3, projector.shape.width)
    assert torch.equal(loaded(read), projector(read))


def test_a_projector_that_reads_words_refuses_embeddings_alone() -> None:
    with pytest.raises(ProjectorMismatchError, match=f"width {IN_DIM + HIDDEN}"):
        Projector(IN_DIM, HIDDEN, word_vocab=VOCAB)(torch.randn(2, IN_DIM))
    with pytest.raises(ProjectorMismatchError, match="published form"):
        published_state(Projector(IN_DIM, HIDDEN, word_vocab=VOCAB))
