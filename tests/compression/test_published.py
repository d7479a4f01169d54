"""Published checkpoints in each form become a plain language model and a projector."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from tests.compression.tiny_models import HIDDEN, IN_DIM, make_model
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector, published_state
from xorag.compression.projector_artifact import load_projector
from xorag.compression.published import import_published
from xorag.errors import ArtifactError, SourceError

ARCHITECTURES = {"mistral": "XMistralForCausalLM", "mixtral": "XMixtralForCausalLM"}
SaveWeights = Callable[[dict[str, Tensor], Path], None]


def save_whole(tensors: dict[str, Tensor], folder: Path) -> None:
    save_file(tensors, folder / "model.safetensors")


def save_sharded(tensors: dict[str, Tensor], folder: Path) -> None:
    weight_map = {}
    for number, key in enumerate(sorted(tensors)):
        weight_map[key] = f"model-0000{1 + number % 3}-of-00003.safetensors"
    for name in set(weight_map.values()):
        save_file({k: tensors[k] for k, v in weight_map.items() if v == name}, folder / name)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def save_pickled(tensors: dict[str, Tensor], folder: Path) -> None:
    torch.save(tensors, folder / "pytorch_model.bin")


def publish(folder: Path, family: str, save: SaveWeights, projector: Projector) -> PreTrainedModel:
    """Write a checkpoint in the published layout."""
    model = make_model(family)
    model.save_pretrained(folder)
    weights = folder / "model.safetensors"
    tensors = {**load_file(weights), **published_state(projector)}
    weights.unlink()
    save(tensors, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": [ARCHITECTURES[family]], "retriever_hidden_size": IN_DIM}
    config |= {"projector_type": "mlp2x_gelu", "rope_theta": 10000.0}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text("{}")
    return model


@pytest.mark.parametrize("family", list(ARCHITECTURES))
@pytest.mark.parametrize("save", [save_whole, save_sharded, save_pickled])
def test_an_imported_checkpoint_computes_what_the_published_one_did(
    family: str, save: SaveWeights, tmp_path: Path
) -> None:
    projector = Projector(IN_DIM, HIDDEN)
    published = SoftTokenModel(publish(tmp_path / "x", family, save, projector), projector)

    imported = import_published(tmp_path / "x", tmp_path / "out")

    language_model = AutoModelForCausalLM.from_pretrained(
        str(imported.language_model), attn_implementation="eager"
    )
    ours = SoftTokenModel(language_model, load_projector(imported.projector).projector)
    ids = torch.tensor([[1, 5, 9, 6]])
    inputs = (ids, torch.ones_like(ids), ids == 9, torch.randn(1, IN_DIM))
    assert type(language_model).__name__ == ARCHITECTURES[family].removeprefix("X")
    assert torch.allclose(ours(*inputs).logits, published(*inputs).logits, atol=1e-6)


def test_the_projector_records_its_base_model_and_the_published_layout(tmp_path: Path) -> None:
    publish(tmp_path / "x", "mistral", save_whole, Projector(IN_DIM, HIDDEN))

    imported = import_published(tmp_path / "x", tmp_path / "out")

    manifest = load_projector(imported.projector).manifest
    assert manifest.base_model is not None
    assert (manifest.base_model.name, manifest.base_model.hidden) == ("x", HIDDEN)
    assert (manifest.settings["layout"], manifest.settings["normalized"]) == ("xrag", False)
    assert imported.has_tokenizer is False


@pytest.mark.parametrize("prefix", ["", "projector.", "projector.projector."])
def test_a_file_that_training_leaves_gives_its_projector(prefix: str, tmp_path: Path) -> None:
    projector = Projector(IN_DIM, HIDDEN)
    state = {
        prefix + key.removeprefix("projector.projector."): tensor
        for key, tensor in published_state(projector).items()
    }
    content = {"projector": state, "embed_tokens": torch.zeros(3, 2), "lm_head": torch.zeros(3, 2)}
    torch.save(content, tmp_path / "ckpt.pth")

    imported = import_published(tmp_path / "ckpt.pth", tmp_path / "out")

    passages = torch.randn(2, IN_DIM)
    ours = load_projector(imported.projector).projector
    assert torch.equal(ours(passages), projector(passages))
    assert imported.language_model is None


class Attack:
    """What a pickle can do when it is read without care."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return (Path.touch, (Path("attacked"),))  # type: ignore[return-value]


def test_a_file_that_would_run_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"projector": Attack()}, tmp_path / "ckpt.pth")

    with pytest.raises(ArtifactError, match="weights alone"):
        import_published(tmp_path / "ckpt.pth", tmp_path / "out")
    assert not (tmp_path / "attacked").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["ckpt.pth"]


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"embed_tokens": torch.zeros(1)}])
def test_a_file_without_a_projector_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "ckpt.pth")

    with pytest.raises(ArtifactError, match=r"ckpt\.pth"):
        import_published(tmp_path / "ckpt.pth", tmp_path / "out")


def test_a_checkpoint_that_lacks_a_shard_leaves_nothing_behind(tmp_path: Path) -> None:
    publish(tmp_path / "x", "mistral", save_sharded, Projector(IN_DIM, HIDDEN))
    (tmp_path / "x" / "model-00002-of-00003.safetensors").unlink()

    with pytest.raises(ArtifactError, match=r"lacks 'model-00002-of-00003\.safetensors'"):
        import_published(tmp_path / "x", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    publish(tmp_path / "x", "mistral", save_whole, Projector(IN_DIM, HIDDEN))
    weights = tmp_path / "x" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])

    with pytest.raises(ArtifactError, match="not a whole safetensors file"):
        import_published(tmp_path / "x", tmp_path / "out")


def test_folders_of_another_kind_are_refused(tmp_path: Path) -> None:
    make_model("llama").save_pretrained(tmp_path / "llama")
    (tmp_path / "empty").mkdir()
    publish(tmp_path / "bare", "mistral", save_whole, Projector(IN_DIM, HIDDEN))
    tensors = load_file(tmp_path / "bare" / "model.safetensors")
    without = {key: tensor for key, tensor in tensors.items() if "projector" not in key}
    save_file(without, tmp_path / "bare" / "model.safetensors")
    refusals = {
        "llama": "a checkpoint of LlamaForCausalLM",
        "empty": "no config.json",
        "bare": "no projector weights",
    }

    for name, reason in refusals.items():
        with pytest.raises(ArtifactError, match=reason):
            import_published(tmp_path / name, tmp_path / "out")


def test_a_missing_checkpoint_and_an_existing_target_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no checkpoint"):
        import_published(tmp_path / "none", tmp_path / "out")
    with pytest.raises(ArtifactError, match="exists already"):
        import_published(tmp_path, tmp_path)


def test_a_config_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "config.json").write_text("{")

    with pytest.raises(ArtifactError, match="not valid JSON"):
        import_published(tmp_path / "x", tmp_path / "out")
