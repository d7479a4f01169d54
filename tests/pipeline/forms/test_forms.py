"""Passages in the forms that show strings or sentences, through the whole pipeline."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pipeline.tiny_world import DOCUMENTS, World
from xorag.data.sentences import split_sentences
from xorag.errors import ProjectorMismatchError, UsageError
from xorag.generation.control import Quoted
from xorag.pipeline import Pipeline
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.types import Form, Hit, Mode, Passage, Reading

TEXT = "It is a novel. Jane Austen wrote it in 1815. The king read it in Paris. No one knows why."
EMMA = Passage("e#0", "e", "Emma", TEXT, 0)
QUESTION = "Who wrote it, the book Emma?"


@pytest.mark.parametrize("mode", ["xrag", "text"])
def test_the_best_sentence_stands_beside_a_soft_token(mode: str, pipeline: Pipeline) -> None:
    (item,) = pipeline.ask(QUESTION, mode=mode, passages=[EMMA], form="sentences").evidence

    assert item.form is Form.SENTENCES
    assert item.shown == ("Jane Austen wrote it in 1815.",)
    assert item.reason == "1 of 4 sentences, by words"
    assert 1 < item.tokens < item.tokens_as_text


def test_as_many_sentences_are_shown_as_asked_for_in_the_passages_order(
    pipeline: Pipeline,
) -> None:
    (item,) = pipeline.ask(
        "Who wrote it, and which king read it?", passages=[EMMA], form="sentences", sentences=2
    ).evidence

    assert item.shown == ("Jane Austen wrote it in 1815.", "The king read it in Paris.")


def test_strings_stand_in_order_and_within_their_budget(pipeline: Pipeline) -> None:
    all_of_them, few = (
        pipeline.ask(QUESTION, passages=[EMMA], form="strings", strings_tokens=budget).evidence[0]
        for budget in (400, 12)
    )

    assert {"Jane Austen", "1815", "Paris"} <= set(all_of_them.shown)
    assert sorted(all_of_them.shown, key=TEXT.index) == list(all_of_them.shown)
    assert 0 < len(few.shown) < len(all_of_them.shown)
    assert pipeline.builder.encoder.count([Quoted("; ".join(few.shown))]) <= 12


def test_what_the_question_and_the_title_say_is_no_string_to_show(pipeline: Pipeline) -> None:
    passage = Passage("e#0", "e", "Emma", "Emma by Jane Austen came out in 1815.", 0)

    (item,) = pipeline.ask("What did Jane Austen do?", passages=[passage], form="strings").evidence

    assert "1815" in item.shown
    assert not {"Emma", "Jane Austen"} & set(item.shown)


def test_a_dropped_passage_costs_nothing_and_is_still_named(pipeline: Pipeline) -> None:
    dropped = pipeline.ask(QUESTION, passages=[EMMA], form="dropped")
    closed = pipeline.ask(QUESTION, mode="closed")

    assert dropped.cost.prompt_tokens == closed.cost.prompt_tokens
    assert dropped.answer == closed.answer
    assert [(item.form, item.tokens) for item in dropped.evidence] == [(Form.DROPPED, 0)]


def test_the_json_names_what_is_shown_and_why_and_only_then(pipeline: Pipeline) -> None:
    strings, token = (
        pipeline.ask(QUESTION, passages=[EMMA], form=form).as_json()["evidence"][0]
        for form in ("strings", "token")
    )

    assert strings["form"] == "strings"
    assert "1815" in strings["shown"]
    assert "tokens, by words" in strings["reason"]
    assert not {"shown", "reason"} & token.keys()


def test_stored_pieces_count_beside_words(world: World, tmp_path: Path) -> None:
    encoder = Encoder.open(str(world.encoder), device="cpu")
    build_index(DOCUMENTS, tmp_path / "index", encoder, IngestOptions(pieces=2))
    opened = Pipeline.open(
        tmp_path / "index", model=str(world.model), projector=world.projector, dtype="float32"
    )
    opened.embedder = None  # nothing has to be encoded

    answers = [opened.ask("Which river?", k=4, form=form) for form in ("sentences", "strings")]

    assert {item.reason.rpartition(", ")[2] for answer in answers for item in answer.evidence} == {
        "by words and similarity"
    }


def test_pieces_are_encoded_where_words_choose_nothing(pipeline: Pipeline) -> None:
    undecided, decided = (
        pipeline.ask(question, passages=[EMMA], form="sentences").evidence[0]
        for question in ("Zzz?", QUESTION)
    )

    assert undecided.reason == "1 of 4 sentences, by words and similarity"
    assert undecided.shown[0] in [sentence.strip() for sentence in split_sentences(TEXT)]
    assert decided.reason == "1 of 4 sentences, by words"


def test_whoever_chooses_readings_sees_the_question_and_says_what_is_shown(
    pipeline: Pipeline,
) -> None:
    def choose(question: str, _mode: Mode, hits: Sequence[Hit]) -> list[Reading]:
        return [Reading(Form.STRINGS, shown=("1815",), reason=question)] * len(hits)

    chosen = Pipeline(
        pipeline.builder, pipeline.generator, embedder=pipeline.embedder, choose_readings=choose
    )

    (item,) = chosen.ask(QUESTION, passages=[EMMA]).evidence

    assert (item.shown, item.reason) == (("1815",), QUESTION)


def test_forms_with_a_soft_token_need_a_projector(pipeline: Pipeline) -> None:
    unprojected = Pipeline(pipeline.builder, pipeline.generator, has_projector=False)

    for form in ("strings", "sentences"):
        with pytest.raises(ProjectorMismatchError, match="no projector"):
            unprojected.ask(QUESTION, passages=[EMMA], form=form)
    assert unprojected.ask(QUESTION, passages=[EMMA], form="dropped").evidence


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"form": "strings", "strings_tokens": 0}, "1 to 512 tokens a passage, got 0"),
        ({"form": "sentences", "sentences": 65}, "1 to 64 sentences"),
        ({"strings_tokens": 8}, "strings_tokens goes with form 'strings' only, got form unset"),
        ({"form": "token", "sentences": 2}, "sentences goes with form 'sentences' only"),
    ],
)
def test_options_that_do_not_fit_the_form_are_refused(
    options: dict[str, object], reason: str, pipeline: Pipeline
) -> None:
    with pytest.raises(UsageError, match=reason):
        pipeline.ask(QUESTION, **options)  # type: ignore[arg-type]
