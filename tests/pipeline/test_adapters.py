"""A projector with adapters in a pipeline: soft tokens are read with them, all else without."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.compression.tiny_adapters import adapters_of
from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.errors import ProjectorMismatchError
from xorag.pipeline import Pipeline
from xorag.runtime.loading import load_language_model
from xorag.types import Answer, Form, Hit, Mode, Passage, Reading

QUESTIONS = ["Who wrote Emma?", "What is the capital of France, by the Seine?", "Who?"]
EMMA = Passage("g#0", "g", "Emma", "Emma is a novel that Jane Austen wrote.", 0)
PARIS = Passage("h#0", "h", "", "Paris is the capital of France; the river is the Seine.", 0)


@pytest.fixture(scope="module")
def projector(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's projector, with adapters."""
    folder = tmp_path_factory.mktemp("adapted") / "projector"
    saved = load_projector(world.projector)
    language = load_language_model(
        str(world.model), device=torch.device("cpu"), dtype=torch.float32
    )
    adapters = adapters_of(language.model)
    save_projector(folder, saved.projector, saved.manifest, adapters=adapters)
    return folder


@pytest.fixture(scope="module")
def adapted(world: World, projector: Path) -> Pipeline:
    return Pipeline.open(world.index, model=str(world.model), projector=projector, dtype="float32")


def told(answers: Sequence[Answer]) -> list[tuple[str, float | None]]:
    return [(answer.answer, answer.confidence) for answer in answers]


@pytest.mark.parametrize("mode", ["closed", "text"])
def test_what_holds_no_soft_token_is_answered_bit_for_bit_as_without_adapters(
    mode: str, pipeline: Pipeline, adapted: Pipeline
) -> None:
    expected = pipeline.ask_many(QUESTIONS, mode=mode, k=2, max_new_tokens=8)

    assert told(adapted.ask_many(QUESTIONS, mode=mode, k=2, max_new_tokens=8)) == told(expected)


def test_soft_tokens_are_read_with_adapters(pipeline: Pipeline, adapted: Pipeline) -> None:
    plain, changed = (
        told(opened.ask_many(QUESTIONS, mode="xrag", k=2, max_new_tokens=8))
        for opened in (pipeline, adapted)
    )

    assert all(one != other for one, other in zip(plain, changed, strict=True))


def test_questions_with_and_without_passages_are_answered_together_as_alone(
    pipeline: Pipeline, adapted: Pipeline
) -> None:
    given = [[EMMA], [], [PARIS, EMMA]]

    together = adapted.ask_many(QUESTIONS, passages=given, max_new_tokens=8)

    alone = [
        adapted.ask(question, passages=passages, max_new_tokens=8)
        for question, passages in zip(QUESTIONS, given, strict=True)
    ]
    assert [answer.answer for answer in together] == [answer.answer for answer in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)
    closed = pipeline.ask(QUESTIONS[1], mode="closed", max_new_tokens=8)
    assert told(together[1:2]) == told([closed])


def test_readings_of_one_call_may_differ_by_question(pipeline: Pipeline, adapted: Pipeline) -> None:
    def choose(_question: str, _mode: Mode, hits: Sequence[Hit]) -> list[Reading]:
        form = Form.TEXT if hits[0].passage is EMMA else Form.TOKEN
        return [Reading(form)] * len(hits)

    plain, mixed = (
        Pipeline(o.builder, o.generator, embedder=o.embedder, choose_readings=choose)
        for o in (pipeline, adapted)
    )

    given = [[EMMA], [PARIS], [EMMA]]
    expected = told(plain.ask_many(QUESTIONS, passages=given, max_new_tokens=8))
    found = told(mixed.ask_many(QUESTIONS, passages=given, max_new_tokens=8))

    assert found[1] != expected[1]
    assert [text for text, _ in (found[0], found[2])] == [expected[0][0], expected[2][0]]


@pytest.mark.parametrize("options", [{"mode": "openrag", "gate": "always"}, {"mode": "xrag"}])
def test_a_reader_has_other_weights_and_is_left_as_it_is(
    options: dict[str, object],
    world: World,
    projector: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = save_tiny_reader(world, tmp_path / "reader")
    caplog.set_level(logging.INFO)
    plain, adapted = (
        Pipeline.open(world.index, reader=reader, projector=kept, dtype="float32", device="cpu")
        for kept in (world.projector, projector)
    )

    expected, found = (
        opened.ask(QUESTIONS[0], form="token", k=2, max_new_tokens=6, **options)  # type: ignore[arg-type]
        for opened in (plain, adapted)
    )

    assert found.evidence[0].form is Form.TOKEN
    assert told([found]) == told([expected])
    assert "adapters are left out" in caplog.text


def test_adapters_of_another_language_model_are_refused(
    world: World, projector: Path, tmp_path: Path
) -> None:
    saved = load_projector(projector)
    assert saved.adapters is not None
    moved = {f"other.{name}": layer for name, layer in saved.adapters.layers.items()}
    adapters = type(saved.adapters)(saved.adapters.rank, saved.adapters.alpha, moved)
    save_projector(tmp_path / "p", saved.projector, saved.manifest, adapters=adapters)

    with pytest.raises(ProjectorMismatchError, match=r"'other\.model.*does not have"):
        Pipeline.open(world.index, model=str(world.model), projector=tmp_path / "p")
