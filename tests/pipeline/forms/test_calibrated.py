"""What forms are worth as calibrated: kept as JSON, opened with its projector, and used."""

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.forms.gains import logistic, plain_gains
from tests.pipeline.tiny_world import World
from xorag.artifact.manifest import BaseModelShape
from xorag.artifact.store import read_manifest
from xorag.errors import ArtifactError, CalibrationMismatchError
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.calibrated import CalibratedGains
from xorag.pipeline.forms.calibration_artifact import (
    FormCalibration,
    load_form_calibration,
    projector_fingerprint,
    save_form_calibration,
)
from xorag.pipeline.forms.features import TOKEN
from xorag.pipeline.forms.gain import BySimilarity
from xorag.pipeline.forms.logistic import Logistic
from xorag.pipeline.options import checked
from xorag.types import AUTO, Hit, Passage

SHAPE = BaseModelShape(name="tiny", hidden=32, vocab=300, layers=2)
PASSAGES = [
    Passage(
        "n", "n", "Emma", "It is a novel. Jane Austen wrote the book Emma in 1815. So it is.", 0
    ),
    Passage("p", "p", "Paris", "Paris is the capital of France. The river is the Seine.", 0),
]


def keep(directory: Path, projector: Path, *, fingerprint: str | None = None) -> FormCalibration:
    own = projector_fingerprint(read_manifest(projector, kind="projector"))
    kept = FormCalibration(plain_gains(), fingerprint or own, 40, auc=0.75, is_never_worse=True)
    save_form_calibration(directory, kept, SHAPE, {"report.json": "{}\n"})
    return kept


def opened(world: World, projector: Path, calibration: Path | None = None) -> Pipeline:
    return Pipeline.open(
        world.index,
        model=str(world.model),
        projector=projector,
        calibration=calibration,
        dtype="float32",
    )


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=2), st.floats(0.1, 5))
def test_a_probability_rises_with_what_speaks_for_it(values: list[float], weight: float) -> None:
    model = Logistic(("for", "against"), (0.0, 1.0), (1.0, 2.0), (weight, -weight), 0.5)

    here, more = model(values), model([values[0] + 1, values[1]])

    assert 0 <= here <= more <= 1


def test_a_model_that_lacks_a_weight_is_refused() -> None:
    with pytest.raises(ArtifactError, match="a mean, a scale above 0 and a weight"):
        Logistic(("a", "b"), (0.0, 0.0), (1.0, 1.0), (1.0,), 0.0)


def test_a_calibration_is_kept_as_json_without_losing_a_digit(world: World, tmp_path: Path) -> None:
    kept = keep(tmp_path / "kept", world.projector)

    assert load_form_calibration(tmp_path / "kept") == kept
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_text())
    assert manifest["kind"] == "calibration"
    assert "gains" in manifest["settings"]["forms"]


def test_a_calibration_of_a_gate_is_none_of_forms(tmp_path: Path, world: World) -> None:
    keep(tmp_path / "kept", world.projector)
    path = tmp_path / "kept" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["settings"] = {"calibration": {}}
    path.write_text(json.dumps(manifest))

    with pytest.raises(ArtifactError, match="does not say what forms are worth"):
        load_form_calibration(tmp_path / "kept")


def test_a_named_calibration_weighs_the_forms_and_is_named_in_the_reason(
    world: World, tmp_path: Path
) -> None:
    keep(tmp_path / "kept", world.projector)
    pipeline = opened(world, world.projector, tmp_path / "kept")

    answer = pipeline.ask(
        "Who wrote the book Emma?", passages=PASSAGES, form=AUTO, budget=60, max_new_tokens=2
    )

    novel, paris = answer.evidence
    assert novel.choice is not None
    assert paris.choice is not None
    assert "by calibration" in novel.reason
    assert novel.choice.holds_answer > paris.choice.holds_answer
    assert "Jane Austen" in "; ".join(novel.shown)
    assert answer.cost.passage_tokens_used <= 60


def test_only_a_calibration_asks_the_model_before_forms_are_chosen_and_that_is_counted(
    world: World, tmp_path: Path
) -> None:
    keep(tmp_path / "kept", world.projector)
    asking = checked(form=AUTO, budget=60)

    plain, asked = (
        opened(world, world.projector, calibration).retrieve(["Who wrote it?"], [PASSAGES], asking)
        for calibration in (None, tmp_path / "kept")
    )

    assert [hit.first_logprob for hit in plain.hits[0]] == [None, None]
    assert plain.read_seconds == 0
    (noted,) = {hit.first_logprob for hit in asked.hits[0]}  # one question, one first token
    assert noted is not None
    assert noted <= 0
    assert asked.read_seconds > 0


def test_the_surer_the_model_is_of_its_first_token_the_less_its_token_loses(world: World) -> None:
    gains = replace(plain_gains(), token_fails=logistic(TOKEN, first_logprob=-1.0))
    pipeline = opened(world, world.projector)
    lists = pipeline.forms.candidates(pipeline.builder)

    unsure, sure = (
        gains.lost(lists.seen("Who?", [Hit(PASSAGES[0], 0.0, first_logprob=value)])[0])
        for value in (-3.0, -0.1)
    )

    assert gains.text_right > unsure > sure > 0


def test_a_calibration_made_of_other_signs_is_refused() -> None:
    with pytest.raises(ArtifactError, match="make it again with `xorag calibrate --form auto`"):
        replace(plain_gains(), token_fails=logistic(TOKEN[:-1]))


def test_a_calibration_of_another_projector_is_refused(world: World, tmp_path: Path) -> None:
    keep(tmp_path / "kept", world.projector, fingerprint="0" * 16)

    with pytest.raises(CalibrationMismatchError, match="xorag calibrate --form auto"):
        opened(world, world.projector, tmp_path / "kept")


def test_the_calibration_beside_a_projector_is_used_and_one_of_another_is_left_out_aloud(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, other = (Path(shutil.copytree(world.projector, tmp_path / name)) for name in "ab")
    keep(own / "calibration", own)
    keep(other / "calibration", other, fingerprint="0" * 16)

    with caplog.at_level(logging.WARNING, logger="xorag"):
        gains = [opened(world, projector).forms.gains for projector in (own, other)]

    assert isinstance(gains[0], CalibratedGains)
    assert isinstance(gains[1], BySimilarity)
    assert "is left out" in caplog.text
