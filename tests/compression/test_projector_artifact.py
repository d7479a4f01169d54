"""A saved projector comes back equal, or is refused with the reason."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.compression.tiny_models import make_model
from xorag.artifact.manifest import BaseModelShape, EncoderSpec, Manifest
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import (
    WEIGHTS_NAME,
    base_model_shape,
    check_fits_encoder,
    check_fits_model,
    load_projector,
    save_projector,
)
from xorag.errors import ArtifactError, ProjectorMismatchError

MODEL = BaseModelShape(name="tiny", hidden=8, vocab=60, layers=2)
ENCODER = EncoderSpec(name="encoder", dimensions=4, normalized=True)


def manifest(**fields: Any) -> Manifest:  # noqa: ANN401 - a manifest's fields
    return Manifest(kind="projector", **{"base_model": MODEL, "encoder": ENCODER, **fields})


@pytest.mark.parametrize("linear_path", [True, False])
def test_a_projector_comes_back_equal_with_its_metrics(
    tmp_path: Path, *, linear_path: bool
) -> None:
    projector = Projector(4, 8, depth=3, linear_path=linear_path)
    save_projector(tmp_path / "p", projector, manifest(metrics={"loss": 2.5}))

    saved = load_projector(tmp_path / "p")

    passages = torch.randn(2, 4)
    assert torch.equal(saved.projector(passages), projector(passages))
    assert saved.manifest.metrics == {"loss": 2.5}


def test_half_precision_on_disk_is_float32_in_memory(tmp_path: Path) -> None:
    projector = Projector(4, 8)
    save_projector(tmp_path / "p", projector, manifest(), dtype=torch.float16)

    saved = load_projector(tmp_path / "p").projector

    passages = torch.randn(2, 4)
    assert saved.dtype == torch.float32
    assert torch.allclose(saved(passages), projector(passages), atol=1e-2)


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    save_projector(tmp_path / "p", Projector(4, 8), manifest())
    weights = tmp_path / "p" / WEIGHTS_NAME
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")

    with pytest.raises(ArtifactError):
        load_projector(tmp_path / "p")


def test_a_shape_that_the_weights_do_not_have_is_refused(tmp_path: Path) -> None:
    save_projector(tmp_path / "p", Projector(4, 8), manifest())
    path = tmp_path / "p" / "manifest.json"
    path.write_text(path.read_text().replace('"in_dim": 4', '"in_dim": 5'))

    with pytest.raises(ArtifactError, match="does not have the shape"):
        load_projector(tmp_path / "p")


def test_the_shape_of_a_model_is_read_off_the_model() -> None:
    shape = base_model_shape(make_model("gemma"), "tiny-gemma")

    assert shape == BaseModelShape(name="tiny-gemma", hidden=16, vocab=60, layers=2)


@pytest.mark.parametrize("size", ["hidden", "vocab", "layers"])
def test_a_model_of_another_size_is_refused(size: str) -> None:
    other = MODEL.model_copy(update={size: 99, "name": "other"})

    with pytest.raises(ProjectorMismatchError, match=f"'tiny'.*'other'.*{size} 99"):
        check_fits_model(manifest(), other)


def test_a_model_of_the_same_sizes_fits_under_another_name() -> None:
    check_fits_model(manifest(), MODEL.model_copy(update={"name": "/folder/of/tiny"}))
    check_fits_model(manifest(base_model=None), MODEL)


@pytest.mark.parametrize(
    "change",
    [
        {"normalized": False},
        {"name": "another"},
        {"passage_prompt": "passage: "},
        {"append_eos": True},
    ],
)
def test_embeddings_of_another_kind_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    saved = save_projector(tmp_path / "p", Projector(4, 8), manifest())

    with pytest.raises(ProjectorMismatchError, match=next(iter(change))):
        check_fits_encoder(saved, ENCODER.model_copy(update=change))


def test_embeddings_of_another_width_are_refused(tmp_path: Path) -> None:
    saved = save_projector(tmp_path / "p", Projector(4, 8), manifest())

    with pytest.raises(ProjectorMismatchError, match=r"dimensions 4.*dimensions 5"):
        check_fits_encoder(saved, ENCODER.model_copy(update={"dimensions": 5}))


def test_an_index_of_an_embedding_a_token_is_refused(tmp_path: Path) -> None:
    saved = save_projector(tmp_path / "p", Projector(4, 8), manifest())

    with pytest.raises(ProjectorMismatchError, match="one embedding a token"):
        check_fits_encoder(saved, ENCODER.model_copy(update={"multivector": True}))


def test_equal_weights_under_two_names_are_one_encoder(tmp_path: Path) -> None:
    known = ENCODER.model_copy(update={"fingerprint": "abc"})
    saved = save_projector(tmp_path / "p", Projector(4, 8), manifest(encoder=known))

    check_fits_encoder(saved, known.model_copy(update={"name": "/folder/of/encoder"}))


def test_a_projector_that_names_no_encoder_still_states_its_normalisation(tmp_path: Path) -> None:
    fields = manifest(encoder=None, settings={"normalized": False})
    saved = save_projector(tmp_path / "p", Projector(4, 8), fields)

    check_fits_encoder(saved, ENCODER.model_copy(update={"normalized": False}))
    with pytest.raises(ProjectorMismatchError, match="normalized False"):
        check_fits_encoder(saved, ENCODER)
