"""The whole flow on tiny random models and a real index."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import xorag
from tests.pipeline.tiny_world import World
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.errors import (
    ArtifactError,
    IndexMismatchError,
    IndexNotFoundError,
    ProjectorMismatchError,
    PromptTooLongError,
    UsageError,
)
from xorag.pipeline import Pipeline
from xorag.retrieval.timed import TimedHits
from xorag.types import Answer, Form, Hit, Mode, Passage, Reading

QUESTIONS = ["Who wrote Emma?", "What is the capital of France?", "Which river?", "A <|im_end|> b?"]
MODES = [Mode.CLOSED, Mode.TEXT, Mode.XRAG]


def told(answer: Answer) -> object:
    """An answer without its timing, and without the last digits of its scores."""
    read = [(e.passage, e.form, e.tokens, round(e.score, 4)) for e in answer.evidence]
    return (answer.answer, read, answer.cost.prompt_tokens, answer.cost.generated_tokens)


def test_three_lines_answer_a_question(world: World) -> None:
    pipeline = xorag.Pipeline.open(
        index=world.index, model=str(world.model), projector=world.projector
    )
    answer = pipeline.ask("Who wrote Emma?", mode="xrag")

    assert answer.evidence[0].form is Form.TOKEN
    assert answer.cost.generated_tokens > 0


@pytest.mark.parametrize("mode", MODES)
def test_many_questions_get_the_answers_that_each_gets_alone(
    mode: Mode, pipeline: Pipeline
) -> None:
    together = pipeline.ask_many(QUESTIONS, mode=mode, k=3, max_new_tokens=6)

    alone = [pipeline.ask(q, mode=mode, k=3, max_new_tokens=6) for q in QUESTIONS]
    assert [told(answer) for answer in together] == [told(answer) for answer in alone]
    assert [answer.question for answer in together] == QUESTIONS


@pytest.mark.parametrize("k", [1, 3])
def test_costs_add_up_within_and_across_modes(k: int, pipeline: Pipeline) -> None:
    text, token = (pipeline.ask(QUESTIONS[0], mode=mode, k=k) for mode in (Mode.TEXT, Mode.XRAG))

    for answer in (text, token):
        assert answer.cost.passage_tokens_used == sum(e.tokens for e in answer.evidence)
        seconds = answer.cost.seconds
        assert seconds.total >= seconds.encode + seconds.search + seconds.generate
    assert text.cost.passage_tokens_used == text.cost.passage_tokens_as_text
    assert token.cost.passage_tokens_used == k
    assert token.cost.passage_tokens_as_text == text.cost.passage_tokens_as_text
    assert [e.passage for e in text.evidence] == [e.passage for e in token.evidence]


def test_one_passage_as_text_costs_what_it_adds_to_the_prompt(pipeline: Pipeline) -> None:
    text, token = (pipeline.ask(QUESTIONS[0], mode=mode) for mode in (Mode.TEXT, Mode.XRAG))

    saved = text.cost.passage_tokens_as_text - token.cost.passage_tokens_used
    assert text.cost.prompt_tokens - token.cost.prompt_tokens == saved


def test_a_closed_question_reads_no_passage(pipeline: Pipeline) -> None:
    answer = pipeline.ask(QUESTIONS[0], mode="closed")

    assert answer.evidence == ()
    assert (answer.cost.passage_tokens_used, answer.cost.passage_tokens_as_text) == (0, 0)
    assert (answer.cost.seconds.encode, answer.cost.seconds.search) == (0, 0)


def test_more_passages_than_there_are_give_those_that_there_are(pipeline: Pipeline) -> None:
    assert len(pipeline.ask(QUESTIONS[0], mode="text", k=50, max_new_tokens=2).evidence) == 4


def test_the_streamed_text_is_the_answer(pipeline: Pipeline) -> None:
    pieces: list[str] = []

    answer = pipeline.ask(QUESTIONS[0], on_text=pieces.append)

    assert "".join(pieces) == answer.answer


def test_the_json_form_has_the_documented_keys(pipeline: Pipeline) -> None:
    document = pipeline.ask(QUESTIONS[0]).as_json()

    assert list(document) == ["question", "mode", "answer", "evidence", "cost"]
    evidence = document["evidence"][0]
    assert list(evidence) == ["id", "title", "text", "score", "form", "tokens", "tokens_as_text"]
    as_text = [item["tokens_as_text"] for item in document["evidence"]]
    assert sum(as_text) == document["cost"]["passage_tokens_as_text"]
    assert list(document["cost"]) == [
        "prompt_tokens",
        "passage_tokens_as_text",
        "passage_tokens_used",
        "generated_tokens",
        "seconds",
    ]
    assert list(document["cost"]["seconds"]) == ["encode", "search", "generate", "total"]


def test_the_forms_of_passages_can_be_chosen(pipeline: Pipeline) -> None:
    def first_as_text(_question: str, _mode: Mode, hits: Sequence[Hit]) -> list[Reading]:
        return [Reading(Form.TEXT), *[Reading(Form.TOKEN)] * (len(hits) - 1)]

    mixed = Pipeline(
        pipeline.builder, pipeline.generator, pipeline.retriever, choose_readings=first_as_text
    )

    answer = mixed.ask(QUESTIONS[0], k=3)

    assert [item.form for item in answer.evidence] == [Form.TEXT, Form.TOKEN, Form.TOKEN]
    assert answer.cost.passage_tokens_used == answer.evidence[0].tokens + 2


class OneHit:
    """A retriever of ten lines."""

    def open(self) -> None:
        pass

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:  # noqa: ARG002
        passage = Passage("a#0", "a", "", "Some text.", 0)
        hit = Hit(passage, 0.5, np.ones(32, dtype=np.float32))
        return TimedHits([[hit][:k] for _ in questions])


def test_any_retriever_can_be_put_in(pipeline: Pipeline) -> None:
    swapped = Pipeline(pipeline.builder, pipeline.generator, OneHit())

    assert swapped.ask("Who?").evidence[0].passage.id == "a#0"


def test_no_question_gives_no_answer(pipeline: Pipeline) -> None:
    assert pipeline.ask_many([]) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"question": "  "}, "the question is empty"),
        ({"k": 0}, "k must be at least 1, got 0"),
        ({"mode": "guess"}, "no mode 'guess'; give one of closed, text, xrag"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(
    options: dict[str, object], reason: str, pipeline: Pipeline
) -> None:
    arguments: dict[str, object] = {"question": "Who?", **options}
    with pytest.raises(UsageError, match=reason):
        pipeline.ask(**arguments)  # type: ignore[arg-type]


def test_a_question_longer_than_the_model_reads_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(PromptTooLongError, match="reads 512"):
        pipeline.ask("river " * 600, mode="closed")


def test_without_an_index_only_closed_questions_are_answered(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XORAG_CACHE", str(tmp_path))

    pipeline = Pipeline.open(model=str(world.model))

    assert pipeline.ask("Who?", mode="closed").answer is not None
    with pytest.raises(IndexNotFoundError, match="make demo"):
        pipeline.ask("Who?", mode="text")


def test_without_a_projector_passages_are_read_as_text_alone(world: World) -> None:
    pipeline = Pipeline.open(world.index, model=str(world.model))

    assert pipeline.ask("Who?", mode="text").evidence
    with pytest.raises(ProjectorMismatchError, match="no projector fits"):
        pipeline.ask("Who?", mode="xrag")


def test_parts_that_do_not_fit_are_refused(world: World, tmp_path: Path) -> None:
    model, index = str(world.model), world.index
    saved = load_projector(world.projector).manifest
    save_projector(tmp_path / "wide", Projector(32, 64), saved.model_copy(update={"settings": {}}))

    with pytest.raises(ProjectorMismatchError, match="normalized False"):
        Pipeline.open(index, model=model, projector=world.raw_projector)
    with pytest.raises(ProjectorMismatchError, match="width 64"):
        Pipeline.open(index, model=model, projector=tmp_path / "wide")
    with pytest.raises(ArtifactError, match="no projector at"):
        Pipeline.open(index, model=model, projector=tmp_path / "none")
    with pytest.raises(IndexNotFoundError, match="no index at"):
        Pipeline.open(tmp_path / "none", model=model)
    other = Pipeline.open(
        index, model=model, projector=world.projector, encoder=str(world.other_encoder)
    )
    with pytest.raises(IndexMismatchError):
        other.ask("Who?")
