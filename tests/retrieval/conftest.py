"""Tiny checkpoints, made once a session."""

from pathlib import Path

import pytest

from tests.retrieval import tiny_encoders
from xorag.retrieval.encoder import Encoder
from xorag.types import Document


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that normalises, like the default encoder."""
    return tiny_encoders.save_encoder(tmp_path_factory.mktemp("normalizing"))


@pytest.fixture(scope="session")
def raw_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that does not normalise, with other weights."""
    return tiny_encoders.save_encoder(tmp_path_factory.mktemp("raw"), seed=7, normalize=False)


@pytest.fixture(scope="session")
def colbert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoders.save_colbert(tmp_path_factory.mktemp("colbert"))


@pytest.fixture(scope="session")
def cross_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoders.save_cross_encoder(tmp_path_factory.mktemp("cross"))


@pytest.fixture(scope="session")
def encoder(encoder_folder: Path) -> Encoder:
    return Encoder.open(str(encoder_folder), device="cpu")


@pytest.fixture(scope="session")
def raw_encoder(raw_encoder_folder: Path) -> Encoder:
    return Encoder.open(str(raw_encoder_folder), device="cpu")


@pytest.fixture
def documents() -> list[Document]:
    """Forty short documents, each with words of its own."""
    return [
        Document(f"d{i}", f"Title {i}", f"Emma was the first. The author wrote novel{i}x in paris.")
        for i in range(40)
    ]
