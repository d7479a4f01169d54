"""A projector of the package is found by the model and encoder that it fits, and no other."""

from pathlib import Path

import pytest

from xorag.artifact.manifest import BaseModelShape, EncoderSpec, Manifest
from xorag.compression.pretrained import open_projector, shipped_projector
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import save_projector

MODEL = BaseModelShape(name="tiny", hidden=8, vocab=60, layers=2)
ENCODER = EncoderSpec(name="encoder", dimensions=4, normalized=True)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder of two projectors, of which the second fits."""
    other = MODEL.model_copy(update={"name": "other", "layers": 3})
    for name, model in (("a-other", other), ("b-tiny", MODEL)):
        manifest = Manifest(kind="projector", base_model=model, encoder=ENCODER)
        save_projector(tmp_path / name, Projector(4, 8), manifest)
    return tmp_path


def test_the_projector_that_fits_is_found(package: Path) -> None:
    assert shipped_projector(MODEL, ENCODER, folder=package) == package / "b-tiny"


@pytest.mark.parametrize("change", [{"name": "like-tiny"}, {"hidden": 9}])
def test_another_model_gets_none(change: dict[str, object], package: Path) -> None:
    assert shipped_projector(MODEL.model_copy(update=change), ENCODER, folder=package) is None


def test_another_encoder_gets_none(package: Path) -> None:
    raw = ENCODER.model_copy(update={"normalized": False})

    assert shipped_projector(MODEL, raw, folder=package) is None


def test_a_projector_that_is_named_is_taken_without_an_index(package: Path) -> None:
    saved = open_projector(package / "b-tiny", MODEL, None)

    assert saved is not None
    assert saved.manifest.base_model == MODEL
    assert open_projector(None, MODEL, None) is None
