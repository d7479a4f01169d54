"""The forms in which training shows passages."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from tests.generation.tiny_tokenizers import byte_level
from tests.pipeline.scripted import calls_of, scripted
from tests.training.conftest import TrainingWorld
from tests.training.distilling import recipe_of, restating_of
from xorag.compression.projector_artifact import load_projector
from xorag.config.distill_recipe import DistillRecipe
from xorag.config.form_mix import FormMixOptions
from xorag.data.instructions.reading import Instruction, Message
from xorag.data.questions import LabelledPassage
from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context, PromptBuilder, passage_pieces
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.choosing import Forms
from xorag.pipeline.forms.rarity import VocabularyRarity
from xorag.pipeline.options import AskOptions
from xorag.training.distill import train_distill
from xorag.training.examples import Wordings
from xorag.training.forms import ChosenDetails, ShownForm, StudentPassages, shown_forms
from xorag.training.instruction_prompts import InstructionPrompts, InstructionWording
from xorag.training.own_details import OwnDetails
from xorag.training.progress import TrainingProgress
from xorag.training.projector import train_projector
from xorag.types import FloatArray, Form, Hit, Passage

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")
TEXT = "It is a novel. Jane Austen wrote it in 1815. The king read it in Paris. No one knows why."
PASSAGES = (LabelledPassage("Emma", TEXT, None), LabelledPassage("", "The sea is wide.", None))
QUESTION = "Who wrote it, the book Emma?"
SHOWING = {"token": 2, "strings": 1, "sentences": 1}


def zeros(passages: Sequence[Passage], rates: Sequence[int]) -> list[FloatArray]:
    return [np.zeros((rate, 4), np.float32) for _, rate in zip(passages, rates, strict=True)]


def details(*forms: ShownForm, seed: int = 0) -> OwnDetails:
    encoder = PromptEncoder(byte_level())
    return OwnDetails(encoder, VocabularyRarity(encoder), seed, forms)


def test_a_recipes_forms_are_drawn_by_weight_and_each_with_all_its_amounts() -> None:
    options = FormMixOptions.model_validate({"forms": SHOWING, "sentences": [1, 2, 3]})

    forms = shown_forms(options)

    assert [form.name for form in forms] == [
        "token",
        "strings16",
        "strings32",
        "sentences1",
        "sentences2",
        "sentences3",
    ]
    assert forms[0].weight == pytest.approx(sum(form.weight for form in forms[1:]))
    assert forms[1].weight == forms[2].weight


def test_soft_tokens_alone_are_all_that_a_usual_recipe_draws() -> None:
    (form,) = shown_forms(FormMixOptions())

    assert form.form is Form.TOKEN


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        (ShownForm(Form.STRINGS, amount=20), {"form": "strings", "strings_tokens": 20}),
        (ShownForm(Form.SENTENCES, amount=2), {"form": "sentences", "sentences": 2}),
    ],
)
def test_a_student_reads_what_a_pipeline_would_put_into_the_prompt(
    shown: ShownForm, asked: AskOptions, pipeline: Pipeline
) -> None:
    asking = scripted(pipeline, ["x"])
    builder = pipeline.builder
    example = Instruction(
        "one",
        (Message("user", QUESTION), Message("assistant", "Jane")),
        "qa",
        passages=PASSAGES,
        question=QUESTION,
    )
    prompts = InstructionPrompts(builder.encoder, builder.layout)
    forms = [ShownForm(Form.TOKEN), shown]
    student = StudentPassages(
        zeros, ChosenDetails(Forms(builder.encoder), builder, forms, pipeline.embedder)
    )
    passages = prompts.passages(example)

    (contexts,) = student.contexts([QUESTION], [passages], [1], [1])
    written = prompts.student(
        example, InstructionWording.QUESTION, [passage_pieces(item, "") for item in contexts]
    )
    asking.ask(QUESTION, passages=passages, **asked)

    ((prompt,),) = calls_of(asking)
    assert any(item.shown for item in contexts)
    assert written.token_ids[: len(prompt.token_ids)] == prompt.token_ids
    assert written.placeholders == prompt.placeholders


def test_an_example_without_a_question_has_soft_tokens_alone() -> None:
    encoder = PromptEncoder(byte_level())
    builder = PromptBuilder(encoder, layout_named("plain", encoder.tokenizer))
    forms = [ShownForm(Form.TOKEN), ShownForm(Form.STRINGS, amount=20)]
    student = StudentPassages(zeros, ChosenDetails(Forms(encoder), builder, forms))

    (contexts,) = student.contexts([None], [[Passage("e#0", "e", "Emma", TEXT, 0)]], [4], [1])

    assert [(item.form, item.soft_tokens) for item in contexts] == [(Form.TOKEN, 4)]


@settings(max_examples=40, deadline=None)
@given(amount=st.integers(1, 60), place=st.integers(0, 10_000), seed=st.integers(0, 5))
def test_a_restated_passage_shows_drawn_strings_of_its_own_within_the_budget(
    amount: int, place: int, seed: int
) -> None:
    draws = details(ShownForm(Form.TOKEN), ShownForm(Form.STRINGS, amount=amount), seed=seed)
    passage = Passage("e#0", "e", "Emma", TEXT, 0)

    reading, again = (draws.reading(passage, 1, place) for _ in range(2))

    assert reading == again
    assert all(string in TEXT for string in reading.shown)
    assert sorted(reading.shown, key=TEXT.index) == list(reading.shown)
    if reading.shown:
        assert draws.encoder.count([Quoted("; ".join(reading.shown))]) <= amount


def test_a_restated_passage_shows_other_sentences_in_other_epochs() -> None:
    draws = details(ShownForm(Form.TOKEN), ShownForm(Form.SENTENCES, amount=1))
    passage = Passage("e#0", "e", "Emma", TEXT, 0)

    shown = {draws.reading(passage, 1, place).shown for place in range(40)}

    assert len(shown) == 4
    assert all(len(sentences) == 1 for sentences in shown)


def test_where_what_is_shown_leaves_no_room_soft_tokens_alone_are_restated_from() -> None:
    encoder = PromptEncoder(byte_level())
    layout = layout_named("plain", encoder.tokenizer)
    wordings = Wordings(encoder, layout, ("{passage} In words:",), details(), max_tokens=60)
    passage = Passage("e#0", "e", "Emma", TEXT, 0)
    rows = np.zeros((1, 4), np.float32)

    long = wordings.example(Context(Hit(passage, 0.0), Form.SENTENCES, rows, (TEXT,)), 0)
    alone = wordings.example(Context(Hit(passage, 0.0), Form.TOKEN, rows), 0)

    assert long == alone


class StopError(Exception):
    """Stands for a kill between two steps."""


def stop(state: TrainingProgress) -> None:
    if state.step == 3:
        raise StopError


def with_forms(world: TrainingWorld, start: Path, folder: Path) -> DistillRecipe:
    """A recipe of a few steps, of which every other restates passages."""
    forms = {"token": 1, "strings": 1, "sentences": 1}
    folder.mkdir()
    return recipe_of(
        world,
        start,
        folder,
        examples__forms=forms,
        examples__question_share=1.0,
        loss={"kl_weight": 0.0},
        restating=restating_of(world, forms=forms, every=2),
    )


def test_a_run_with_forms_reports_them_and_goes_on_after_a_stop_to_the_same_projector(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    whole, stopped = (with_forms(training_world, stage_one, tmp_path / name) for name in "ab")

    report = train_distill(whole, device="cpu")
    with pytest.raises(StopError):
        train_distill(stopped, device="cpu", on_progress=stop)
    resumed = train_distill(stopped, device="cpu")

    manifest = load_projector(report.projector).manifest
    assert manifest.settings["forms"] == ["sentences", "strings", "token"]
    named = {"strings16", "strings32", "sentences1", "sentences2"}
    assert set(manifest.metrics["answer_losses_by_form"]) == named
    assert report.losses_by_form["sentences2"].tokens == report.losses_by_rate[1].tokens
    one, other = (load_file(each.projector / "projector.safetensors") for each in (report, resumed))
    for name, tensor in one.items():
        assert np.allclose(tensor.float(), other[name].float(), atol=1e-3)


def test_a_first_stage_restates_from_details_too_and_says_how_well(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    recipe = training_world.recipe(tmp_path / "run", max_steps=2)
    options = recipe.passages.model_dump() | {"forms": {"token": 1, "sentences": 1}}
    recipe = type(recipe).model_validate({**recipe.model_dump(), "passages": options})

    report = train_projector(recipe, device="cpu")

    metrics = load_projector(report.projector).manifest.metrics
    assert set(report.losses_by_form) == {"sentences1", "sentences2"}
    assert metrics["losses_by_form"]["sentences1"]["right"] > 0
    assert report.losses_by_form["sentences1"].passages == report.losses.passages
