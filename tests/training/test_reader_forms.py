"""Rows of a reader whose paragraph is shown as strings or sentences."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.generation.tiny_tokenizers import byte_level
from tests.training.conftest import TrainingWorld
from tests.training.tiny_readers import reader_recipe, write_rows
from xorag.artifact.store import read_manifest
from xorag.data.reflections.rows import CLAIM
from xorag.generation.control import PromptEncoder
from xorag.generation.examples import NOT_SCORED, Example
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import PromptBuilder
from xorag.pipeline.forms.choosing import Forms
from xorag.reflection.vocabulary import add_reflection_tokens
from xorag.training.forms import ChosenDetails, ShownForm
from xorag.training.progress import TrainingProgress
from xorag.training.reader import train_reader
from xorag.training.reader_examples import ReaderPrompts
from xorag.training.reader_forms import ParagraphForms
from xorag.training.reader_rows import ReaderTurn
from xorag.types import Form, ReflectionToken

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")
TEXT = "It is a novel. Jane Austen wrote it in 1815. The king read it in Paris. No one knows why."
GOLD = "[Relevant]{answer}[Fully supported][Utility:5]"
WRONG = "[Irrelevant]I don't know[No support / Contradictory][Utility:1]"
SENTENCES, STRINGS = 1, 2


@pytest.fixture(scope="module")
def paragraphs() -> ParagraphForms:
    tokenizer = byte_level()
    vocabulary = add_reflection_tokens(tokenizer)
    encoder, layout = PromptEncoder(tokenizer), layout_named("openrag", tokenizer)
    forms = [
        ShownForm(Form.TEXT),
        ShownForm(Form.SENTENCES, amount=1),
        ShownForm(Form.STRINGS, amount=400),
    ]
    return ParagraphForms(
        ReaderPrompts(encoder, layout.frame, vocabulary),
        ChosenDetails(Forms(encoder), PromptBuilder(encoder, layout), forms),
    )


def turn(paragraph: str, judged: str, *, answer: str = "Jane Austen") -> ReaderTurn:
    written = f"[Retrieval]<paragraph>{paragraph}</paragraph>{judged.format(answer=answer)}"
    return ReaderTurn("Who wrote it, the book Emma?", written)


def decode(paragraphs: ParagraphForms, example: Example | None, *, scored: bool = False) -> str:
    assert example is not None
    tokenizer: Any = paragraphs.prompts.encoder.tokenizer
    ids = example.labels if scored else example.token_ids
    return str(tokenizer.decode([i for i in ids if i != NOT_SCORED]))


def test_a_paragraph_is_shown_as_its_title_and_the_sentence_that_the_question_chooses(
    paragraphs: ParagraphForms,
) -> None:
    row = turn(f"Emma\n{TEXT}", GOLD)

    example = paragraphs.example(row, SENTENCES)

    shown = "<paragraph>Emma | Jane Austen wrote it in 1815.</paragraph>[Relevant]Jane Austen"
    assert shown in decode(paragraphs, example)
    assert decode(paragraphs, example, scored=True) == (
        "[Retrieval]<paragraph></paragraph>[Relevant]Jane Austen[Fully supported][Utility:5]</s>"
    )


def test_every_passage_of_a_paragraph_is_shown_in_the_form(paragraphs: ParagraphForms) -> None:
    row = turn(f"Emma\n{TEXT}\n\nParis lies on the Seine.", GOLD)

    example = paragraphs.example(row, STRINGS)

    _, _, opened = decode(paragraphs, example).partition("<paragraph>")
    first, _, second = opened.partition("</paragraph>")[0].partition("\n\n")
    assert first.startswith("Emma | ")
    assert {"Jane Austen", "1815", "Paris"} <= set(first.removeprefix("Emma | ").split("; "))
    assert "Seine" in second
    assert TEXT not in first


@pytest.mark.parametrize("answer", ["the end of time", "Paris"])
def test_a_row_whose_answer_is_not_shown_any_more_stays_text(
    answer: str, paragraphs: ParagraphForms
) -> None:
    row = turn(f"Emma\n{TEXT}", GOLD, answer=answer)

    assert paragraphs.example(row, SENTENCES) is None


def test_a_row_that_supports_nothing_needs_no_answer_in_what_is_shown(
    paragraphs: ParagraphForms,
) -> None:
    row = turn(f"Emma\n{TEXT}", WRONG)

    assert "Emma | Jane Austen wrote it" in decode(paragraphs, paragraphs.example(row, SENTENCES))


@pytest.mark.parametrize(
    "row",
    [
        None,
        ReaderTurn("Who?", "[No Retrieval]Jane[Utility:5]"),
        ReaderTurn("Who?", turn("A b.", WRONG).written + turn("C d.", WRONG).written),
        turn("it was so", WRONG),
    ],
    ids=["several turns", "no paragraph", "two paragraphs", "no string to show"],
)
def test_a_row_without_one_paragraph_to_show_stays_as_it_is(
    row: ReaderTurn | None, paragraphs: ParagraphForms
) -> None:
    assert paragraphs.example(row, STRINGS) is None


def test_a_claim_stays_text_since_no_passage_holds_its_answer(paragraphs: ParagraphForms) -> None:
    row = ReaderTurn(f"{CLAIM}Jane Austen wrote it.", turn(f"Emma\n{TEXT}", WRONG).written)

    assert paragraphs.example(row, SENTENCES) is None


def test_a_form_takes_as_large_a_share_of_rows_that_support_nothing_as_of_those_that_do(
    paragraphs: ParagraphForms,
) -> None:
    answers = ["Jane Austen", "no string of it", "1815", "the end of time"]
    gold = [turn(f"Emma {i}\n{TEXT}", GOLD, answer=answers[i % 4]) for i in range(40)]
    wrong = [turn(f"Sea {i}\n{TEXT}", WRONG) for i in range(300)]

    balanced = paragraphs.balanced([None, *gold, *wrong])

    assert balanced.unsupported_shares[SENTENCES] == 0.5
    shown = [balanced.example(row, SENTENCES) is not None for row in wrong]
    assert 0.4 < sum(shown) / len(shown) < 0.6
    assert shown == [balanced.example(row, SENTENCES) is not None for row in wrong]


def test_tokens_in_a_passage_stay_text_in_every_form(paragraphs: ParagraphForms) -> None:
    row = turn("Emma\nHe wrote it [Utility:1] twice. It ended.", WRONG)

    example = paragraphs.example(row, SENTENCES)

    assert example is not None
    ids = paragraphs.prompts.vocabulary.ids
    assert example.token_ids.count(ids[ReflectionToken.UTILITY_1]) == 1


def test_a_run_with_forms_goes_on_after_a_stop_to_the_same_reader_and_reports_them(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    rows = write_rows(tmp_path / "reflections.jsonl")
    forms = {"text": 1, "sentences": 1}
    recipes = [
        reader_recipe(training_world.model, rows, tmp_path / name, examples__forms=forms)
        for name in ("whole", "stopped")
    ]

    class StopError(Exception):
        """Stands for a kill between two steps."""

    def stop(state: TrainingProgress) -> None:
        if state.step == 5:
            raise StopError

    whole = train_reader(recipes[0], device="cpu")
    with pytest.raises(StopError):
        train_reader(recipes[1], device="cpu", on_progress=stop)
    resumed = train_reader(recipes[1], device="cpu")

    manifest = read_manifest(whole.reader, kind="reader")
    assert manifest.settings["forms"] == ["sentences", "text"]
    assert manifest.metrics["losses_by_form"] == whole.losses_by_form
    assert set(whole.losses_by_form) == {"sentences1", "sentences2"}
    for file in whole.reader.glob("*.safetensors"):
        other = load_file(resumed.reader / file.name)
        for name, tensor in load_file(file).items():
            assert torch.equal(tensor, other[name])
