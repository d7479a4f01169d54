"""Passages in forms of their own where a reader judges each."""

from collections.abc import Sequence

import pytest

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.pipeline import Pipeline
from xorag.types import Form, Hit, Mode, Passage, Reading

EMMA = Passage(
    "e", "e", "Emma", "It is a novel. Jane Austen wrote it in 1815. No one knows why.", 0
)
PARIS = Passage("p", "p", "Paris", "Paris is the capital of France.", 0)
QUESTION = "Who wrote it, the book Emma?"


@pytest.fixture(scope="module")
def pipeline(world: World, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    reader = save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny")
    return Pipeline.open(
        world.index, reader=reader, projector=world.projector, dtype="float32", device="cpu"
    )


@pytest.mark.parametrize(
    ("form", "shown"), [("strings", ("Jane Austen", "1815")), ("sentences", None)]
)
def test_a_reader_reads_what_is_shown_of_a_passage(
    form: str, shown: tuple[str, ...] | None, pipeline: Pipeline
) -> None:
    (item,) = pipeline.ask(
        QUESTION, passages=[EMMA], mode="openrag", gate="always", form=form, max_new_tokens=4
    ).evidence

    assert item.form is Form(form)
    assert set(shown or ("Jane Austen wrote it in 1815.",)) <= set(item.shown)
    assert item.tokens > 1
    assert item.critique is not None


def test_a_dropped_passage_is_not_judged_and_still_named(pipeline: Pipeline) -> None:
    def without_paris(_question: str, _mode: Mode, hits: Sequence[Hit]) -> list[Reading]:
        return [
            Reading(Form.DROPPED, reason="far") if hit.passage == PARIS else Reading(Form.TEXT)
            for hit in hits
        ]

    chosen = Pipeline(pipeline.builder, pipeline.generator, choose_readings=without_paris)
    chosen.openrag = pipeline.openrag

    answer = chosen.ask(
        QUESTION, passages=[PARIS, EMMA], mode="openrag", gate="always", max_new_tokens=4
    )

    read, dropped = answer.evidence
    assert (read.passage, read.is_chosen) == (EMMA, True)
    assert (dropped.passage, dropped.tokens, dropped.reason) == (PARIS, 0, "far")
    assert (dropped.is_chosen, dropped.critique) == (False, None)
