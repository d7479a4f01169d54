"""Passages: where they end, how long they are, and that nothing is lost."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.batching import CountTokens
from xorag.data.chunking import (
    DOCUMENTS_A_GROUP,
    MIN_TOKENS,
    chunk,
    chunk_stream,
    content_hash,
)
from xorag.errors import UsageError
from xorag.types import Document, Passage

SPECIAL = 2
LETTERS_A_TOKEN = 5

texts = st.text(
    alphabet=st.one_of(
        st.sampled_from("aB1é日. .!?\n\n\t   "), st.characters(exclude_categories=["Cs"])
    ),
    max_size=600,
)
titles = texts.map(lambda text: " ".join(text.split()))


def count_tokens(batch: list[str]) -> list[int]:
    """Counts a token for every five letters of a word, and two for begin and end."""
    return [SPECIAL + sum(-(-len(word) // LETTERS_A_TOKEN) for word in x.split()) for x in batch]


def count_context_dependent_tokens(batch: list[str]) -> list[int]:
    """Counts more for a whole than for its parts, as no sum of sentences would."""
    return [count + count // 5 for count in count_tokens(batch)]


def _document(text: str, title: str = "") -> Document:
    return Document("doc", title, text)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_short_document_is_one_passage() -> None:
    passages = chunk(_document(" A short text. \n", title="Title"), count_tokens)

    assert passages == [Passage("doc#0", "doc", "Title", "A short text.", 0)]


def test_passages_end_at_sentence_ends() -> None:
    sentences = [f"Dr. Smith of the U.S. wrote note {number}." for number in range(40)]

    passages = chunk(_document(" ".join(sentences), title="Notes"), count_tokens, max_tokens=40)

    assert len(passages) > 5
    assert [passage.position for passage in passages] == list(range(len(passages)))
    assert [passage.id for passage in passages][:2] == ["doc#0", "doc#1"]
    assert all(passage.text.endswith(".") for passage in passages)
    assert all(passage.text.startswith("Dr. Smith") for passage in passages)


def test_passages_are_filled_as_far_as_sentences_allow() -> None:
    text = " ".join(["Four words are here."] * 30)

    passages = chunk(_document(text), count_tokens, max_tokens=SPECIAL + 21)

    assert [len(passage.text.split()) for passage in passages[:-1]] == [20] * (len(passages) - 1)


def test_a_long_sentence_is_cut_at_the_last_word_that_fits() -> None:
    text = "Short one. " + "word " * 50 + "end. Last one."

    passages = chunk(_document(text), count_tokens, max_tokens=SPECIAL + 20)

    assert passages[0].text == "Short one."
    assert [len(passage.text.split()) for passage in passages[1:3]] == [20, 20]
    assert passages[3].text == "word " * 10 + "end. Last one."


def test_a_word_longer_than_a_passage_is_cut_between_characters() -> None:
    text = "x" * 1000

    passages = chunk(_document(text), count_tokens, max_tokens=SPECIAL + 20)

    assert "".join(passage.text for passage in passages) == text
    assert len(passages) == 10


def test_a_title_that_takes_most_of_a_passage_loses_its_last_words() -> None:
    document = _document("One sentence here. " * 20, title=" ".join(["title"] * 30))

    passages = chunk(document, count_tokens, max_tokens=30)

    assert {passage.title for passage in passages} == {" ".join(["title"] * 12)}


def test_a_title_without_a_word_that_fits_is_dropped() -> None:
    document = _document("One sentence here. " * 20, title="x" * 500)

    assert {passage.title for passage in chunk(document, count_tokens, max_tokens=30)} == {""}


def test_a_document_without_text_has_no_passages() -> None:
    assert chunk(_document(" \n ", title="Title"), count_tokens) == []
    assert chunk(_document(" " * 10_000, title="Title"), count_tokens, max_tokens=16) == []


def test_room_for_text_is_demanded() -> None:
    with pytest.raises(UsageError, match="passages of 15 tokens leave no room"):
        chunk(_document("Text."), count_tokens, max_tokens=MIN_TOKENS - 1)


@pytest.mark.parametrize("counter", [count_tokens, count_context_dependent_tokens])
@given(
    text=texts,
    title=texts.map(lambda value: " ".join(value.split())),
    max_tokens=st.integers(16, 60),
)
def test_nothing_is_lost_and_no_passage_is_too_long(
    counter: CountTokens, text: str, title: str, max_tokens: int
) -> None:
    passages = chunk(_document(text, title), counter, max_tokens=max_tokens)

    assert _squeezed("".join(passage.text for passage in passages)) == _squeezed(text)
    assert all(passage.text == passage.text.strip() != "" for passage in passages)
    assert all(count <= max_tokens for count in _counts(counter, passages))
    assert all(title.startswith(passage.title) for passage in passages)


def _counts(counter: CountTokens, passages: list[Passage]) -> list[int]:
    return counter([passage.titled_text for passage in passages])


@given(st.lists(texts, max_size=8))
def test_documents_chunked_together_come_out_as_alone(several: list[str]) -> None:
    documents = [Document(str(at), "T", text) for at, text in enumerate(several)]

    together = [
        list(item.passages) for item in chunk_stream(documents, count_tokens, max_tokens=20)
    ]

    assert together == [chunk(document, count_tokens, max_tokens=20) for document in documents]


def test_a_stream_counts_many_documents_in_few_calls_and_holds_one_group() -> None:
    calls: list[int] = []
    taken: list[int] = []

    def counted(batch: list[str]) -> list[int]:
        calls.append(len(batch))
        return count_tokens(batch)

    def documents() -> Iterator[Document]:
        for number in range(3 * DOCUMENTS_A_GROUP):
            taken.append(number)
            yield Document(str(number), "", "One sentence here. " * 20)

    stream = chunk_stream(documents(), counted, max_tokens=30)
    next(stream)

    assert len(taken) == DOCUMENTS_A_GROUP
    assert len(calls) < 10
    assert len(list(stream)) == 3 * DOCUMENTS_A_GROUP - 1


def test_the_hash_changes_with_each_field_and_where_one_ends() -> None:
    documents = [
        Document("a", "b", "c"),
        Document("x", "b", "c"),
        Document("a", "x", "c"),
        Document("a", "b", "x"),
        Document("ab", "", "c"),
    ]

    assert len({content_hash(document) for document in documents}) == len(documents)
    assert content_hash(documents[0]) == content_hash(Document("a", "b", "c"))
