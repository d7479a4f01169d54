"""How the frontier shortens text: within the budget, and what is kept."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.frontier.baselines import BestSentences, PrunedWords, Show, Truncated
from benchmarks.frontier.information import SelfInformation
from benchmarks.frontier.ranking_words import TfIdfWords, bm25
from tests.benchmarks.pools import passage, words_of
from tests.generation.tiny_tokenizers import byte_level
from tests.pipeline.tiny_world import World
from xorag.runtime.loading import load_language_model

TEXTS = st.lists(
    st.sampled_from(["Emma is a book.", "Paris lies in France. It is old.", "A. B c d e."])
)
SHOWS: tuple[Show, ...] = (
    Truncated(words_of),
    BestSentences(words_of),
    PrunedWords(lambda each: [float(len(word)) for word in each.text.split()], words_of),
)


@pytest.mark.parametrize("show", SHOWS)
@given(texts=TEXTS, budget=st.integers(1, 12))
def test_what_is_shown_never_exceeds_the_budget(show: Show, texts: list[str], budget: int) -> None:
    passages = [passage(f"{text} {at}") for at, text in enumerate(texts)]

    shown = show("Where does Paris lie?", passages, budget)

    assert sum(map(words_of, shown)) <= budget
    assert bool(shown) == bool(texts)


def test_truncated_text_is_the_beginning_of_what_the_search_found() -> None:
    passages = [passage("a b c"), passage("d e f"), passage("g h i")]

    shown = Truncated(words_of)("?", passages, 5)

    assert [each.text for each in shown] == ["a b c", "d e"]


def test_the_sentence_that_shares_rare_words_with_the_question_is_shown_first() -> None:
    passages = [
        passage("It is old. It is large. The Seine flows there.", "Paris"),
        passage("It is old. It is new.", "Berlin"),
    ]

    shown = BestSentences(words_of)("Where does the Seine flow?", passages, 8)

    assert [each.text for each in shown] == ["The Seine flows there."]


def test_sentences_of_one_passage_stand_in_its_order_with_a_mark_between() -> None:
    given_passage = passage("Emma met Anna. They ate. Anna left Emma for Rome.")

    (shown,) = BestSentences(words_of)("Whom did Anna leave in Rome?", [given_passage], 9)

    assert shown.text == "Emma met Anna. … Anna left Emma for Rome."


def test_pruning_keeps_the_better_half_of_the_words_in_their_order() -> None:
    scores = {"the": 0.1, "Seine": 3.0, "is": 0.2, "long": 1.0}
    prune = PrunedWords(lambda each: [scores[word] for word in each.text.split()], words_of)

    shown = prune("?", [passage("the Seine is long"), passage("the long")], 9)

    assert [each.text for each in shown] == ["Seine long", "long"]


def test_bm25_counts_rare_words_more_and_long_texts_less() -> None:
    texts = ["the city the city the river", "the river", "the city", "the city of kings"]

    scores = bm25("the river", texts)

    assert scores[1] > scores[0] > scores[2] > 0


def test_a_word_of_all_texts_weighs_less_than_one_of_few() -> None:
    score = TfIdfWords(["the city", "the river", "the king"])

    the, river, unknown = score(passage("The river, Xyz"))

    assert the < river == unknown


def test_information_of_words_is_that_of_their_tokens(world: World, tmp_path: Path) -> None:
    language = load_language_model(
        str(world.model), device=torch.device("cpu"), dtype=torch.float32
    )
    judge = SelfInformation(language.model, language.tokenizer, tmp_path / "kept.jsonl")
    one, other = passage("Emma wrote a book", "Title"), passage("Paris")

    judge.measure([one, other])

    tokenizer = byte_level()
    ids = torch.tensor(
        [[tokenizer.bos_token_id, *tokenizer("Paris", add_special_tokens=False).input_ids]]
    )
    with torch.inference_mode():
        logprobs = language.model(ids).logits[0, :-1].log_softmax(-1)
    expected = -logprobs.gather(1, ids[0, 1:, None]).sum()
    assert judge(other) == pytest.approx((float(expected),), abs=1e-3)
    assert len(judge(one)) == len(one.text.split())


def test_what_was_judged_is_not_judged_again(world: World, tmp_path: Path) -> None:
    language = load_language_model(
        str(world.model), device=torch.device("cpu"), dtype=torch.float32
    )
    kept = tmp_path / "kept.jsonl"
    SelfInformation(language.model, language.tokenizer, kept).measure([passage("Paris is old")])
    lines = kept.read_text()
    kept.write_text(lines + '{"id": "cut sho')

    again = SelfInformation(language.model, language.tokenizer, kept)
    again.measure([passage("Paris is old")])

    assert kept.read_text() == lines
    assert len(again(passage("Paris is old"))) == 3
