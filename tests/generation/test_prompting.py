"""Prompts of a question and its passages, and what the passages cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generation.tiny_tokenizers import byte_level
from xorag.errors import IndexMismatchError
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context, PromptBuilder
from xorag.types import Form, Hit, Passage

TOKENIZER = byte_level()
BUILDER = PromptBuilder(PromptEncoder(TOKENIZER), layout_named("chat", TOKENIZER))


def hit(text: str, title: str = "") -> Hit:
    return Hit(Passage("d#0", "d", title, text, 0), 1.0, np.ones(4, dtype=np.float32))


def test_passages_stand_in_their_forms_with_embeddings_in_reading_order() -> None:
    first, second = hit("The river Ebro."), hit("Marie Curie.", "Marie")
    forms = [Context(first, Form.TOKEN), Context(second, Form.TEXT), Context(second, Form.TOKEN)]

    prompt = BUILDER.build("Who?", forms)

    assert "Marie | Marie Curie." in BUILDER.encoder.decode(prompt.token_ids)
    assert len(prompt.placeholders) == len(prompt.embeddings) == 2
    assert first.embedding is not None
    assert prompt.embeddings[0].tolist() == first.embedding.tolist()


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1))
def test_text_instead_of_a_token_costs_what_it_says(text: str) -> None:
    item = hit(text)
    as_text = BUILDER.build("Who?", [Context(item, Form.TEXT)])
    as_token = BUILDER.build("Who?", [Context(item, Form.TOKEN)])

    difference = len(as_text.token_ids) - len(as_token.token_ids)

    assert difference == BUILDER.tokens_as_text(item.passage) - 1


def test_several_soft_tokens_of_a_passage_stand_in_order_parted_by_spaces() -> None:
    item = hit("The river Ebro.")
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)

    several = Context(item, Form.TOKEN, rows)
    prompt = BUILDER.build("Who?", [several, Context(item, Form.TOKEN)])
    neighbours = BUILDER.build("Who?", [Context(item, Form.TOKEN)] * 4)

    assert prompt.token_ids == neighbours.token_ids
    assert prompt.placeholders == neighbours.placeholders
    assert np.stack(prompt.embeddings[:3]).tolist() == rows.tolist()
    one = BUILDER.build("Who?", [Context(item, Form.TOKEN)])
    three = BUILDER.build("Who?", [several])
    assert len(three.token_ids) - len(one.token_ids) == BUILDER.tokens_of(several) - 1


def test_a_hit_without_an_embedding_cannot_be_a_token() -> None:
    bare = Hit(Passage("d#0", "d", "", "text", 0), 1.0)

    assert BUILDER.build("Who?", [Context(bare, Form.TEXT)]).placeholders == ()
    with pytest.raises(IndexMismatchError, match="without its stored embedding"):
        BUILDER.build("Who?", [Context(bare, Form.TOKEN)])
