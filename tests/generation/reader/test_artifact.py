"""A saved reader computes what it computed in training, and is refused where it does not fit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.generation.reader.tiny_readers import (
    add_lora,
    logits_of,
    make_base,
    opened,
    train,
)
from xorag.errors import (
    ArtifactError,
    ConfigError,
    ModelNotFoundError,
    ReaderMismatchError,
    ReflectionError,
)
from xorag.generation.reader.artifact import save_reader
from xorag.generation.reader.shipped import shipped_reader
from xorag.moe.options import ExpertOptions
from xorag.runtime.loading import LanguageModel, load_language_model
from xorag.types import ReflectionToken

FAMILIES = ["llama", "llama-tied", "mistral", "qwen3", "gemma2", "phi3"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_reader_trained_with_lora_opens_without_it(family: str, tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base", family))
    add_lora(language)
    before = logits_of(language.model)
    save_reader(tmp_path / "reader", language=language, manifest=manifest, dtype=torch.float32)

    reader = opened(tmp_path / "reader")

    assert not any("lora" in name for name, _ in reader.language.model.named_parameters())
    assert torch.allclose(logits_of(reader.language.model), before, atol=1e-4)
    assert reader.manifest is not None
    assert reader.manifest.settings["dtype"] == "float32"


def test_the_tokens_have_the_ids_that_they_had_in_training(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    save_reader(tmp_path / "reader", language=language, manifest=manifest)

    reader = opened(tmp_path / "reader")

    for token in ReflectionToken:
        trained = language.tokenizer.convert_tokens_to_ids(token.value)
        assert reader.vocabulary.ids[token] == trained


def test_only_what_was_trained_is_saved_and_in_half_precision(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))

    save_reader(tmp_path / "reader", language=language, manifest=manifest)

    tensors = {
        name: tensor
        for path in (tmp_path / "reader").glob("*.safetensors")
        for name, tensor in load_file(path).items()
    }
    saved = sum(tensor.numel() for tensor in tensors.values())
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert saved < sum(p.numel() for p in language.model.parameters()) / 3
    assert not (tmp_path / "reader" / "lora.safetensors").exists()


def test_experts_in_some_layers_come_back_in_these(tmp_path: Path) -> None:
    options = ExpertOptions(experts=2, width=4, top_k=1, layers=(1,))
    language, manifest = train(make_base(tmp_path / "base"), options)
    before = logits_of(language.model)
    save_reader(tmp_path / "reader", language=language, manifest=manifest, dtype=torch.float32)

    assert torch.allclose(logits_of(opened(tmp_path / "reader").language.model), before, atol=1e-5)


def test_large_files_are_parted(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    before = logits_of(language.model)

    save_reader(
        tmp_path / "reader",
        language=language,
        manifest=manifest,
        dtype=torch.float32,
        max_file_bytes=2000,
    )

    sizes = [path.stat().st_size for path in (tmp_path / "reader").glob("experts-*.safetensors")]
    assert len(sizes) > 1
    assert torch.allclose(logits_of(opened(tmp_path / "reader").language.model), before, atol=1e-5)


def test_a_base_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    save_reader(tmp_path / "reader", language=language, manifest=manifest)
    tied = make_base(tmp_path / "tied", "llama-tied")

    with pytest.raises(ReaderMismatchError, match=r"made for .*base' \(layers 3\).*\(layers 2\)"):
        opened(_with_one_layer(tmp_path, manifest_of=tmp_path / "reader"))
    with pytest.raises(ReaderMismatchError, match="shares a weight"):
        opened(tmp_path / "reader", model=str(tied))


def _with_one_layer(folder: Path, *, manifest_of: Path) -> Path:
    """The same reader, made for a model of one layer more, as its manifest says."""
    path = manifest_of / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["base_model"]["layers"] += 1
    target = folder / "deeper"
    target.mkdir()
    for file in manifest_of.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    (target / "manifest.json").write_text(json.dumps(manifest))
    return target


def test_a_damaged_reader_is_refused(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    save_reader(tmp_path / "reader", language=language, manifest=manifest)
    weights = tmp_path / "reader" / "experts.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])

    with pytest.raises(ArtifactError, match="cut short or altered"):
        opened(tmp_path / "reader")


def test_settings_that_are_no_experts_are_refused(tmp_path: Path) -> None:
    language, manifest = train(make_base(tmp_path / "base"))
    save_reader(tmp_path / "reader", language=language, manifest=manifest)
    path = tmp_path / "reader" / "manifest.json"
    content = json.loads(path.read_text())
    content["settings"]["experts"]["top_k"] = 9
    path.write_text(json.dumps(content))

    with pytest.raises(ArtifactError, match="top_k"):
        opened(tmp_path / "reader")


def test_what_is_no_reader_is_not_saved(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    dense = load_language_model(str(base), device=torch.device("cpu"), dtype=torch.float32)
    language, manifest = train(base)
    nameless = manifest.model_copy(update={"base_model": None})
    plain = LanguageModel(language.model, dense.tokenizer, language.name)

    with pytest.raises(ConfigError, match="has no experts"):
        save_reader(tmp_path / "a", language=dense, manifest=manifest)
    with pytest.raises(ConfigError, match="names no base model"):
        save_reader(tmp_path / "a", language=language, manifest=nameless)
    with pytest.raises(ReflectionError, match="lacks"):
        save_reader(tmp_path / "a", language=plain, manifest=manifest)
    assert not (tmp_path / "a").exists()


def test_a_directory_without_a_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such directory"):
        opened(tmp_path / "none")
    with pytest.raises(ArtifactError, match="holds no reader"):
        opened(tmp_path)


def test_a_reader_of_the_package_is_found_by_its_model(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    language, manifest = train(base)
    save_reader(tmp_path / "readers" / "one", language=language, manifest=manifest)

    assert shipped_reader(str(base), folder=tmp_path / "readers") == tmp_path / "readers" / "one"
    with pytest.raises(ModelNotFoundError, match="no reader for 'other'"):
        shipped_reader("other", folder=tmp_path / "readers")
