"""Layouts: the model's own chat template around our words, or a published prompt."""

import pytest

from tests.generation.tiny_tokenizers import byte_level, slow
from xorag.data.questions import Task
from xorag.errors import UsageError
from xorag.generation.control import PromptEncoder, SoftToken
from xorag.generation.layouts import LAYOUTS, Layout, chat_frame, layout_named


def written(layout: Layout, question: str, passages: list[str | None], task: Task = "qa") -> str:
    pieces = layout.question_pieces(question, passages, task)
    return "".join("<xRAG>" if isinstance(p, SoftToken) else p.text for p in pieces)


def test_the_chat_layout_is_the_models_own_template_around_the_turn() -> None:
    layout = layout_named(None, byte_level())

    assert layout.name == "chat"
    assert written(layout, "Who?", ["Ebro | A river.", None]) == (
        "<|im_start|>user\n"
        "Refer to the background document and answer the questions:\n\n"
        "Background: Ebro | A river.\n\n<xRAG>\n\nQuestion: Who?<|im_end|>\n<|im_start|>assistant\n"
        "Answer:"
    )


def test_the_published_prompts_are_written_to_the_letter() -> None:
    question, claims = (layout_named(name, byte_level()) for name in ("xrag", "xrag-claims"))

    assert written(question, "who was it", [None, None]) == (
        "[INST] Refer to the background document and answer the questions:\n\n"
        "Background: <xRAG> <xRAG>\n\nQuestion: who was it? [/INST] The answer is:"
    )
    assert written(question, "who was it?", []) == (
        "[INST] Answer the questions:\n\nQuestion: who was it? [/INST] The answer is:"
    )
    assert written(claims, "It rains.", ["text"]) == (
        '[INST] Refer to the background document and verify the following claims with "True" or '
        '"False":\n\nBackground: text\n\nClaim: It rains. [/INST] The answer is:'
    )


def test_a_claim_and_a_choice_have_words_of_their_own() -> None:
    chat, xrag = (layout_named(name, byte_level()) for name in ("chat", "xrag"))

    assert 'Answer with "True" or "False".\n\nClaim: It rains.' in written(
        chat, "It rains.", [], "claim"
    )
    assert "the letter of the right choice; the background may help." in written(
        chat, "Which?\nA. one", [None], "choice"
    )
    assert written(xrag, "It rains.", [None], "claim") == written(
        layout_named("xrag-claims", byte_level()), "It rains.", [None]
    )
    assert "A. one [/INST]" in written(xrag, "Which?\nA. one", [], "choice")


def test_a_model_without_a_chat_template_gets_the_plain_layout() -> None:
    tokenizer = byte_level()
    tokenizer.chat_template = None

    layout = layout_named(None, tokenizer)

    assert layout.name == "plain"
    assert written(layout, "Who?", ["A river."]) == (
        "Background: A river.\n\nQuestion: Who?\nAnswer:"
    )
    with pytest.raises(UsageError, match="no chat template; give --layout plain"):
        layout_named("chat", tokenizer)


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_every_layout_holds_each_soft_token_once(name: str) -> None:
    tokenizer = slow()
    encoder = PromptEncoder(tokenizer, placeholder="<xRAG>")

    pieces = layout_named(name, tokenizer).question_pieces("Who?", [None, "text", None])

    assert len(encoder.encode(pieces).placeholders) == 2


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ messages[0]['content'] }}{{ messages[0]['content'] }}", "2 times"),
        ("nothing", "0 times"),
        ("{{ raise_exception('no') }}", "fails"),
    ],
)
def test_a_chat_template_that_does_not_write_the_turn_once_is_refused(
    template: str, reason: str
) -> None:
    tokenizer = byte_level()
    tokenizer.chat_template = template

    with pytest.raises(UsageError, match=reason):
        chat_frame(tokenizer)


def test_an_unknown_layout_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'x'; give one of chat, plain, xrag, xrag-claims"):
        layout_named("x", byte_level())
