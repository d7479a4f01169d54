"""Sentence ends, and that no character is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.sentences import WINDOW_CHARACTERS, split_sentences


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Smith went to Washington. He met Mr. J. R. Jones there.", 2),
        ("The U.S. Senate voted. It passed 52-48.", 2),
        ("It grew by 3.5 percent to 1.43 million. Then it fell.", 2),
        ("J. R. R. Tolkien wrote The Hobbit. It was published in 1937.", 2),
        ('"Stop!" he said. "Why?" she asked. They left.', 3),
        ("It was\nwrapped. Here\nas well.", 2),
        ("A heading\n\nA paragraph begins here. It ends.", 3),
        ("日本は島国です。首都は東京です。", 2),
        ("Привет. Как дела? Хорошо.", 3),
        ("यह एक वाक्य है। यह दूसरा है।", 2),
        ("", 0),
    ],
)
def test_sentences_are_told_from_abbreviations(text: str, count: int) -> None:
    assert len(split_sentences(text)) == count


@given(
    st.text(
        alphabet=st.one_of(st.sampled_from("aA1 .?!\n\t"), st.characters(exclude_categories=["Cs"]))
    )
)
def test_the_sentences_joined_are_the_text(text: str) -> None:
    sentences = split_sentences(text)

    assert "".join(sentences) == text
    assert all(sentence.strip() for sentence in sentences[1:])


@pytest.mark.parametrize("text", ["A sentence here. ", "words without end ", "x", "日本。", "\n"])
def test_text_beyond_a_window_is_cut_as_before(text: str) -> None:
    long_text = text * (3 * WINDOW_CHARACTERS // len(text))

    sentences = split_sentences(long_text)

    assert "".join(sentences) == long_text
    assert all(sentence.endswith(text[-1]) for sentence in sentences)


def test_a_quotation_that_never_ends_hides_few_sentence_ends() -> None:
    text = 'He said "this. ' + "A sentence of some length is here. " * 400

    sentences = split_sentences(text)

    assert "".join(sentences) == text
    assert len(sentences) > 300
