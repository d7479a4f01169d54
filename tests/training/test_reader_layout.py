"""Which reflection tokens of an output count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.generation.control import Piece, Quoted, Trusted
from xorag.training.reader_layout import output_pieces
from xorag.types import ReflectionToken

WORDS = st.text(st.sampled_from("ab c.\n"), max_size=8)


def text_of(pieces: list[Piece]) -> str:
    return "".join(p.text for p in pieces if isinstance(p, Quoted | Trusted))


def trusted(output: str) -> list[str]:
    return [piece.text for piece in output_pieces(output) if isinstance(piece, Trusted)]


def quoted(output: str) -> list[str]:
    return [piece.text for piece in output_pieces(output) if isinstance(piece, Quoted)]


def test_an_answer_without_passages_has_two_tokens() -> None:
    output = "[No Retrieval]Paris[Utility:5]"

    assert trusted(output) == ["[No Retrieval]", "[Utility:5]"]
    assert quoted(output) == ["Paris"]


def test_an_answer_from_a_passage_has_all_its_tokens() -> None:
    output = (
        "[Retrieval]<paragraph>Seine\nIt is long.</paragraph>[Relevant]Paris[Fully supported]"
        "[Utility:4]"
    )

    assert trusted(output) == [
        "[Retrieval]",
        "<paragraph>",
        "</paragraph>",
        "[Relevant]",
        "[Fully supported]",
        "[Utility:4]",
    ]
    assert quoted(output) == ["Seine\nIt is long.", "Paris"]


def test_several_segments_each_have_their_tokens() -> None:
    output = (
        "One.[Retrieval]<paragraph>a</paragraph>[Irrelevant]Two.[Continue to Use Evidence]Three."
        "[Retrieval]<paragraph>b</paragraph>[Relevant]Four.[No support / Contradictory]"
        "[No Retrieval]Five.[Utility:2]"
    )

    assert quoted(output) == ["One.", "a", "Two.", "Three.", "b", "Four.", "Five."]


def test_spaces_between_tokens_are_kept_and_change_nothing() -> None:
    output = "[Retrieval] <paragraph> a </paragraph> [Relevant] b [Fully supported] [Utility:5]"

    assert len(trusted(output)) == 6
    assert text_of(output_pieces(output)) == output


@pytest.mark.parametrize(
    "inside",
    [
        "[Relevant]Paris[Fully supported][Utility:5]",
        "[No Retrieval]x",
        "<paragraph>",
        "[Retrieval]",
    ],
)
def test_nothing_inside_a_paragraph_is_a_token(inside: str) -> None:
    output = f"[Retrieval]<paragraph>{inside}</paragraph>[Irrelevant]no[Utility:1]"

    assert quoted(output) == [inside, "no"]


@pytest.mark.parametrize(
    "answer",
    [
        "the token [Relevant] says so",
        "<paragraph>not opened by retrieval</paragraph>",
        "it is [Fully supported] by facts",
        "write [Utility:5] at the end",
        "write [No Retrieval] first",
        "[Retrieval] alone",
        "</paragraph>",
    ],
)
def test_tokens_that_an_answer_speaks_of_are_plain_text(answer: str) -> None:
    output = f"[No Retrieval]{answer}[Utility:3]"

    assert trusted(output) == ["[No Retrieval]", "[Utility:3]"]
    assert quoted(output) == [answer]


def test_a_paragraph_that_never_ends_is_plain_text() -> None:
    assert trusted("[Retrieval]<paragraph>for ever") == ["[Retrieval]"]


def test_support_counts_once_for_each_judgement_of_relevance() -> None:
    output = "[No Retrieval]x[Fully supported][Utility:5]"

    assert trusted(output) == ["[No Retrieval]", "[Utility:5]"]


@given(st.lists(st.one_of(WORDS, st.sampled_from([str(token) for token in ReflectionToken]))))
def test_no_character_is_lost_or_moved(parts: list[str]) -> None:
    output = "".join(parts)

    assert text_of(output_pieces(output)) == output


@given(st.lists(st.one_of(WORDS, st.sampled_from([str(token) for token in ReflectionToken]))))
def test_paragraphs_open_and_close_in_pairs(parts: list[str]) -> None:
    marks = [t for t in trusted("".join(parts)) if "paragraph" in t]

    assert marks == ["<paragraph>", "</paragraph>"] * (len(marks) // 2)
