"""Plans against sums made by hand, and against the sizes of a published model."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import BertConfig, LlamaConfig, MistralConfig

from xorag.errors import ModelNotFoundError, UsageError
from xorag.profiling.gpus import gpus_from
from xorag.profiling.plan import PlanRequest, plan, planned_model
from xorag.profiling.plan_rates import reading_rate
from xorag.profiling.plan_serving import PlannedModel, cache_bytes, replica, serving
from xorag.profiling.planned import Section, Workload, as_json
from xorag.profiling.shapes import transformer_shape

MISTRAL_7B = MistralConfig(
    vocab_size=32000,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
    sliding_window=None,
)
LOAD = Workload(
    passages=1000,
    passage_tokens=180,
    passage_bytes=700,
    bytes_source="given",
    k=10,
    soft_tokens=1,
    question_tokens=60,
    new_tokens=40,
    questions=100,
)


def value(sections: list[Section], name: str) -> float:
    return next(f.value for section in sections for f in section.figures if f.name == name)


@pytest.fixture
def request_of_mistral(tmp_path: Path) -> PlanRequest:
    encoder, model = tmp_path / "encoder.json", tmp_path / "model.json"
    BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12).to_json_file(encoder)
    MISTRAL_7B.to_json_file(model)
    return PlanRequest(LOAD, str(encoder), str(model), gpus_from("2xh100"), 0.5, 0.9)


def test_storage_is_text_twice_and_half_precision_embeddings(
    request_of_mistral: PlanRequest,
) -> None:
    sections, _ = plan(request_of_mistral)

    assert value(sections, "text") == 2 * 700 * 1000
    assert value(sections, "embeddings") == 384 * 2 * 1000
    assert value(sections, "vector index") == (384 / 8 + 16) * 1000
    assert value(sections, "index, uncompressed") == 1000 * (1400 + 768 + 64)


def test_several_soft_tokens_a_passage_take_an_embedding_each(
    request_of_mistral: PlanRequest,
) -> None:
    sections, _ = plan(replace(request_of_mistral, load=replace(LOAD, soft_tokens=4)))

    assert value(sections, "embeddings of pieces") == 4 * 384 * 2 * 1000
    assert value(sections, "index, uncompressed") == 1000 * (1400 + 5 * 768 + 64)


def test_mistrals_weights_and_cache_are_those_that_are_published(
    request_of_mistral: PlanRequest,
) -> None:
    sections, _ = plan(request_of_mistral)

    assert value(sections, "weights of a copy") == 2 * 7_241_732_096
    assert value(sections, "cache of a token") == 131_072  # 128 KiB
    assert value(sections, "GPUs a copy") == 1


def test_sequences_that_fit_follow_the_tokens_of_a_prompt(request_of_mistral: PlanRequest) -> None:
    sections, _ = plan(request_of_mistral)

    left = 0.9 * 80e9 - 2 * 7_241_732_096
    assert value(sections, "sequences at a time, text") == 2 * (left // (131_072 * 1900))
    assert value(sections, "sequences at a time, soft tokens") == 2 * (left // (131_072 * 110))
    assert value(sections, "soft tokens over text") > 17


def test_gpu_hours_are_operations_over_the_used_share_of_the_peak(
    request_of_mistral: PlanRequest,
) -> None:
    sections, _ = plan(request_of_mistral)

    operations = value(sections, "operations a passage")
    hours = 1000 * operations / (989e12 * 0.5) / 3600
    assert value(sections, "encode on GPUs") == pytest.approx(hours)
    assert value(sections, "the same on 2") == pytest.approx(hours / 2)
    ratio = value(sections, "read prompts, text") / value(sections, "read prompts, soft tokens")
    assert ratio == pytest.approx(1860 / 70, rel=0.1)  # most operations are by token


def test_every_figure_names_its_source(request_of_mistral: PlanRequest) -> None:
    sections, load = plan(request_of_mistral)

    document = as_json(sections, load)
    figures = [figure for section in document["sections"] for figure in section["figures"]]
    assert len(figures) > 12
    assert all(figure["source"] and figure["unit"] for figure in figures)
    json.dumps(document, allow_nan=False)


def test_a_window_bounds_the_cache_of_its_layers() -> None:
    shape = transformer_shape(MistralConfig(sliding_window=4096))

    assert cache_bytes(shape, 10_000) == cache_bytes(shape, 4096)
    assert cache_bytes(shape, 100) < cache_bytes(shape, 4096)


def test_a_model_too_large_for_one_gpu_is_parted_and_for_all_is_refused() -> None:
    shape = transformer_shape(MISTRAL_7B)
    large = PlannedModel("large", 70_000_000_000, shape)

    assert replica(large, gpus_from("8xh100"), 0.9, 1000).gpus == 2
    assert value([serving(LOAD, large, gpus_from("8xh100"), 0.9)], "GPUs a copy") == 2
    with pytest.raises(UsageError, match="more or larger GPUs"):
        replica(large, gpus_from("1xh100"), 0.9, 1000)


@pytest.mark.parametrize("text", ["", "8x", "0xh100", "8xh1000", "2x0gb@3", "2x1.2.3gb@3"])
def test_gpus_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no GPUs"):
        gpus_from(text)


def test_gpus_of_any_kind_are_given_by_their_numbers() -> None:
    found = gpus_from("2x48GB@362")

    assert (found.count, found.gpu.memory_bytes, found.gpu.flops) == (2, 48e9, 362e12)
    assert gpus_from("L4").count == 1


def test_a_stored_profile_says_how_fast_prompts_are_read(tmp_path: Path) -> None:
    part = {"part": "prefill", "flops": 6e9, "seconds": {"median": 2.0}}
    path = tmp_path / "profile.json"
    machine = {"cpu": "some", "threads": 1}
    path.write_text(json.dumps({"cells": [{"parts": [part]}], "machine": machine}))

    assert reading_rate(path).flops_per_second == 3e9
    path.write_text(json.dumps({"cells": [{"parts": [{**part, "seconds": None}]}]}))
    with pytest.raises(UsageError, match="no profile with times"):
        reading_rate(path)


def test_an_encoder_is_refused_as_a_language_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5"}))

    with pytest.raises(ModelNotFoundError, match="no causal language model"):
        planned_model(str(tmp_path))
    LlamaConfig(
        hidden_size=8, num_attention_heads=2, num_hidden_layers=1, vocab_size=9
    ).to_json_file(tmp_path / "tiny.json")
    assert planned_model(str(tmp_path / "tiny.json")).weight_count > 0
