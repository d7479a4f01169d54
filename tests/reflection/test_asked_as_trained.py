"""A reader is asked in the very tokens that it was trained on."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generation.tiny_tokenizers import TOKENIZERS
from xorag.data.questions import LabelledPassage, Question, Task
from xorag.data.reflections.rows import Labels, ReflectionRow, RowKind, asked_of
from xorag.generation.control import PromptEncoder
from xorag.generation.examples import NOT_SCORED, Example
from xorag.generation.judging_prompts import JudgingPrompts, Paragraph
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context
from xorag.reflection.vocabulary import ReflectionVocabulary, add_reflection_tokens
from xorag.training.reader_examples import ReaderPrompts
from xorag.training.reader_rows import ReaderRow as TrainingRow
from xorag.training.reader_rows import ReaderTurn, read_reader_rows
from xorag.types import Form, Hit, Passage, ReflectionToken

T = ReflectionToken
PASSAGES = [("Marie Curie", "She discovered radium (1898)."), ("", "The river Ebro flows.")]
KINDS = ["byte level", "llama legacy", "unigram", "slow"]
words = st.text(alphabet="abc d.,?é\n[]<>", min_size=1, max_size=20).filter(str.strip)


@cache
def encoder(kind: str) -> PromptEncoder:
    tokenizer = TOKENIZERS[kind]()
    add_reflection_tokens(tokenizer)
    return PromptEncoder(tokenizer)


def row_of(question: str, passages: Sequence[tuple[str, str]], task: Task) -> ReflectionRow:
    asked = asked_of(Question("q", question, ("radium",), (), task=task))
    given = tuple(LabelledPassage(title, text, is_supporting=True) for title, text in passages)
    labels = Labels(T.RETRIEVAL, T.UTILITY_5, T.RELEVANT, T.FULLY)
    if not given:
        labels = Labels(T.NO_RETRIEVAL, T.UTILITY_5)
    return ReflectionRow("q", asked, "radium", given, labels, RowKind.GOLD, "nq")


def trained_on(row: ReflectionRow, kind: str) -> Example:
    prompts = encoder(kind)
    frame = layout_named("openrag", prompts.tokenizer).frame
    vocabulary = ReflectionVocabulary.of(prompts.tokenizer)
    training_row = TrainingRow("q", (ReaderTurn(row.asked.strip(), row.output),))
    (example,) = ReaderPrompts(prompts, frame, vocabulary).examples(training_row)
    return example


def asked_with(
    question: str, passages: Sequence[tuple[str, str]], task: Task, kind: str
) -> tuple[int, ...]:
    prompts = JudgingPrompts(encoder(kind), layout_named("openrag", encoder(kind).tokenizer))
    if not passages:
        return prompts.closed(question, task).token_ids
    facts = tuple(
        Context(Hit(Passage("p", "d", title, text, 0), 0.0), Form.TEXT) for title, text in passages
    )
    return prompts.read(question, Paragraph(facts), task, max_tokens=None).prompt.token_ids


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["qa", "claim"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_prompt_is_the_beginning_of_its_training_row(count: int, task: Task, kind: str) -> None:
    passages = PASSAGES[:count]

    learnt = trained_on(row_of("Who found radium?", passages, task), kind)
    asked = asked_with("Who found radium?", passages, task, kind)

    assert learnt.token_ids[: len(asked)] == asked


@given(question=words, title=words, text=words)
def test_whatever_is_asked_and_read(question: str, title: str, text: str) -> None:
    passages = [(title, text)]

    learnt = trained_on(row_of(question, passages, "qa"), "byte level")

    asked = asked_with(question, passages, "qa", "byte level")
    assert learnt.token_ids[: len(asked)] == asked


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_scored_is_what_the_reader_writes_and_the_marks_around_a_passage(kind: str) -> None:
    learnt = trained_on(row_of("Who found radium?", PASSAGES, "qa"), kind)

    scored = [
        token_id
        for token_id, label in zip(learnt.token_ids, learnt.labels, strict=True)
        if label != NOT_SCORED
    ]
    ids = ReflectionVocabulary.of(encoder(kind).tokenizer).ids
    marks = [ids[token] for token in (T.RETRIEVAL, T.PARAGRAPH, T.END_PARAGRAPH, T.RELEVANT)]
    assert scored[:4] == marks
    assert scored[-3:-1] == [ids[T.FULLY], ids[T.UTILITY_5]]
    assert encoder(kind).decode(scored[4:-3]).strip() == "radium"


def test_a_row_that_was_written_is_read_back_as_it_was(tmp_path: Path) -> None:
    row = row_of("Is it so?", PASSAGES, "claim")
    file = tmp_path / "reflections.jsonl"
    file.write_text(json.dumps(row.as_json()) + "\n", encoding="utf-8")

    (read,) = read_reader_rows(tmp_path)

    assert read.turns == (ReaderTurn(row.asked, row.output),)
