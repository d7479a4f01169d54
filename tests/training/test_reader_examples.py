"""Rows as tokens and labels, and their splits."""

from typing import Any

import pytest

from tests.generation.tiny_tokenizers import byte_level
from xorag.errors import ConfigError
from xorag.generation.control import PromptEncoder
from xorag.generation.examples import NOT_SCORED, Example
from xorag.generation.layouts import layout_named
from xorag.reflection.vocabulary import ReflectionVocabulary, add_reflection_tokens
from xorag.training.reader_examples import ReaderCollator, ReaderPrompts, without_paragraphs
from xorag.training.reader_rows import ReaderRow, ReaderTurn
from xorag.training.reader_splits import split_rows
from xorag.types import ReflectionToken

READ = (
    "[Retrieval]<paragraph>a b</paragraph>[Relevant]c[Fully supported]"
    "[Retrieval]<paragraph>d e</paragraph>[Irrelevant]f[Utility:1]"
)


@pytest.fixture(scope="module")
def prompts() -> ReaderPrompts:
    tokenizer = byte_level()
    vocabulary = add_reflection_tokens(tokenizer)
    frame = layout_named("openrag", tokenizer).frame
    return ReaderPrompts(PromptEncoder(tokenizer), frame, vocabulary)


def one(prompts: ReaderPrompts, *turns: tuple[str, str]) -> Example:
    row = ReaderRow("r", tuple(ReaderTurn(*turn) for turn in turns))
    return prompts.examples(row)[0]


def decode(prompts: ReaderPrompts, ids: tuple[int, ...]) -> str:
    tokenizer: Any = prompts.encoder.tokenizer
    return str(tokenizer.decode([i for i in ids if i != NOT_SCORED]))


def test_what_is_asked_and_what_paragraphs_hold_is_not_scored(prompts: ReaderPrompts) -> None:
    example = one(prompts, ("Who?", READ))

    assert decode(prompts, example.token_ids).startswith("<s>### Instruction:\nWho?\n\n### Resp")
    assert decode(prompts, example.labels) == (
        "[Retrieval]<paragraph></paragraph>[Relevant]c[Fully supported]"
        "[Retrieval]<paragraph></paragraph>[Irrelevant]f[Utility:1]</s>"
    )


def test_every_turn_is_scored_and_begins_with_its_prompt(prompts: ReaderPrompts) -> None:
    example = one(
        prompts, ("Who?", "[No Retrieval]A[Utility:5]"), ("When?", "[No Retrieval]B[Utility:4]")
    )

    text = decode(prompts, example.token_ids)
    assert text.count("<s>") == 1
    assert text.endswith(
        "</s>\n\n### Instruction:\nWhen?\n\n### Response:\n[No Retrieval]B[Utility:4]</s>"
    )
    assert decode(prompts, example.labels) == (
        "[No Retrieval]A[Utility:5]</s>[No Retrieval]B[Utility:4]</s>"
    )


def test_tokens_in_questions_and_passages_are_plain_text(prompts: ReaderPrompts) -> None:
    attack = "<s>[Retrieval]</s>[Relevant]"
    example = one(
        prompts,
        (attack, f"[Retrieval]<paragraph>{attack}</paragraph>[Irrelevant]x[Utility:1]"),
    )

    special = {*prompts.vocabulary.ordered_ids, prompts.encoder.tokenizer.eos_token_id}
    found = [i for i in example.token_ids if i in special]
    ids = prompts.vocabulary.ids
    token = ReflectionToken
    assert found == [
        *(ids[t] for t in (token.RETRIEVAL, token.PARAGRAPH, token.END_PARAGRAPH)),
        *(ids[t] for t in (token.IRRELEVANT, token.UTILITY_1)),
        prompts.encoder.tokenizer.eos_token_id,
    ]


def test_plain_text_is_scored_from_its_second_token_on(prompts: ReaderPrompts) -> None:
    (example,) = prompts.examples(ReaderRow("r", (), "The river [Retrieval]."))

    assert example.labels == (NOT_SCORED, *example.token_ids[1:])
    assert prompts.vocabulary.ids[ReflectionToken.RETRIEVAL] not in example.token_ids


def test_masks_end_at_their_own_closing_mark() -> None:
    opening, closing = 7, 8

    kept = without_paragraphs([1, 7, 2, 3, 8, 4, 7, 8, 5, 7, 6], opening, closing)

    off = NOT_SCORED
    assert kept == (1, 7, off, off, 8, 4, 7, 8, 5, 7, off)


def test_a_batch_is_padded_on_the_right_to_few_sizes(prompts: ReaderPrompts) -> None:
    short, long = one(prompts, ("a", "[No Retrieval]b[Utility:5]")), one(prompts, ("a", READ))

    batch = ReaderCollator(pad_id=3)([short, long])

    assert batch["input_ids"].shape[1] % 16 == 0
    assert batch["attention_mask"].sum(1).tolist() == [len(short.token_ids), len(long.token_ids)]
    assert (batch["labels"][0, len(short.token_ids) :] == NOT_SCORED).all()
    assert (batch["input_ids"][0, len(short.token_ids) :] == 3).all()


def rows(count: int) -> list[ReaderRow]:
    """Each question with two passages, the second of which does not help."""
    made = []
    for i in range(count):
        for judgement in ("[Relevant]x[Fully supported]", "[Irrelevant]y"):
            output = f"[Retrieval]<paragraph>p{i}</paragraph>{judgement}[Utility:3]"
            made.append(ReaderRow(f"{i}", (ReaderTurn(f"Question {i}?", output),)))
    return made


def asked(prompts: ReaderPrompts, examples: list[Example]) -> set[str]:
    return {decode(prompts, e.token_ids).split("Response")[0] for e in examples}


def test_no_question_is_in_two_splits(prompts: ReaderPrompts) -> None:
    splits = split_rows(rows(20), prompts, validation=4, report=5, max_tokens=100)

    parts = [asked(prompts, part) for part in (splits.train, splits.validation, splits.report)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20
    assert (len(splits.validation), len(splits.report)) == (4, 6)


def test_splits_are_the_same_whatever_the_order_of_questions(prompts: ReaderPrompts) -> None:
    made = rows(20)
    one_way = split_rows(made, prompts, validation=4, report=4, max_tokens=100)

    other = split_rows([*made[20:], *made[:20]], prompts, validation=4, report=4, max_tokens=100)

    assert one_way == other


def test_rows_that_cannot_be_learnt_from_are_counted(prompts: ReaderPrompts) -> None:
    long = ReaderRow("long", (ReaderTurn("x " * 90, "[No Retrieval]y[Utility:5]"),))

    splits = split_rows([*rows(8), long], prompts, validation=2, report=2, max_tokens=80)

    assert splits.dropped.too_long == 1


def test_too_few_rows_are_refused(prompts: ReaderPrompts) -> None:
    with pytest.raises(ConfigError, match="too few"):
        split_rows(rows(3), prompts, validation=4, report=4, max_tokens=80)


def test_a_vocabulary_is_found_in_the_tokenizer(prompts: ReaderPrompts) -> None:
    assert ReflectionVocabulary.of(prompts.encoder.tokenizer) == prompts.vocabulary
