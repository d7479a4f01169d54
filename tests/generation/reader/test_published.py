"""Open-RAG's checkpoints in both forms open as the model that they were made of."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.generation.reader.tiny_readers import (
    LORA_ALPHA,
    LORA_RANK,
    add_lora,
    logits_of,
    make_base,
    opened,
    publish_merged,
    published_names,
    train,
)
from xorag.errors import (
    ArtifactError,
    ModelNotFoundError,
    ReaderMismatchError,
    ReflectionError,
)
from xorag.generation.reader.published import stored_dtype
from xorag.generation.reader.tokens import ends
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_options, expert_state

PUBLISHED = ExpertOptions(experts=3, width=4, top_k=2, scale=0.25)
PREFIX = "base_model.model."


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    language, _ = train(make_base(tmp_path / "base"))
    return publish_merged(language, tmp_path / "merged")


@pytest.fixture
def unmerged(tmp_path: Path) -> Path:
    return publish_unmerged(tmp_path)[0]


def publish_unmerged(folder: Path) -> tuple[Path, torch.Tensor]:
    """Write what Open-RAG's training leaves, and return the folder and the logits before."""
    language, _ = train(make_base(folder / "base"), PUBLISHED)
    add_lora(language)
    target = folder / "unmerged"
    (target / "adapter_model").mkdir(parents=True)
    lora = {
        PREFIX + name.replace(".mlp.dense.", ".mlp.").replace(".default", ""): parameter.detach()
        for name, parameter in language.model.named_parameters()
        if "lora_" in name
    }
    embeddings, head = ends(language.model)
    lora[f"{PREFIX}model.embed_tokens.base_layer.weight"] = embeddings.weight.detach()
    lora[f"{PREFIX}lm_head.base_layer.weight"] = head.weight.detach()
    save_file(lora, target / "adapter_model" / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": LORA_RANK, "lora_alpha": LORA_ALPHA}
    config["base_model_name_or_path"] = "../../base"
    (target / "adapter_model" / "adapter_config.json").write_text(json.dumps(config))
    torch.save(
        published_names(expert_state(language.model), "base_model.model.model."), moe(target)
    )
    language.tokenizer.save_pretrained(target)
    return target, logits_of(language.model)


def moe(folder: Path) -> Path:
    return folder / "moe_model.bin"


def test_a_merged_checkpoint_opens_as_what_it_was(tmp_path: Path) -> None:
    language, _ = train(make_base(tmp_path / "base"))
    published = publish_merged(language, tmp_path / "merged")

    reader = opened(published)

    assert torch.allclose(logits_of(reader.language.model), logits_of(language.model), atol=1e-5)
    assert reader.manifest is None


def test_an_unmerged_checkpoint_opens_as_what_it_was(tmp_path: Path) -> None:
    published, before = publish_unmerged(tmp_path)

    assert torch.allclose(logits_of(opened(published).language.model), before, atol=1e-4)


def test_what_an_unmerged_checkpoint_does_not_say_is_told(unmerged: Path) -> None:
    told: list[str] = []

    reader = opened(unmerged, on_message=told.append)

    assert expert_options(reader.language.model) == PUBLISHED
    assert "the published 2 and 0.25" in told[0]


def test_a_config_beside_an_unmerged_checkpoint_says_it(unmerged: Path) -> None:
    told: list[str] = []
    (unmerged / "config.json").write_text(json.dumps({"topk": 1, "moe_scaling": 0.5}))

    reader = opened(unmerged, on_message=told.append)

    options = expert_options(reader.language.model)
    assert options is not None
    assert (options.top_k, options.scale, told) == (1, 0.5, [])


def test_an_adapter_in_a_pickle_is_read_as_weights(unmerged: Path) -> None:
    before = logits_of(opened(unmerged).language.model)
    weights = unmerged / "adapter_model" / "adapter_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()

    assert torch.equal(logits_of(opened(unmerged).language.model), before)


@pytest.mark.parametrize(
    ("change", "scale"),
    [
        ({}, 3.0),
        ({"use_rslora": True}, 6 / 2**0.5),
        ({"alpha_pattern": {"down_proj": 12}}, 6.0),
        ({"alpha_pattern": {r"layers\.9\.mlp\.down_proj": 12}}, 3.0),
    ],
)
def test_alpha_is_taken_as_peft_takes_it(
    change: dict[str, Any], scale: float, unmerged: Path
) -> None:
    from xorag.generation.reader.adapter import read_adapter  # noqa: PLC0415

    _reconfigure(unmerged, change)

    adapter = read_adapter(unmerged / "adapter_model")

    assert adapter.lora["model.layers.0.mlp.down_proj"].scale == pytest.approx(scale)


def _reconfigure(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "adapter_model" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


@pytest.mark.parametrize("change", [{"use_dora": True}, {"peft_type": "IA3"}])
def test_another_kind_of_adapter_is_refused(change: dict[str, Any], unmerged: Path) -> None:
    _reconfigure(unmerged, change)

    with pytest.raises(ArtifactError, match="cannot fold"):
        opened(unmerged)


def test_half_an_adapter_is_refused(unmerged: Path) -> None:
    path = unmerged / "adapter_model" / "adapter_model.safetensors"
    tensors = load_file(path)
    del tensors[f"{PREFIX}model.layers.1.mlp.down_proj.lora_B.weight"]
    save_file(tensors, path)

    with pytest.raises(ArtifactError, match=r"only half .*layers\.1\.mlp\.down_proj"):
        opened(unmerged)


def test_an_adapter_of_another_shape_is_refused(unmerged: Path) -> None:
    path = unmerged / "adapter_model" / "adapter_model.safetensors"
    key = f"{PREFIX}model.layers.1.mlp.down_proj.lora_A.weight"
    save_file({**load_file(path), key: torch.zeros(LORA_RANK, 5)}, path)

    with pytest.raises(ReaderMismatchError, match=r"layers\.1\.mlp\.down_proj"):
        opened(unmerged)


def test_an_adapter_for_modules_that_do_not_exist_is_refused(unmerged: Path) -> None:
    path = unmerged / "adapter_model" / "adapter_model.safetensors"
    save_file({**load_file(path), f"{PREFIX}model.extra.weight": torch.zeros(2)}, path)

    with pytest.raises(ReaderMismatchError, match="which LlamaForCausalLM does not have"):
        opened(unmerged)


class Attack:
    """What a pickle can do when it is read without care."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return (Path.touch, (Path("attacked"),))  # type: ignore[return-value]


def test_experts_that_would_run_code_are_refused(
    unmerged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Attack()}, moe(unmerged))

    with pytest.raises(ArtifactError, match="weights alone"):
        opened(unmerged)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("layers.0.mlp.moe_adapter.router.weight", "no router"),
        ("layers.1.mlp.moe_adapter.experts.expert_1.adapter_up.weight", "do not fit together"),
        ("layers.1.mlp.moe_adapter.experts.expert_2.adapter_up.weight", "do not fit together"),
        ("layers.1.mlp.moe_adapter.experts.expert_2.adapter", "do not fit together"),
        ("moe_adapter", "holds no experts"),
        ("layers.1.self_attn.o_proj.weight", "lacks the weight"),
    ],
)
def test_a_checkpoint_that_lacks_weights_is_refused(lost: str, reason: str, merged: Path) -> None:
    path = merged / "model.safetensors"
    kept = {key: tensor for key, tensor in load_file(path).items() if lost not in key}
    save_file(kept, path, metadata={"format": "pt"})

    with pytest.raises((ArtifactError, ModelNotFoundError), match=reason):
        opened(merged)


def test_a_tokenizer_without_the_tokens_is_refused(merged: Path, tmp_path: Path) -> None:
    with pytest.raises(ReflectionError, match="lacks"):
        opened(merged, tokenizer=tmp_path / "base")


def test_a_missing_tokenizer_is_asked_for(merged: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for path in merged.glob("*token*"):
        path.rename(elsewhere / path.name)

    with pytest.raises(ModelNotFoundError, match="holds no tokenizer"):
        opened(merged)
    assert opened(merged, tokenizer=elsewhere).vocabulary.ids


def test_a_base_model_that_is_nowhere_is_asked_for(unmerged: Path) -> None:
    _reconfigure(unmerged, {"base_model_name_or_path": None})

    with pytest.raises(ModelNotFoundError, match="--model"):
        opened(unmerged)


@pytest.mark.parametrize(
    ("config", "reason"),
    [("{", "not valid JSON"), ('{"moe_scaling": 1, "model_type": "own"}', "of kind 'own'")],
)
def test_a_config_of_another_kind_is_refused(config: str, reason: str, merged: Path) -> None:
    (merged / "config.json").write_text(config)

    with pytest.raises(ArtifactError, match=reason):
        opened(merged)


def test_the_type_that_a_checkpoint_states_is_known(merged: Path) -> None:
    path = merged / "config.json"
    content = {**json.loads(path.read_text()), "dtype": "bfloat16"}
    path.write_text(json.dumps(content))

    assert stored_dtype(merged) == torch.bfloat16
    assert stored_dtype(merged / "none") == torch.float32
