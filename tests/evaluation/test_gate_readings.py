"""Calibration questions are asked both ways, and scored."""

from dataclasses import dataclass, field, replace

import pytest

from tests.evaluation.fake_pipeline import capital, capitals
from xorag.data.questions import Question
from xorag.errors import UsageError
from xorag.evaluation.asking import Group
from xorag.evaluation.gate_readings import GateReading, read_outcomes, require_usable
from xorag.evaluation.plan import PassageSource, Settings
from xorag.evaluation.question_sets import QuestionSet


@dataclass
class FakeReader:
    """Knows no capital by itself but `City3`, and reads the rest; sure only of what it knows."""

    groups: list[Group] = field(default_factory=list)

    def read(self, group: Group) -> list[GateReading]:
        self.groups.append(group)
        return [self._reading(item.text, len(item.passages)) for item in group.asked]

    def _reading(self, question: str, passages: int) -> GateReading:
        place = question.rsplit(maxsplit=1)[-1].strip("?")
        sure = 0.9 if place == "3" else 0.2
        read = f"It is City{place}." if passages else "nothing"
        return GateReading(1 - sure, sure, sure, "City3", read)


def a_set(questions: tuple[Question, ...], name: str = "capitals") -> QuestionSet:
    return QuestionSet(name, f"{name}.jsonl", None, "", len(questions), 0, questions)


def test_each_question_of_all_sets_has_what_the_gates_see_and_a_score_both_ways() -> None:
    heard: list[int] = []
    sets = (a_set(capitals(5)), a_set((capital(7),), "more"))

    outcomes = read_outcomes(sets, Settings(k=2), FakeReader(), on_read=heard.append, group_size=2)

    by_id = {outcome.id: outcome for outcome in outcomes}
    assert sorted(by_id) == ["q0", "q1", "q2", "q3", "q4", "q7"]
    assert [by_id[key].closed for key in sorted(by_id)] == [0, 0, 0, 1, 0, 0]
    assert {outcome.retrieved for outcome in outcomes} == {1}
    assert by_id["q3"].min_probability == by_id["q3"].mean_probability == 0.9
    assert by_id["q3"].retrieval_probability == pytest.approx(0.1)
    assert heard == [2, 2, 1, 1]


def test_so_many_passages_are_handed_over_as_are_asked_for() -> None:
    reader = FakeReader()

    read_outcomes((a_set(capitals(3)),), Settings(k=1), reader)

    (group,) = reader.groups
    assert {len(item.passages) for item in group.asked} == {1}


def test_passages_to_be_retrieved_are_not_those_of_the_question() -> None:
    reader = FakeReader()

    outcomes = read_outcomes(
        (a_set(capitals(3)),), Settings(passages=PassageSource.RETRIEVED), reader
    )

    assert {outcome.retrieved for outcome in outcomes} == {0}


@pytest.mark.parametrize(
    ("question", "source", "sentence"),
    [
        (capital(1, passages=()), PassageSource.GIVEN, "'q1' came without passages.*--index"),
        (capital(1, answers=()), PassageSource.GIVEN, "'q1' has no right answer"),
    ],
)
def test_questions_that_nothing_can_be_calibrated_on_are_refused(
    question: Question, source: PassageSource, sentence: str
) -> None:
    with pytest.raises(UsageError, match=rf"capitals\.jsonl: question {sentence}"):
        require_usable((a_set((capital(0), question)),), Settings(passages=source))


def test_questions_without_passages_will_do_where_passages_are_retrieved() -> None:
    bare = replace(capital(0), passages=())

    require_usable((a_set((bare,)),), Settings(passages=PassageSource.RETRIEVED))
