"""A calibration is kept where ask finds it, and can be chosen from anew."""

from pathlib import Path

import pytest

from tests.evaluation.gate_outcomes import unsure_where_wrong
from xorag.artifact.manifest import BaseModelShape
from xorag.errors import ArtifactError, UsageError
from xorag.evaluation.gate_calibration import OUTCOMES_NAME, calibrate_gates
from xorag.evaluation.gate_choice import Target
from xorag.evaluation.gate_keeping import Basis, keep_calibration, place_for, reopen
from xorag.generation.calibration_artifact import load_calibration
from xorag.types import GateKind

SHAPE = BaseModelShape(name="tiny", hidden=8, vocab=32, layers=2)
BASIS = Basis("readers/tiny", "0" * 16, SHAPE, passages=3, max_new_tokens=20)


def kept(directory: Path) -> Path:
    found = calibrate_gates(unsure_where_wrong(20), Target(rate=0.5))
    keep_calibration(directory, found, BASIS, overwrite=False)
    return directory


def test_what_is_kept_is_the_chosen_gate_and_what_it_was_chosen_on(tmp_path: Path) -> None:
    calibration = load_calibration(kept(tmp_path / "calibration"))

    assert calibration.gate.kind is GateKind.MINP
    assert calibration.gate.threshold == pytest.approx(0.5)
    assert (calibration.reader, calibration.reader_fingerprint) == ("readers/tiny", "0" * 16)
    assert (calibration.questions, calibration.passages, calibration.max_new_tokens) == (20, 3, 20)
    assert (calibration.retrieval_rate, calibration.accuracy) == (0.5, 1)


def test_another_choice_needs_no_asking(tmp_path: Path) -> None:
    earlier = reopen(kept(tmp_path / "calibration"))

    assert earlier.basis == BASIS
    assert list(earlier.outcomes) == unsure_where_wrong(20)


def test_a_calibration_without_its_outcomes_cannot_be_chosen_from(tmp_path: Path) -> None:
    directory = kept(tmp_path / "calibration")
    (directory / OUTCOMES_NAME).unlink()

    with pytest.raises(ArtifactError, match=r"lacks its file 'outcomes\.jsonl'"):
        reopen(directory)


def test_a_calibration_belongs_into_its_readers_folder(tmp_path: Path) -> None:
    assert place_for(None, tmp_path, overwrite=False) == tmp_path / "calibration"
    assert place_for(tmp_path / "mine", tmp_path, overwrite=False) == tmp_path / "mine"


def test_a_place_that_is_taken_or_not_named_is_refused_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    with pytest.raises(ArtifactError, match="exists already"):
        place_for(tmp_path, None, overwrite=False)
    with pytest.raises(UsageError, match="name one with --out"):
        place_for(None, None, overwrite=True)
    assert place_for(tmp_path, None, overwrite=True) == tmp_path
