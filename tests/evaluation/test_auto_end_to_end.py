"""Calibrating forms from questions to an artifact that a pipeline opens."""

import json
from pathlib import Path

import pytest

from tests.evaluation.test_auto_calibration import question, question_set
from tests.pipeline.tiny_world import World, make_world
from xorag.artifact.store import read_manifest
from xorag.data.questions import Question
from xorag.evaluation.auto_answers import FIXED
from xorag.evaluation.auto_calibration import calibrate_forms, keep_forms
from xorag.evaluation.normalisation import dpr_tokens
from xorag.evaluation.opening import Opened, Place, open_models
from xorag.evaluation.passages import as_passage
from xorag.evaluation.plan import PassageSource, Settings
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.calibrated import CalibratedGains
from xorag.pipeline.opening import PartNames
from xorag.types import AUTO

LENGTH = 6


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def opened(world: World) -> Opened:
    names = PartNames(
        None,
        str(world.model),
        str(world.encoder),
        world.projector,
        is_demo_used=False,
        is_calibrated=False,
    )
    return open_models(names, Place("cpu", "float32"), PassageSource.GIVEN, FIXED)


def with_answers(pipeline: Pipeline, count: int) -> list[Question]:
    """Questions for which what a random model says of text is right, and of half, of tokens too."""
    made: list[Question] = []
    number = 0
    while len(made) < count:
        asked = question(number)
        number += 1
        gold = [as_passage(asked.passages[0])]
        said = [
            pipeline.ask(asked.question, passages=gold, mode=mode, max_new_tokens=LENGTH).answer
            for mode in ("text", "xrag")
        ]
        if all(dpr_tokens(each) for each in said) and said[0] not in said[1]:
            right = (*said[: 1 + len(made) % 2], *asked.answers)
            made.append(
                Question(
                    id=asked.id, question=asked.question, answers=right, passages=asked.passages
                )
            )
    return made


def test_what_was_fitted_is_compared_kept_and_used(
    world: World, opened: Opened, tmp_path: Path
) -> None:
    sets = (question_set(with_answers(opened.pipeline, 24)),)
    settings = Settings(PassageSource.GIVEN, k=2, limit=24, max_new_tokens=LENGTH)
    answered: list[int] = []

    reports = [
        calibrate_forms(
            sets,
            opened,
            settings,
            tmp_path / "answers",
            kept=frozenset(),
            on_progress=lambda state: answered.append(state.answered),
        )
        for _ in range(2)
    ]
    keep_forms(tmp_path / "kept", reports[0], opened.projector, overwrite=False)

    first, again = (json.dumps(report.as_json()) for report in reports)
    assert first == again
    assert len(answered) == 2 * 24 + 3 * 10 + 2 * 4 * 5  # the second time, nothing is asked
    assert [each.form for each in reports[0].comparisons] == [each.label for each in FIXED]
    assert all(each.auto_tokens <= each.budget for each in reports[0].comparisons)
    assert read_manifest(tmp_path / "kept", kind="calibration").base_model is not None
    pipeline = Pipeline.open(
        world.index,
        model=str(world.model),
        projector=world.projector,
        calibration=tmp_path / "kept",
        dtype="float32",
        device="cpu",
    )
    assert isinstance(pipeline.forms.gains, CalibratedGains)
    answer = pipeline.ask("Who?", k=2, form=AUTO, budget=30, max_new_tokens=2)
    assert answer.cost.passage_tokens_used <= 30
