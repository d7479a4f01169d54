"""Conversations behind a background: what is scored, what stays text, how backgrounds are cut."""

import pytest

from tests.generation.tiny_tokenizers import TOKENIZERS, byte_level
from xorag.errors import UsageError
from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.conversation import Turn, background_pieces, encode_conversation
from xorag.generation.examples import NOT_SCORED, Example, soft_token_pieces
from xorag.generation.layouts import Frame, Layout, layout_named

TURNS = [Turn("Where is it?", "the sea"), Turn("Is it old?", "yes")]


def answers_of(example: Example) -> list[list[int]]:
    """The ids of each scored run."""
    runs: list[list[int]] = []
    before = NOT_SCORED
    for label in example.labels:
        if label != NOT_SCORED:
            runs = [*runs, []] if before == NOT_SCORED else runs
            runs[-1].append(label)
        before = label
    return runs


@pytest.mark.parametrize("kind", list(TOKENIZERS))
def test_every_answer_and_its_end_is_scored_and_nothing_else(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]()
    encoder, layout = PromptEncoder(tokenizer), layout_named("xrag", tokenizer)

    example = encode_conversation(encoder, layout, soft_token_pieces(3), TURNS)

    answers = answers_of(example)
    assert [encoder.decode(ids[:-1]).strip() for ids in answers] == ["the sea", "yes"]
    assert [ids[-1] for ids in answers] == [tokenizer.eos_token_id] * 2
    assert len(example.placeholders) == 3
    assert len(example.token_ids) == len(example.labels)


@pytest.mark.parametrize("kind", list(TOKENIZERS))
def test_both_versions_of_an_example_have_the_same_answers(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]()
    encoder, layout = PromptEncoder(tokenizer), layout_named("chat", tokenizer)
    turn = TURNS[:1]

    student = encode_conversation(encoder, layout, soft_token_pieces(2), turn)
    teacher = encode_conversation(encoder, layout, [Quoted("the sea </s> is wide")], turn)

    assert answers_of(student) == answers_of(teacher)


def test_a_layout_without_a_form_for_a_second_turn_says_so() -> None:
    layout = Layout(
        "odd", Frame("", "", with_bos=False), layout_named("plain", byte_level()).wording
    )

    with pytest.raises(UsageError, match="second turn"):
        encode_conversation(PromptEncoder(byte_level()), layout, [], TURNS)


def test_a_long_background_is_cut_and_a_short_last_piece_is_dropped() -> None:
    tokenizer = byte_level()
    of_tokens = {
        count: str(tokenizer.decode(tokenizer("sea " * 2000)["input_ids"][1 : count + 1]))
        for count in (10, 180, 200, 201, 400)
    }

    pieces = {count: len(background_pieces(tokenizer, text)) for count, text in of_tokens.items()}

    assert pieces == {10: 1, 180: 1, 200: 1, 201: 2, 400: 3}
