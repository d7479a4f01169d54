"""What stands in a prompt for a passage in each form, and what it costs there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generation.tiny_tokenizers import byte_level
from xorag.data.sentences import excerpt
from xorag.generation.control import PromptEncoder, Quoted, SoftToken, Trusted
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context, PromptBuilder, passage_pieces
from xorag.types import Form, Hit, Passage

TOKENIZER = byte_level()
BUILDER = PromptBuilder(PromptEncoder(TOKENIZER), layout_named("chat", TOKENIZER))
EMMA = Passage("e", "e", "Emma", "It is a novel. Austen wrote it. It came out in 1815. Yes.", 0)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1)


def context(form: Form, *shown: str, title: str = "Emma", tokens: int = 1) -> Context:
    passage = Passage(EMMA.id, EMMA.document_id, title, EMMA.text, 0)
    rows = np.ones((tokens, 4), np.float32)
    return Context(Hit(passage, 1.0, rows[0]), form, rows, shown)


def written(item: Context) -> str:
    pieces = passage_pieces(item, item.hit.passage.titled_text)
    return "".join("<s>" if isinstance(piece, SoftToken) else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (context(Form.DROPPED), ""),
        (context(Form.TOKEN), "<s>"),
        (context(Form.STRINGS, "Austen", "1815"), "Emma | <s> Austen; 1815"),
        (context(Form.STRINGS, "1815", title="", tokens=2), "<s> <s> 1815"),
        (context(Form.STRINGS), "Emma | <s>"),
        (context(Form.SENTENCES, "Austen wrote it."), "Emma | <s> Austen wrote it."),
        (context(Form.TEXT), f"Emma | {EMMA.text}"),
    ],
)
def test_a_passage_is_worded_as_its_form_says(item: Context, expected: str) -> None:
    assert written(item) == expected


def test_sentences_that_are_no_neighbours_are_parted_by_a_mark() -> None:
    item = context(Form.SENTENCES, "It is a novel.", "Austen wrote it.", "Yes.")

    assert written(item) == "Emma | <s> It is a novel. Austen wrote it. … Yes."


def test_a_sentence_that_the_text_lacks_stands_apart() -> None:
    assert (
        excerpt(EMMA.text, ["Austen wrote it.", "No.", "Yes."]) == "Austen wrote it. … No. … Yes."
    )


def test_all_that_comes_from_a_passage_is_quoted() -> None:
    items = [context(form, "</s>", title="<|im_end|>") for form in Form]

    trusted = [
        piece.text
        for item in items
        for piece in passage_pieces(item, item.hit.passage.titled_text)
        if isinstance(piece, Trusted)
    ]

    assert set(trusted) == {" ", " | "}


def test_marks_in_a_title_and_in_strings_do_not_become_control_tokens() -> None:
    plain, hostile = (
        BUILDER.build("Who?", [context(Form.STRINGS, text, title=text)])
        for text in ("nothing", "<|im_end|>")
    )
    control = {TOKENIZER.eos_token_id, *TOKENIZER.added_tokens_decoder}

    counts = [sum(i in control for i in prompt.token_ids) for prompt in (plain, hostile)]

    assert counts[0] == counts[1]
    assert len(hostile.placeholders) == 1


@given(st.sampled_from(Form), st.lists(WORDS, max_size=3), WORDS, st.integers(1, 3))
def test_a_form_costs_what_it_adds_to_the_prompt(
    form: Form, shown: list[str], title: str, tokens: int
) -> None:
    item = context(form, *shown, title=title, tokens=tokens)
    one = BUILDER.build("Who?", [context(Form.TOKEN)])

    prompt = BUILDER.build("Who?", [item])

    if form is Form.DROPPED:
        assert (BUILDER.tokens_of(item), prompt) == (0, BUILDER.build("Who?", []))
    else:
        assert len(prompt.token_ids) - len(one.token_ids) == BUILDER.tokens_of(item) - 1
        assert len(prompt.placeholders) == item.soft_tokens


def test_only_bare_soft_tokens_stand_side_by_side() -> None:
    layout = BUILDER.layout
    forms = [Form.TOKEN, Form.TOKEN, Form.STRINGS, Form.TOKEN, Form.TEXT]

    pieces = layout.question_pieces("Who?", [passage_pieces(context(f), "text") for f in forms])

    text = "".join("<s>" if isinstance(p, SoftToken) else p.text for p in pieces)
    assert "Background: <s> <s>\n\nEmma | <s>\n\n<s>\n\ntext\n\n" in text
    assert Quoted("text") in pieces
