"""Adapters in a projector's directory: read as written, in small files, checked."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.compression.tiny_adapters import adapters_of
from tests.compression.tiny_models import HIDDEN, IN_DIM, make_model
from xorag.artifact.manifest import MANIFEST_NAME, Manifest
from xorag.compression.adapters import LowRankAdapters
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.errors import ArtifactError

EMPTY = Manifest(kind="projector")


@pytest.fixture(scope="module")
def adapters() -> LowRankAdapters:
    return adapters_of(make_model("llama"))


def test_a_projector_comes_back_with_its_adapters(
    tmp_path: Path, adapters: LowRankAdapters
) -> None:
    projector = Projector(IN_DIM, HIDDEN)

    save_projector(tmp_path / "p", projector, EMPTY, adapters=adapters, dtype=torch.float16)

    saved = load_projector(tmp_path / "p")
    assert saved.adapters is not None
    assert (saved.adapters.rank, saved.adapters.alpha) == (2, 6.0)
    assert saved.adapters.layers.keys() == adapters.layers.keys()
    for name, layer in saved.adapters.layers.items():
        assert layer.down.dtype == torch.float32
        assert torch.equal(layer.down, adapters.layers[name].down.half().float())
        assert torch.equal(layer.up, adapters.layers[name].up.half().float())
    assert saved.manifest.settings["adapters"] == {
        "rank": 2,
        "alpha": 6.0,
        "targets": ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
    }
    assert set(saved.manifest.files) == {"projector.safetensors", "adapters.safetensors"}


def test_no_file_is_larger_than_asked_for(tmp_path: Path, adapters: LowRankAdapters) -> None:
    projector = Projector(IN_DIM, HIDDEN, depth=3)
    most, header = 1500, 1100

    save_projector(tmp_path / "p", projector, EMPTY, adapters=adapters, max_file_bytes=most)

    sizes = {path.name: path.stat().st_size for path in (tmp_path / "p").glob("*.safetensors")}
    assert {"projector-00001.safetensors", "adapters-00002.safetensors"} <= sizes.keys()
    assert max(sizes.values()) <= most + header
    saved = load_projector(tmp_path / "p")
    for name, tensor in projector.state_dict().items():
        assert torch.equal(saved.projector.state_dict()[name], tensor)
    assert saved.adapters is not None
    assert saved.adapters.layers.keys() == adapters.layers.keys()


def test_a_projector_saved_without_adapters_has_none(
    tmp_path: Path, adapters: LowRankAdapters
) -> None:
    with_some = save_projector(
        tmp_path / "with", Projector(IN_DIM, HIDDEN), EMPTY, adapters=adapters
    )

    save_projector(tmp_path / "without", Projector(IN_DIM, HIDDEN), with_some)

    saved = load_projector(tmp_path / "without")
    assert saved.adapters is None
    assert "adapters" not in saved.manifest.settings


def test_an_altered_file_of_adapters_is_refused(tmp_path: Path, adapters: LowRankAdapters) -> None:
    save_projector(tmp_path / "p", Projector(IN_DIM, HIDDEN), EMPTY, adapters=adapters)
    file = tmp_path / "p" / "adapters.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(ArtifactError, match=r"adapters\.safetensors.*altered or damaged"):
        load_projector(tmp_path / "p")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("rank", 3, "adapters of rank 3 for .* are stated, but those kept are of rank"),
        ("targets", ["q_proj"], "rank 2 for q_proj are stated"),
        ("alpha", "much", "alpha"),
    ],
)
def test_adapters_that_are_not_those_stated_are_refused(
    key: str, value: object, reason: str, tmp_path: Path, adapters: LowRankAdapters
) -> None:
    save_projector(tmp_path / "p", Projector(IN_DIM, HIDDEN), EMPTY, adapters=adapters)
    path = tmp_path / "p" / MANIFEST_NAME
    stated = json.loads(path.read_text(encoding="utf-8"))
    stated["settings"]["adapters"][key] = value
    path.write_text(json.dumps(stated), encoding="utf-8")

    with pytest.raises(ArtifactError, match=reason):
        load_projector(tmp_path / "p")


def test_half_an_adapter_is_refused(tmp_path: Path, adapters: LowRankAdapters) -> None:
    saved = save_projector(tmp_path / "p", Projector(IN_DIM, HIDDEN), EMPTY, adapters=adapters)
    file = tmp_path / "p" / "adapters.safetensors"
    tensors = load_file(file)
    del tensors["model.layers.0.mlp.up_proj.up"]
    save_file(tensors, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    files = {**saved.files, "adapters.safetensors": digest}
    text = saved.model_copy(update={"files": files, "sizes": {}}).model_dump_json()
    (tmp_path / "p" / MANIFEST_NAME).write_text(text, encoding="utf-8")

    with pytest.raises(ArtifactError, match="a factor of an adapter is missing"):
        load_projector(tmp_path / "p")
