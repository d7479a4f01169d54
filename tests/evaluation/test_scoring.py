"""Which scores an answer gets."""

from tests.evaluation.fake_pipeline import capital
from xorag.data.questions import QuestionStep, SupportingFact
from xorag.evaluation.scoring import scores_of
from xorag.types import Passage

OF_ALL = {"em", "f1", "precision", "recall", "match", "rouge_l"}
OF_HOPS = {"hotpot_em", "hotpot_f1", "hotpot_precision", "hotpot_recall"}
OF_SENTENCES = {"hotpot_sp_em", "hotpot_sp_f1", "hotpot_joint_em", "hotpot_joint_f1"}
OF_PASSAGES = {"passage_recall", "passage_precision", "all_passages"}


def passage(title: str, text: str) -> Passage:
    return Passage(title, title, title, text, 0)


def test_a_short_answer_gets_the_scores_of_its_answers() -> None:
    scores = scores_of(capital(3), "It is City3.", [passage("Land", "A passage.")])

    assert scores.keys() == OF_ALL
    assert (scores["match"], scores["em"]) == (1.0, 0.0)


def test_a_question_without_answers_gets_no_score() -> None:
    assert scores_of(capital(0, answers=()), "City0", []) == {}


def test_a_multi_hop_question_also_gets_hotpotqas_scores() -> None:
    question = capital(0, answers=("yes",), supporting_facts=(SupportingFact("Land", 0),))

    scores = scores_of(question, "yes, it is", [])

    assert scores.keys() == OF_ALL | OF_HOPS
    assert scores["f1"] > 0
    assert scores["hotpot_f1"] == 0  # yes must stand alone


def test_a_long_answer_gets_scores_of_its_citations_where_it_read_passages() -> None:
    question = capital(0, task="long", answers=("City0 is the capital.",))

    read = scores_of(
        question, "City0 is the capital [1].", [passage("Land", "The capital is City0.")]
    )
    closed = scores_of(question, "City0 is the capital.", [])

    assert read.keys() - closed.keys() == {"citation_recall", "citation_precision"}
    assert (read["citation_recall"], read["citation_precision"]) == (1.0, 1.0)


def test_a_long_answer_to_several_readings_is_searched_for_each_short_answer() -> None:
    steps = (QuestionStep("Then?", ("City0",)), QuestionStep("Now?", ("Town", "Village")))
    question = capital(0, task="long", answers=("A text.",), decomposition=steps)

    assert scores_of(question, "City0, later City1.", [])["str_em"] == 0.5


def test_reading_the_sentence_that_supports_gives_the_joint_score() -> None:
    question = capital(0, supporting_facts=(SupportingFact("Land", 1),))
    read = [passage("Land", "It lies by the sea. The capital of the whole land 0 is City0.")]

    right = scores_of(question, "City0", read)
    wrong = scores_of(question, "Rome", read)

    assert right.keys() == OF_ALL | OF_HOPS | OF_SENTENCES | OF_PASSAGES
    assert (right["hotpot_sp_em"], right["hotpot_joint_em"], right["hotpot_joint_f1"]) == (1, 1, 1)
    assert (wrong["hotpot_sp_em"], wrong["hotpot_joint_em"], wrong["hotpot_joint_f1"]) == (1, 0, 0)


def test_a_question_in_steps_gets_the_scores_of_hops_but_none_of_sentences() -> None:
    steps = (QuestionStep("Who?", ("Ada",)), QuestionStep("Where was #1?", ("City0",)))

    scores = scores_of(capital(0, decomposition=steps), "City0", [])

    assert scores.keys() == OF_ALL | OF_HOPS
