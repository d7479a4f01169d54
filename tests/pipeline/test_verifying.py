"""Answers that are looked up in their evidence, and read once more where they fail."""

from pathlib import Path

import pytest

from tests.pipeline.scripted import calls_of, scripted
from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.errors import UsageError
from xorag.pipeline import Pipeline
from xorag.pipeline.options import checked
from xorag.pipeline.verifying import REASON
from xorag.types import Answer, CheckedString, Form, GateKind, Passage, Verification

EMMA = Passage("emma", "d", "Emma", "Emma is a novel that Jane Austen wrote in 1815.", 0)
PARIS = Passage("paris", "d", "Paris", "Paris is the capital of France.", 0)
QUESTION = "Who wrote Emma?"
RIGHT, WRONG = "Jane Austen", "Charlotte Smith"


def found_in(answer: Answer) -> Verification:
    assert answer.verification is not None
    return answer.verification


def test_an_answer_whose_strings_all_stand_in_the_passages_is_read_once(pipeline: Pipeline) -> None:
    asked = scripted(pipeline, ["Jane Austen, in 1815"])

    answer = asked.ask(QUESTION, passages=[PARIS, EMMA], verify=True)

    assert len(calls_of(asked)) == 1
    assert answer.as_json()["verification"] == {
        "checked": [
            {"text": "Jane Austen", "kind": "name", "found_in": ("emma",)},
            {"text": "1815", "kind": "date", "found_in": ("emma",)},
        ],
        "reread": False,
        "unverified": [],
    }


def test_strings_are_looked_up_in_the_full_text_of_passages_read_as_soft_tokens(
    pipeline: Pipeline,
) -> None:
    answer = scripted(pipeline, [RIGHT]).ask(QUESTION, passages=[EMMA], mode="xrag", verify=True)

    assert answer.evidence[0].form is Form.TOKEN
    assert found_in(answer).checked[0].found_in == ("emma",)


def test_what_is_not_found_is_read_again_with_the_most_promising_passage_as_text(
    pipeline: Pipeline,
) -> None:
    asked = scripted(pipeline, [WRONG], [RIGHT])

    answer = asked.ask(QUESTION, passages=[PARIS, EMMA], mode="xrag", verify=True)

    second = found_in(answer).second_reading
    assert answer.answer == RIGHT
    assert [item.form for item in answer.evidence] == [Form.TOKEN, Form.TEXT]
    assert answer.evidence[1].reason == REASON
    assert second is not None
    assert (second.passage_id, second.first_answer) == ("emma", WRONG)
    assert second.first_unverified == (WRONG,)
    assert found_in(answer).unverified == ()


def test_the_cost_of_both_readings_is_counted(pipeline: Pipeline) -> None:
    once = scripted(pipeline, [RIGHT]).ask(QUESTION, passages=[EMMA], verify=True)
    asked = scripted(pipeline, [WRONG], [RIGHT])

    twice = asked.ask(QUESTION, passages=[EMMA], verify=True)

    (first,), (again,) = calls_of(asked)
    second = found_in(twice).second_reading
    assert second is not None
    assert second.prompt_tokens == len(again.token_ids)
    assert twice.cost.prompt_tokens == len(first.token_ids) + len(again.token_ids)
    assert twice.cost.generated_tokens == 2 * once.cost.generated_tokens
    assert twice.cost.passage_tokens_as_text == once.cost.passage_tokens_as_text
    assert 0 < second.seconds < twice.cost.seconds.total


def test_what_is_still_not_found_is_marked_and_the_answer_given(pipeline: Pipeline) -> None:
    asked = scripted(pipeline, [WRONG], ["Mary Shelley in 1815"])

    answer = asked.ask(QUESTION, passages=[EMMA], verify=True)

    assert len(calls_of(asked)) == 2
    assert answer.answer == "Mary Shelley in 1815"
    assert found_in(answer).unverified == ("Mary Shelley",)
    assert not answer.abstained


def test_an_unverified_answer_can_be_withheld(pipeline: Pipeline) -> None:
    asked = scripted(pipeline, [WRONG], ["Mary Shelley"])

    answer = asked.ask(QUESTION, passages=[EMMA], verify=True, abstain_unverified=True)

    assert (answer.answer, answer.abstained, answer.confidence) == ("", True, None)
    assert answer.as_json()["verification"]["withheld"] == "Mary Shelley"
    assert answer.as_json()["abstained"] is True


def test_a_verified_answer_is_not_withheld(pipeline: Pipeline) -> None:
    answer = scripted(pipeline, [WRONG], [RIGHT]).ask(
        QUESTION, passages=[EMMA], verify=True, abstain_unverified=True
    )

    assert (answer.answer, answer.abstained) == (RIGHT, False)


