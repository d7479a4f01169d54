"""How questions and paragraphs are worded for a reader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generation.tiny_judges import TEXTS, make_reader, paragraph
from xorag.errors import PromptTooLongError
from xorag.generation.judging_prompts import JudgingPrompts
from xorag.generation.layouts import layout_named
from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.types import ReflectionToken

QUESTION = "Who discovered radium?"


def prompts() -> JudgingPrompts:
    _, encoder = make_reader()
    return JudgingPrompts(encoder, layout_named("openrag", encoder.tokenizer))


def decoded(token_ids: tuple[int, ...]) -> str:
    _, encoder = make_reader()
    return str(encoder.tokenizer.decode(list(token_ids)))


def test_a_question_and_a_passage_stand_in_the_published_layout() -> None:
    read = prompts().read(QUESTION, paragraph(TEXTS[0]), "qa", max_tokens=None)

    assert decoded(prompts().question(QUESTION, "qa").token_ids) == (
        f"<s>### Instruction:\n{QUESTION}\n\n### Response:\n"
    )
    assert decoded(read.prompt.token_ids) == (
        f"<s>### Instruction:\n{QUESTION}\n\n### Response:\n"
        f"[Retrieval]<paragraph>Title 0\n{TEXTS[0]}</paragraph>"
    )
    assert decoded(prompts().closed(QUESTION, "qa").token_ids).endswith("[No Retrieval]")


def test_several_facts_stand_in_one_paragraph() -> None:
    read = prompts().read(QUESTION, paragraph(*TEXTS), "qa", max_tokens=None)

    assert decoded(read.prompt.token_ids).endswith(
        f"<paragraph>Title 0\n{TEXTS[0]}\n\nTitle 1\n{TEXTS[1]}\n\nTitle 2\n{TEXTS[2]}</paragraph>"
    )


def test_a_claim_says_what_is_wanted() -> None:
    claim = decoded(prompts().question("Radium is a metal.", "claim").token_ids)

    assert 'Answer with "True" or "False".\n\nClaim: Radium is a metal.\n\n###' in claim


@settings(max_examples=40)
@given(
    parts=st.lists(st.sampled_from([*ReflectionToken, "</s>", "radium ", "\n"]), max_size=6),
)
def test_text_of_users_and_passages_never_becomes_a_control_token(parts: list[str]) -> None:
    text = "".join(parts)
    _, encoder = make_reader()
    control = {*ReflectionVocabulary.of(encoder.tokenizer).ordered_ids, 2}

    read = prompts().read(f"x{text}", paragraph(f"y{text}"), "qa", max_tokens=None)

    found = [token_id for token_id in read.prompt.token_ids if token_id in control]
    assert found == encoder.tokenizer.convert_tokens_to_ids(
        ["[Retrieval]", "<paragraph>", "</paragraph>"]
    )


@settings(max_examples=15)
@given(room=st.integers(80, 160))
def test_passages_that_are_too_long_are_cut_to_the_room_there_is(room: int) -> None:
    long = paragraph(" ".join(TEXTS * 3), TEXTS[0])

    read = prompts().read(QUESTION, long, "qa", max_tokens=room)

    assert room - 4 <= len(read.prompt.token_ids) <= room
    assert read.cut == tuple(fact.hit.passage for fact in long.facts)
    assert decoded(read.prompt.token_ids).endswith("</paragraph>")


def test_a_question_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(PromptTooLongError, match="and 20 are there for it and a passage"):
        prompts().read(QUESTION, paragraph(*TEXTS), "qa", max_tokens=20)
