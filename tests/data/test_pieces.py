"""Cutting a passage into pieces: nothing is lost, the order stays, and the number is reached."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.pieces import MIN_PIECE_CHARACTERS, cut_into_pieces
from xorag.errors import UsageError

WORDS = st.text(st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=60)
SENTENCES = (
    "Jane Austen wrote Emma in 1815. It is a comedy of manners. The heroine is handsome, clever, "
    "and rich. She has lived nearly twenty-one years in the world. Very little vexed her."
)


def squeezed(text: str) -> str:
    """A text without its white space."""
    return "".join(text.split())


@given(st.text(), st.integers(1, 16))
def test_nothing_but_white_space_is_lost_and_the_order_stays(text: str, count: int) -> None:
    pieces = cut_into_pieces(text, count)

    assert squeezed("".join(pieces)) == squeezed(text)
    assert 1 <= len(pieces) <= count


@given(st.text(min_size=1), st.integers(1, 16))
def test_no_piece_is_empty_unless_the_text_is(text: str, count: int) -> None:
    pieces = cut_into_pieces(text, count)

    assert all(pieces) == bool(text.strip())
    assert all(piece == piece.strip() for piece in pieces)


@given(st.lists(WORDS, min_size=1, max_size=200), st.integers(1, 16))
def test_the_number_is_reached_where_there_are_words_enough(words: list[str], count: int) -> None:
    text = " ".join(words)

    pieces = cut_into_pieces(text, count)

    room = max(1, len(text) // MIN_PIECE_CHARACTERS)
    assert len(pieces) == min(count, room, len(text.split()))


def test_pieces_are_whole_sentences_where_there_are_enough() -> None:
    pieces = cut_into_pieces(SENTENCES, 3)

    assert pieces == [
        "Jane Austen wrote Emma in 1815. It is a comedy of manners.",
        "The heroine is handsome, clever, and rich.",
        "She has lived nearly twenty-one years in the world. Very little vexed her.",
    ]


def test_a_long_sentence_is_cut_after_a_clause_near_its_middle() -> None:
    text = "Emma was handsome, clever, and rich, with a comfortable home and great joy."

    assert cut_into_pieces(text, 2) == [
        "Emma was handsome, clever, and rich,",
        "with a comfortable home and great joy.",
    ]


def test_a_long_word_does_not_keep_others_from_being_cut() -> None:
    link = "https://example.org/" + "x" * 200

    assert cut_into_pieces(f"{link} Emma wrote a novel about the sea.", 3) == [
        link,
        "Emma wrote a novel",
        "about the sea.",
    ]


@pytest.mark.parametrize("text", ["", "  \n ", "Emma."])
def test_a_text_too_short_to_be_cut_is_one_piece(text: str) -> None:
    assert cut_into_pieces(text, 16) == [text.strip()]


def test_fewer_than_one_piece_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1 piece, got 0"):
        cut_into_pieces("Emma.", 0)


@given(st.text(), st.integers(1, 16))
def test_cutting_into_the_number_that_was_reached_gives_the_same_pieces(
    text: str, count: int
) -> None:
    pieces = cut_into_pieces(text, count)

    assert cut_into_pieces(text, len(pieces)) == pieces
