"""Choosing passages that are read together."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.errors import UsageError
from xorag.pipeline import Pipeline
from xorag.pipeline.finding_options import FindingOptions, checked_finding
from xorag.pipeline.selecting import best_places
from xorag.types import Hit, Mode, Passage

PASSAGES = [
    Passage(name, name, name, f"{name} lies by the river.", 0)
    for name in ("Paris", "Berlin", "Rome", "Oslo")
]


class Longest:
    """Prefers long titles."""

    def scores(self, query: str, hits: Sequence[Hit]) -> list[float]:
        return [float(len(hit.passage.title)) + 0 * len(query) for hit in hits]


@pytest.fixture(scope="module")
def judging(world: World, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    reader = save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "reader")
    return Pipeline.open(reader=reader, dtype="float32", device="cpu")


@given(st.lists(st.floats(0, 1), max_size=8), st.integers(1, 8))
def test_the_best_are_chosen_in_the_order_in_which_they_came(
    scores: list[float], count: int
) -> None:
    places = best_places(scores, count)

    assert places == sorted(set(places))
    assert len(places) == min(count, len(scores))
    left = [score for place, score in enumerate(scores) if place not in places]
    assert all(scores[place] >= max(left, default=0.0) for place in places)


def test_a_reranker_chooses_what_is_read_as_text(world: World) -> None:
    pipeline = Pipeline.open(model=str(world.model), dtype="float32", device="cpu")
    pipeline.reranker = Longest()

    answer = pipeline.ask("Which?", passages=PASSAGES, mode="text", select=2, max_new_tokens=2)

    read = [(item.passage.title, item.score) for item in answer.evidence]
    assert read == [("Paris", 5.0), ("Berlin", 6.0)]


def test_a_reader_chooses_what_it_holds_relevant_and_reads_it_in_one_paragraph(
    judging: Pipeline,
) -> None:
    alone = judging.ask("Which?", passages=PASSAGES, mode="openrag", gate="always")
    together = judging.ask("Which?", passages=PASSAGES, mode="openrag", gate="always", select=2)

    by_relevance = sorted(
        alone.evidence, key=lambda item: -item.critique.relevance if item.critique else 0.0
    )
    wanted = {item.passage.id for item in by_relevance[:2]}
    assert {item.passage.id for item in together.evidence} == wanted
    assert together.evidence[0].critique == together.evidence[1].critique
    assert all(item.is_chosen for item in together.evidence)


def test_selecting_more_than_there_are_reads_all(judging: Pipeline) -> None:
    answer = judging.ask("Which?", passages=PASSAGES, mode="openrag", gate="always", select=9)

    assert [item.passage for item in answer.evidence] == PASSAGES


def test_without_a_reranker_selecting_by_one_is_refused(judging: Pipeline) -> None:
    with pytest.raises(UsageError, match="name it with --reranker"):
        judging.ask("Which?", passages=PASSAGES, mode="text", select=1)


@pytest.mark.parametrize(
    ("mode", "options", "reason"),
    [
        (Mode.TEXT, {"select": 1, "select_by": "relevance"}, "only mode 'openrag' judges"),
        (Mode.CLOSED, {"select": 1}, "reads no passage to select"),
        (Mode.TEXT, {"select": 1, "select_by": "luck"}, "no way to select 'luck'; give one of"),
        (Mode.TEXT, {"select_by": "reranker"}, "give --select"),
        (Mode.TEXT, {"select": 0}, "at least 1 passage must be selected"),
        (Mode.TEXT, {"hop_by": "luck"}, "no way to hop 'luck'; give one of names, answer"),
        (Mode.TEXT, {"hops": 0}, "hops must be 1 to 8, got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    mode: Mode, options: FindingOptions, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        checked_finding(mode, options)


def test_hops_may_follow_the_models_answers(world: World) -> None:
    pipeline = Pipeline.open(world.index, model=str(world.model), dtype="float32", device="cpu")

    asked = {"mode": "text", "k": 3, "max_new_tokens": 2}
    once = pipeline.ask("Which river?", **asked)  # type: ignore[arg-type]
    by_answer = pipeline.ask("Which river?", hops=2, hop_by="answer", **asked)  # type: ignore[arg-type]

    assert len(by_answer.evidence) == len(once.evidence) == 3
    assert by_answer.cost.seconds.search > 0
