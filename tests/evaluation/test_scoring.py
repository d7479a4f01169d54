"""Which scores an answer gets."""

from tests.evaluation.fake_pipeline import capital
from xorag.data.questions import QuestionStep, SupportingFact
from xorag.evaluation.scoring import scores_of

OF_ALL = {"em", "f1", "precision", "recall", "match", "rouge_l"}


def test_a_short_answer_gets_the_scores_of_its_answers() -> None:
    scores = scores_of(capital(3), "It is City3.", ["A passage."])

    assert scores.keys() == OF_ALL
    assert (scores["match"], scores["em"]) == (1.0, 0.0)


def test_a_question_without_answers_gets_no_score() -> None:
    assert scores_of(capital(0, answers=()), "City0", []) == {}


def test_a_multi_hop_question_also_gets_hotpotqas_scores() -> None:
    question = capital(0, answers=("yes",), supporting_facts=(SupportingFact("Land", 0),))

    scores = scores_of(question, "yes, it is", [])

    assert scores.keys() == OF_ALL | {"hotpot_em", "hotpot_f1"}
    assert scores["f1"] > 0
    assert scores["hotpot_f1"] == 0  # yes must stand alone


def test_a_long_answer_gets_scores_of_its_citations_where_it_read_passages() -> None:
    question = capital(0, task="long", answers=("City0 is the capital.",))

    read = scores_of(question, "City0 is the capital [1].", ["The capital is City0."])
    closed = scores_of(question, "City0 is the capital.", [])

    assert read.keys() - closed.keys() == {"citation_recall", "citation_precision"}
    assert (read["citation_recall"], read["citation_precision"]) == (1.0, 1.0)


def test_a_long_answer_to_several_readings_is_searched_for_each_short_answer() -> None:
    steps = (QuestionStep("Then?", ("City0",)), QuestionStep("Now?", ("Town", "Village")))
    question = capital(0, task="long", answers=("A text.",), decomposition=steps)

    assert scores_of(question, "City0, later City1.", [])["str_em"] == 0.5
