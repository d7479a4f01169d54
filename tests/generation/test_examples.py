"""Training examples: the passage is the target, and control strings in it stay text."""

import pytest

from tests.generation.tiny_tokenizers import TOKENIZERS, byte_level
from xorag.errors import ConfigError
from xorag.generation.control import PromptEncoder
from xorag.generation.examples import NOT_SCORED, encode_paraphrase
from xorag.generation.layouts import layout_named

INSTRUCTION = "Background: {passage} In other words:"


@pytest.mark.parametrize("kind", list(TOKENIZERS))
def test_only_the_passage_and_its_end_are_scored(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]()
    encoder = PromptEncoder(tokenizer)

    example = encode_paraphrase(encoder, layout_named("chat", tokenizer), INSTRUCTION, "the river")

    scored = [label for label in example.labels if label != NOT_SCORED]
    assert encoder.decode(scored[:-1]).strip() == "the river"
    assert scored[-1] == tokenizer.eos_token_id
    assert example.token_ids[-len(scored) :] == tuple(scored)
    assert len(example.placeholders) == 1


def test_a_long_example_is_cut() -> None:
    tokenizer = byte_level()

    example = encode_paraphrase(
        PromptEncoder(tokenizer),
        layout_named("xrag", tokenizer),
        INSTRUCTION,
        "the river " * 50,
        max_tokens=40,
    )

    assert len(example.token_ids) == len(example.labels) == 40


def test_an_end_mark_inside_the_passage_is_text() -> None:
    tokenizer = byte_level()

    example = encode_paraphrase(
        PromptEncoder(tokenizer), layout_named("xrag", tokenizer), INSTRUCTION, "a </s> b"
    )

    assert example.token_ids.count(tokenizer.eos_token_id) == 2  # the placeholder's and the end
    assert str(tokenizer.decode(list(example.token_ids))).endswith("a </s> b</s>")


@pytest.mark.parametrize("instruction", ["no field", "{passage} and {passage}"])
def test_an_instruction_holds_the_passage_once(instruction: str) -> None:
    tokenizer = byte_level()

    with pytest.raises(ConfigError, match="once"):
        encode_paraphrase(
            PromptEncoder(tokenizer), layout_named("chat", tokenizer), instruction, "text"
        )


def test_a_tokenizer_without_an_end_mark_cannot_train() -> None:
    tokenizer = byte_level()
    layout = layout_named("chat", tokenizer)
    tokenizer.eos_token = None

    with pytest.raises(ConfigError, match="no end-of-text token"):
        encode_paraphrase(PromptEncoder(tokenizer), layout, INSTRUCTION, "text")
