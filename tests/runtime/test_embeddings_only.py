"""Embeddings of each family, read without the rest of the model."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from tests.compression.tiny_models import CONFIGS, VOCAB, make_model
from tests.generation.tiny_tokenizers import byte_level
from xorag.errors import ModelNotFoundError
from xorag.runtime.embeddings_only import load_embeddings_only

CPU = torch.device("cpu")
IDS = torch.tensor([[3, 1, VOCAB - 1]])


def _save(model: PreTrainedModel, folder: Path, *, max_shard_size: str = "1GB") -> None:
    model.save_pretrained(folder, max_shard_size=max_shard_size)
    byte_level().save_pretrained(folder)


@pytest.mark.parametrize("family", CONFIGS)
def test_tokens_are_looked_up_as_the_whole_model_does(family: str, tmp_path: Path) -> None:
    whole = make_model(family)
    _save(whole, tmp_path)

    part = load_embeddings_only(str(tmp_path), device=CPU).model

    expected = whole.get_input_embeddings()(IDS)
    assert torch.equal(part.get_input_embeddings()(IDS), expected)


def test_no_other_weight_takes_memory(tmp_path: Path) -> None:
    _save(make_model("llama"), tmp_path)

    model = load_embeddings_only(str(tmp_path), device=CPU).model

    here = [name for name, weight in model.named_parameters() if not weight.is_meta]
    assert here == ["model.embed_tokens.weight"]


def test_a_model_in_several_files_is_read_from_the_one_that_counts(tmp_path: Path) -> None:
    whole = make_model("llama")
    _save(whole, tmp_path, max_shard_size="8KB")
    holders = [p for p in tmp_path.glob("model-*.safetensors") if b"embed_tokens" in p.read_bytes()]
    for path in set(tmp_path.glob("model-*.safetensors")) - set(holders):
        path.unlink()

    part = load_embeddings_only(str(tmp_path), device=CPU).model

    assert torch.equal(part.get_input_embeddings()(IDS), whole.get_input_embeddings()(IDS))


def test_embeddings_of_another_shape_than_the_config_says_are_refused(tmp_path: Path) -> None:
    whole = make_model("llama")
    _save(whole, tmp_path)
    config = (tmp_path / "config.json").read_text(encoding="utf-8")
    other = config.replace(f'"vocab_size": {VOCAB}', f'"vocab_size": {VOCAB + 4}')
    (tmp_path / "config.json").write_text(other, encoding="utf-8")

    with pytest.raises(ModelNotFoundError, match=r"embeddings are \(60, 16\)"):
        load_embeddings_only(str(tmp_path), device=CPU)


def test_a_model_without_safetensors_is_refused(tmp_path: Path) -> None:
    _save(make_model("llama"), tmp_path)
    (tmp_path / "model.safetensors").unlink()

    with pytest.raises(ModelNotFoundError, match="safetensors alone"):
        load_embeddings_only(str(tmp_path), device=CPU)
