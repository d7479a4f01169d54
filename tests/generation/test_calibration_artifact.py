"""A calibration is kept with the reader that it was made for, and refused for another."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from xorag.artifact.manifest import BaseModelShape
from xorag.errors import ArtifactError, CalibrationMismatchError
from xorag.generation.calibration_artifact import (
    Calibration,
    check_fits_reader,
    load_calibration,
    reader_fingerprint,
    save_calibration,
)
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import upcycle
from xorag.reflection.gates import Gate
from xorag.types import GateKind

SHAPE = BaseModelShape(name="tiny", hidden=16, vocab=40, layers=2)
TOKEN_IDS = range(25, 40)
CALIBRATION = Calibration(
    gate=Gate(GateKind.MINP, 0.1 + 0.2),
    reader="readers/tiny",
    reader_fingerprint="0123456789abcdef",
    questions=100,
    passages=3,
    max_new_tokens=32,
    retrieval_rate=0.49,
    accuracy=0.625,
)


def tiny_reader(seed: int = 0) -> LlamaForCausalLM:
    """A random model with experts."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
    )
    model = LlamaForCausalLM(config)
    upcycle(model, ExpertOptions(experts=3, width=4), seed=seed)
    return model


def saved(directory: Path) -> Path:
    save_calibration(directory, CALIBRATION, SHAPE, {"report.json": "{}\n"})
    return directory


def test_what_was_kept_is_read_back_to_the_last_digit_of_the_threshold(tmp_path: Path) -> None:
    directory = saved(tmp_path / "calibration")

    assert load_calibration(directory) == CALIBRATION
    assert (directory / "report.json").read_text() == "{}\n"


def test_the_fingerprint_is_the_same_in_every_number_format() -> None:
    model = tiny_reader()
    weights: nn.Module = model

    weights.half()
    halves = reader_fingerprint(model, TOKEN_IDS)

    weights.float()
    assert reader_fingerprint(model, TOKEN_IDS) == halves
    weights.bfloat16()
    assert reader_fingerprint(model, TOKEN_IDS) == halves
    assert len(halves) == 16


def test_the_fingerprint_stays_when_low_rank_adapters_are_folded_into_matrices() -> None:
    model = tiny_reader()
    before = reader_fingerprint(model, TOKEN_IDS)

    with torch.no_grad():
        model.get_parameter("model.layers.0.self_attn.q_proj.weight").add_(0.1)

    assert reader_fingerprint(model, TOKEN_IDS) == before


@pytest.mark.parametrize("token_id", [TOKEN_IDS[0], TOKEN_IDS[-1]])
def test_the_fingerprint_changes_with_what_is_trained(token_id: int) -> None:
    model = tiny_reader()
    before = reader_fingerprint(model, TOKEN_IDS)

    with torch.no_grad():
        model.get_parameter("model.embed_tokens.weight")[token_id, 3] *= 1.1

    assert reader_fingerprint(model, TOKEN_IDS) != before
    assert reader_fingerprint(tiny_reader(seed=1), TOKEN_IDS) != before


def test_a_calibration_of_another_reader_is_refused() -> None:
    check_fits_reader(CALIBRATION, "readers/copy", CALIBRATION.reader_fingerprint)

    with pytest.raises(CalibrationMismatchError) as refused:
        check_fits_reader(CALIBRATION, "readers/other", "f" * 16)

    sentence = str(refused.value)
    assert "made for the reader 'readers/tiny' (fingerprint 0123456789abcdef)" in sentence
    assert "xorag calibrate --reader readers/other" in sentence


def test_a_directory_without_a_calibration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no calibration at"):
        load_calibration(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("gate", {"kind": "token", "threshold": 1.5}, "threshold must be 0 to 1"),
        ("gate", {"kind": "mood", "threshold": 0.5}, "gate.kind"),
        ("reader_fingerprint", None, "reader_fingerprint"),
    ],
)
def test_a_calibration_with_faults_names_them(
    tmp_path: Path, field: str, value: object, sentence: str
) -> None:
    path = saved(tmp_path / "calibration") / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["settings"]["calibration"][field] = value
    path.write_text(json.dumps(manifest))

    with pytest.raises(ArtifactError, match=sentence):
        load_calibration(path.parent)
