"""Scores of one answer."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.questions import Choice, LabelledPassage, Question, QuestionStep
from xorag.errors import UsageError
from xorag.evaluation.answers import (
    AnswerScores,
    best_overlap,
    exact_match,
    f1,
    match,
    raw_match,
    rouge_l,
    score_answer,
)

METRICS = [exact_match, f1, match, raw_match, rouge_l]
words = st.text(alphabet="ab .,é'", max_size=12)
some_answers = st.lists(words, min_size=1, max_size=3)

Metric = Callable[[str, Sequence[str]], float]


def question(*answers: str, **fields: object) -> Question:
    return Question(id="q", question="Who?", answers=answers, passages=(), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", METRICS)
@given(prediction=words, answers=some_answers, more=words)
def test_a_further_right_answer_never_lowers_a_score(
    metric: Metric, prediction: str, answers: list[str], more: str
) -> None:
    before, after = metric(prediction, answers), metric(prediction, [*answers, more])

    assert 0 <= before <= after <= 1


@given(answer=words, before=st.sampled_from(["", "It is ", "x, "]), after=words)
def test_an_answer_said_in_a_sentence_of_its_own_words_matches(
    answer: str, before: str, after: str
) -> None:
    has_a_token = bool(answer.strip())

    score = match(f"{before} {answer} {after}", [answer])

    assert score == float(has_a_token)


@given(prediction=words, answers=some_answers)
def test_an_exact_match_with_a_word_in_it_has_f1_of_1(prediction: str, answers: list[str]) -> None:
    overlap = best_overlap(prediction, answers)

    if exact_match(prediction, answers) and overlap.recall:
        assert overlap.f1 == 1
    assert min(overlap.precision, overlap.recall) <= overlap.f1 + 1e-9
    assert overlap.f1 <= max(overlap.precision, overlap.recall) + 1e-9


def test_precision_and_recall_are_of_the_answer_with_the_best_f1() -> None:
    overlap = best_overlap("New York", ["New York City", "York is old and far from new"])

    assert overlap.precision == 1.0
    assert overlap.recall == pytest.approx(2 / 3)


def test_case_and_composed_accents_do_not_keep_an_answer_from_matching() -> None:
    assert match("BEYONCE\u0301 sang", ["beyoncé"]) == 1.0


def test_part_of_a_word_or_number_is_no_match() -> None:
    assert match("in 1921", ["192"]) == 0.0
    assert match("Parisians", ["Paris"]) == 0.0


def test_an_answer_without_a_word_is_not_matched_by_everything() -> None:
    assert match("anything", [""]) == 0.0
    assert raw_match("anything", [""]) == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_scoring_against_no_answer_is_refused(metric: Metric) -> None:
    with pytest.raises(UsageError, match="0 answers"):
        metric("Ada", [])


def test_a_question_without_an_answer_has_no_score_and_does_not_count_as_wrong() -> None:
    assert score_answer(question(), "Ada") == AnswerScores()


def test_a_short_answer_has_word_scores_and_no_accuracy() -> None:
    scores = score_answer(question("Ada"), "It was Ada")

    assert (scores.em, scores.match, scores.recall, scores.accuracy) == (0.0, 1.0, 1.0, None)


def test_an_empty_prediction_scores_0_everywhere() -> None:
    scores = score_answer(question("Ada"), "")

    assert {value for value in asdict(scores).values() if value is not None} == {0.0}


def test_a_claim_is_right_by_verdict_in_whichever_words() -> None:
    claim = question("False", task="claim", label="False")

    scores = score_answer(claim, "No, it refutes the claim.")

    assert (scores.accuracy, scores.match, scores.em) == (1.0, 1.0, 0.0)
    assert score_answer(claim, "This is true.").accuracy == 0.0


def test_a_claim_with_neither_verdict_is_compared_in_its_own_words() -> None:
    scores = score_answer(question("mixture", task="claim", label="mixture"), "a mixture")

    assert (scores.accuracy, scores.em) == (None, 1.0)


def test_a_choice_is_right_by_its_label_or_its_text() -> None:
    choices = (Choice("A", "fog"), Choice("B", "drought"))
    asked = question("drought", task="choice", choices=choices, label="B")

    assert score_answer(asked, "B").accuracy == 1.0
    assert score_answer(asked, "a drought").accuracy == 1.0
    assert score_answer(asked, "(A) fog").accuracy == 0.0


def test_a_long_answer_is_scored_by_the_short_ones_that_it_holds() -> None:
    meanings = (
        QuestionStep("Where?", ("Lutetia", "Paris")),
        QuestionStep("When?", ("1921",)),
        QuestionStep("Why?", ()),
    )
    asked = question("Ada went to Paris in 1921.", task="long", decomposition=meanings)

    assert score_answer(asked, "Ada went to Paris.").str_em == 0.5
    assert score_answer(question("Ada", task="long"), "Ada").str_em is None


def test_given_passages_do_not_change_a_score() -> None:
    bare = question("Ada")
    passage = LabelledPassage("T", "Ada did.", is_supporting=True)
    with_passage = Question("q", "Who?", ("Ada",), (passage,))

    assert score_answer(bare, "Ada") == score_answer(with_passage, "Ada")


def test_scoring_loads_no_torch() -> None:
    code = (
        "import sys; from xorag.evaluation.answers import rouge_l; "
        "from xorag.evaluation.ranking import Ranking, score_rankings; "
        "score_rankings([Ranking(('a',), frozenset('a'))]); rouge_l('a', ['b']); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
