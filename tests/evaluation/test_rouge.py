"""ROUGE-L is the package `rouge`'s, without its crashes."""

from hypothesis import given
from hypothesis import strategies as st
from rouge import Rouge

from xorag.evaluation.rouge import rouge_l_score

texts = st.lists(
    st.sampled_from(["a", "b", "c", "d", "A", ".", " . ", "..", ", ", "é"]), max_size=14
).map(" ".join)


@given(prediction=texts, answer=texts)
def test_the_number_is_the_packages_wherever_it_gives_one(prediction: str, answer: str) -> None:
    is_scored_there = bool(prediction.replace(".", "")) and bool(answer.replace(".", ""))

    ours = rouge_l_score(prediction, answer)

    if is_scored_there:
        theirs = Rouge(metrics=["rouge-l"]).get_scores(prediction, answer)[0]["rouge-l"]["f"]
        assert abs(ours - theirs) < 1e-12
    else:
        assert ours == 0.0


def test_a_prediction_of_nothing_or_of_full_stops_scores_0() -> None:
    assert rouge_l_score("", "a text") == rouge_l_score("...", "a text") == 0.0
    assert rouge_l_score("a text", "") == 0.0


def test_a_sentence_of_two_thousand_words_is_scored() -> None:
    long = " ".join(str(number) for number in range(2_000))

    assert rouge_l_score(long, "0 1999") > 0
