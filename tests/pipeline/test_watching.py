"""Looking on while many questions are answered: their passages, their text, and giving up."""

from collections.abc import Sequence

import pytest

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.pipeline import Pipeline
from xorag.types import Evidence, Mode

QUESTIONS = ["Who wrote Emma?", "What is the capital of France?", "Where is Berlin, exactly?"]
MODES = ["closed", "text", "xrag", "openrag"]


@pytest.fixture(scope="module")
def judging(world: World, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    reader = save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny")
    return Pipeline.open(
        world.index, reader=reader, projector=world.projector, dtype="float32", device="cpu"
    )


@pytest.mark.parametrize("mode", MODES)
def test_each_question_hears_of_its_passages_and_then_of_its_text(
    mode: str, judging: Pipeline
) -> None:
    texts = dict.fromkeys(range(3), "")
    passages: dict[int, list[str]] = {}

    def tell_passages(place: int, evidence: Sequence[Evidence]) -> None:
        assert texts[place] == ""
        passages[place] = [item.passage.id for item in evidence]

    def tell_text(place: int, piece: str) -> None:
        texts[place] += piece

    answers = judging.ask_many(
        QUESTIONS, mode=mode, k=2, on_passages=tell_passages, on_text=tell_text
    )

    assert [texts[i] for i in range(3)] == [answer.answer for answer in answers]
    for i, answer in enumerate(answers):
        assert passages.get(i, []) == [item.passage.id for item in answer.evidence]


@pytest.mark.parametrize("mode", MODES)
def test_a_question_that_nobody_waits_for_costs_nothing_and_the_others_are_answered(
    mode: str, judging: Pipeline
) -> None:
    whole = judging.ask_many(QUESTIONS, mode=mode, max_new_tokens=6)

    answers = judging.ask_many(
        QUESTIONS, mode=mode, max_new_tokens=6, is_wanted=lambda place: place != 1
    )

    assert (answers[1].answer, answers[1].cost.generated_tokens) == ("", 0)
    assert [answers[i].answer for i in (0, 2)] == [whole[i].answer for i in (0, 2)]


def test_a_reader_stops_writing_where_its_question_is_given_up(judging: Pipeline) -> None:
    calls = 0

    def is_wanted(place: int) -> bool:
        nonlocal calls
        calls += place == 0
        return place != 0 or calls < 6

    whole = judging.ask_many(QUESTIONS[:2], mode=Mode.OPENRAG, gate="always", max_new_tokens=24)
    answers = judging.ask_many(
        QUESTIONS[:2], mode=Mode.OPENRAG, gate="always", max_new_tokens=24, is_wanted=is_wanted
    )

    assert answers[0].cost.generated_tokens < whole[0].cost.generated_tokens
    assert answers[1].answer == whole[1].answer