def test_passages_that_were_read_as_text_are_not_read_again(pipeline: Pipeline) -> None:
    asked = scripted(pipeline, [WRONG])

    answer = asked.ask(QUESTION, passages=[EMMA], mode="text", verify=True)

    assert len(calls_of(asked)) == 1
    assert found_in(answer).second_reading is None
    assert found_in(answer).unverified == (WRONG,)


def test_an_empty_second_answer_does_not_replace_the_first(pipeline: Pipeline) -> None:
    answer = scripted(pipeline, [WRONG], [" "]).ask(QUESTION, passages=[EMMA], verify=True)

    assert answer.answer == WRONG
    assert found_in(answer).unverified == (WRONG,)
    assert found_in(answer).second_reading is not None


def test_without_a_number_date_or_name_there_is_nothing_to_look_up(pipeline: Pipeline) -> None:
    answer = scripted(pipeline, ["Yes, a novel by someone"]).ask(
        QUESTION, passages=[EMMA], verify=True
    )

    assert found_in(answer) == Verification(())


def test_of_many_only_the_doubtful_are_read_again_and_each_is_told_once_and_whole(
    pipeline: Pipeline,
) -> None:
    asked = scripted(pipeline, [RIGHT, "Lyon", WRONG], ["Paris", RIGHT])
    answers: list[tuple[int, str]] = []
    texts: list[tuple[int, str]] = []

    given = asked.ask_many(
        [QUESTION, "What is the capital?", QUESTION],
        passages=[[EMMA], [PARIS], [EMMA]],
        verify=True,
        on_answer=lambda place, answer: answers.append((place, answer.answer)),
        on_text=lambda place, text: texts.append((place, text)),
    )

    assert [answer.answer for answer in given] == [RIGHT, "Paris", RIGHT]
    assert [len(prompts) for prompts in calls_of(asked)] == [3, 2]
    assert answers == texts == [(0, RIGHT), (1, "Paris"), (2, RIGHT)]


def test_what_is_wanted_no_more_is_not_read_again(pipeline: Pipeline) -> None:
    asked = scripted(pipeline, [WRONG])

    (answer,) = asked.ask_many(
        [QUESTION], passages=[[EMMA]], verify=True, is_wanted=lambda _: False
    )

    assert len(calls_of(asked)) == 1
    assert found_in(answer).unverified == (WRONG,)


def test_unless_asked_for_nothing_is_looked_up(pipeline: Pipeline) -> None:
    answer = scripted(pipeline, [WRONG]).ask(QUESTION, passages=[EMMA])

    assert answer.verification is None
    assert "verification" not in answer.as_json()


@pytest.fixture
def doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is answered, one of its strings stands in no passage."""
    unfound = (CheckedString("Nobody", "name", ()),)
    monkeypatch.setattr("xorag.pipeline.verifying.checked_strings", lambda *_: unfound)


@pytest.mark.usefixtures("doubted")
def test_with_a_model_the_second_answer_is_that_from_the_text(pipeline: Pipeline) -> None:
    as_text = pipeline.ask(QUESTION, passages=[EMMA], mode="text", max_new_tokens=6)

    answer = pipeline.ask(QUESTION, passages=[EMMA], mode="xrag", max_new_tokens=6, verify=True)

    assert answer.answer == as_text.answer
    assert answer.confidence == pytest.approx(as_text.confidence, abs=1e-5)
    assert answer.cost.prompt_tokens > as_text.cost.prompt_tokens


@pytest.mark.usefixtures("doubted")
def test_in_mode_openrag_the_reader_reads_again_and_the_gate_is_not_asked_twice(
    world: World, tmp_path: Path
) -> None:
    reader = save_tiny_reader(world, tmp_path / "tiny")
    pipeline = Pipeline.open(
        world.index, reader=reader, projector=world.projector, dtype="float32", device="cpu"
    )
    as_text = pipeline.ask(QUESTION, passages=[EMMA], mode="openrag", gate="always")

    answer = pipeline.ask(
        QUESTION,
        passages=[EMMA],
        mode="openrag",
        form="token",
        gate="token",
        threshold=0.0,
        verify=True,
    )

    assert found_in(answer).second_reading is not None
    assert answer.answer == as_text.answer
    assert [item.form for item in answer.evidence] == [Form.TEXT]
    assert answer.gate is not None
    assert answer.gate.kind is GateKind.TOKEN


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mode": "closed", "verify": True}, "mode 'closed' reads no passage"),
        ({"abstain_unverified": True}, "give verify too"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        checked(**options)  # type: ignore[arg-type]
