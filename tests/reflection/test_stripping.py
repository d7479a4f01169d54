"""Reflection tokens leave, the answer stays."""

from hypothesis import given
from hypothesis import strategies as st

from tests.generation.tiny_tokenizers import byte_level
from tests.reflection.fake_vocabulary import FIRST_ID, VOCABULARY, WORD
from xorag.reflection.stripping import answer_places, strip_reflection_ids, strip_reflections
from xorag.reflection.vocabulary import add_reflection_tokens
from xorag.types import ReflectionToken

words = st.text(alphabet="abc é:,.", max_size=8)
tokens = st.sampled_from(list(ReflectionToken))


def test_an_answer_is_what_stands_between_the_tokens() -> None:
    written = "[Relevant]Jane Austen[Fully supported][Utility:5]"

    assert strip_reflections(written) == "Jane Austen"


@given(parts=st.lists(st.tuples(words, tokens), max_size=6), end=words)
def test_ordinary_text_stays_as_it_is(parts: list[tuple[str, ReflectionToken]], end: str) -> None:
    written = "".join(word + token.value for word, token in parts) + end

    assert strip_reflections(written) == ("".join(word for word, _ in parts) + end).strip()


@given(text=st.text(alphabet="[]Utility:5Relvan <>/pgrh", max_size=40))
def test_text_that_only_looks_like_a_token_is_kept(text: str) -> None:
    holds_token = any(token.value in text for token in ReflectionToken)

    assert holds_token or strip_reflections(text) == text.strip()


@given(ids=st.lists(st.integers(min_value=FIRST_ID - 5, max_value=FIRST_ID + 20), max_size=12))
def test_ids_of_the_answer_keep_their_order(ids: list[int]) -> None:
    kept = strip_reflection_ids(ids, VOCABULARY)

    assert list(kept) == [i for i in ids if not FIRST_ID <= i < FIRST_ID + 15]
    assert [ids[at] for at in answer_places(ids, VOCABULARY)] == list(kept)


def test_an_answer_written_in_ids_decodes_to_its_words() -> None:
    tokenizer = byte_level()
    vocabulary = add_reflection_tokens(tokenizer)
    answer = tokenizer("Marie Curie", add_special_tokens=False)["input_ids"]
    relevant, useful = (
        vocabulary.ids[token] for token in (ReflectionToken.RELEVANT, ReflectionToken.UTILITY_5)
    )

    kept = strip_reflection_ids([relevant, *answer, useful], vocabulary)

    assert tokenizer.decode(list(kept)) == "Marie Curie"


def test_an_answer_of_tokens_alone_is_empty() -> None:
    assert strip_reflection_ids([FIRST_ID, FIRST_ID + 3], VOCABULARY) == ()
    assert strip_reflection_ids([WORD], VOCABULARY) == (WORD,)
