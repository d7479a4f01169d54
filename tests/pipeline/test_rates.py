"""The dial for the rate: forms, several soft tokens a passage, and passages that are given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.tiny_world import DOCUMENTS, World
from tests.retrieval.tiny_encoders import WIDTH
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.data.pieces import cut_into_pieces
from xorag.errors import ProjectorMismatchError, UsageError
from xorag.pipeline import Pipeline
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.timed import TimedEmbeddings
from xorag.types import Answer, Form, Hit, Mode, Passage, Reading

QUESTION = "Who wrote Emma?"
LONG = Passage("g#0", "g", "Emma", "Emma is a novel that Jane Austen wrote in a year. " * 30, 0)
SHORT = Passage("h#0", "h", "", "Paris is the capital of France; the river is the Seine.", 0)


def soft_tokens(answer: Answer) -> list[int]:
    """Soft tokens of each passage, from the tokens that it took: a space parts each two."""
    return [(item.tokens + 1) // 2 for item in answer.evidence]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_passage_takes_as_many_soft_tokens_as_it_can_be_cut_into(
    count: int, pipeline: Pipeline
) -> None:
    answer = pipeline.ask(QUESTION, k=4, tokens_per_passage=count)

    pieces = [len(cut_into_pieces(item.passage.text, count)) for item in answer.evidence]
    assert soft_tokens(answer) == pieces
    assert max(pieces) == min(count, 2)


def test_what_more_soft_tokens_cost_is_what_they_add_to_the_prompt(pipeline: Pipeline) -> None:
    one, four = (pipeline.ask(QUESTION, tokens_per_passage=count) for count in (1, 4))

    added = four.cost.passage_tokens_used - one.cost.passage_tokens_used
    assert added > 0
    assert four.cost.prompt_tokens - one.cost.prompt_tokens == added


@pytest.mark.parametrize("form", [Form.TEXT, "token"])
def test_the_form_can_be_named_whatever_the_mode(form: Form | str, pipeline: Pipeline) -> None:
    answers = [pipeline.ask(QUESTION, mode=mode, k=2, form=form) for mode in ("text", "xrag")]

    assert {item.form for answer in answers for item in answer.evidence} == {Form(form)}
    assert answers[0].answer == answers[1].answer


def test_a_call_that_names_the_form_overrides_the_choice_of_readings(pipeline: Pipeline) -> None:
    def as_text(_question: str, _mode: Mode, hits: Sequence[Hit]) -> list[Reading]:
        return [Reading(Form.TEXT)] * len(hits)

    chosen = Pipeline(
        pipeline.builder,
        pipeline.generator,
        pipeline.retriever,
        embedder=pipeline.embedder,
        choose_readings=as_text,
    )

    forms = [chosen.ask(QUESTION, **options).evidence[0].form for options in named()]  # type: ignore[arg-type]
    assert forms == [Form.TEXT, Form.TOKEN, Form.TOKEN]


def named() -> list[Mapping[str, object]]:
    """Calls that name nothing, the form, and a number of soft tokens."""
    return [{}, {"form": "token"}, {"tokens_per_passage": 2}]


def test_a_choice_of_too_few_readings_is_refused(pipeline: Pipeline) -> None:
    none = Pipeline(
        pipeline.builder,
        pipeline.generator,
        pipeline.retriever,
        choose_readings=lambda _question, _mode, _hits: [],
    )

    with pytest.raises(UsageError, match="0 readings for 1 passages"):
        none.ask(QUESTION)


@pytest.mark.parametrize("mode", ["text", "xrag"])
def test_a_found_passage_that_is_given_back_gets_the_same_answer(
    mode: str, pipeline: Pipeline
) -> None:
    found = pipeline.ask(QUESTION, mode=mode, k=3)

    passages = [item.passage for item in found.evidence]
    given = pipeline.ask(QUESTION, mode=mode, passages=passages)

    assert [item.passage for item in given.evidence] == passages
    assert given.answer == found.answer
    assert given.cost.prompt_tokens == found.cost.prompt_tokens
    assert {item.score for item in given.evidence} == {0.0}


def test_a_given_passage_longer_than_the_encoder_reads_gets_more_soft_tokens(
    pipeline: Pipeline,
) -> None:
    one, sixteen = (
        pipeline.ask(QUESTION, passages=[LONG, SHORT], tokens_per_passage=count)
        for count in (1, 16)
    )

    tokens, short = soft_tokens(one)
    assert (tokens, short) == (3, 1)
    assert soft_tokens(sixteen) == [16, len(cut_into_pieces(SHORT.text, 16))]


def test_given_passages_need_no_index(
    world: World, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XORAG_CACHE", str(world.index.parent / "nothing"))
    by_projector = Pipeline.open(model=str(world.model), projector=world.projector, dtype="float32")
    by_name = Pipeline.open(
        model=str(world.model),
        projector=world.projector,
        encoder=str(world.encoder),
        dtype="float32",
    )

    answers = [
        opened.ask(QUESTION, passages=[LONG, SHORT], tokens_per_passage=2)
        for opened in (pipeline, by_projector, by_name)
    ]

    assert by_projector.retriever is None
    assert len({answer.answer for answer in answers}) == 1
    assert len({answer.cost.prompt_tokens for answer in answers}) == 1


def test_given_passages_need_an_encoder_that_somebody_names(
    world: World, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XORAG_CACHE", str(world.index.parent / "nothing"))
    saved = load_projector(world.projector)
    anonymous = world.index.parent / "anonymous"
    save_projector(
        anonymous,
        saved.projector,
        saved.manifest.model_copy(update={"encoder": None}),
        overwrite=True,
    )
    nameless = Pipeline.open(model=str(world.model), projector=anonymous)

    assert nameless.ask(QUESTION, mode="text", passages=[SHORT]).evidence
    with pytest.raises(UsageError, match="name one with --encoder"):
        nameless.ask(QUESTION, passages=[SHORT])
    with pytest.raises(ProjectorMismatchError, match="with fingerprint"):
        Pipeline.open(
            model=str(world.model), projector=world.projector, encoder=str(world.other_encoder)
        )
    unprojected = Pipeline(pipeline.builder, pipeline.generator, has_projector=False)
    with pytest.raises(ProjectorMismatchError, match="no projector"):
        unprojected.ask(QUESTION, passages=[SHORT])


def test_a_question_may_come_without_passages_and_closed_reads_none(pipeline: Pipeline) -> None:
    closed = pipeline.ask(QUESTION, mode="closed", passages=[LONG])
    empty = pipeline.ask(QUESTION, passages=[])

    assert closed.evidence == empty.evidence == ()
    assert closed.answer == empty.answer


class SlowEmbedder:
    """Takes a minute, as it says itself."""

    def embed(self, passages: Sequence[Passage], counts: Sequence[int]) -> TimedEmbeddings:
        pairs = zip(passages, counts, strict=True)
        return TimedEmbeddings([np.ones((count, WIDTH), np.float32) for _, count in pairs], 60.0)

    def embed_questions(self, questions: Sequence[str]) -> TimedEmbeddings:
        return TimedEmbeddings([np.ones(WIDTH, np.float32) for _ in questions], 60.0)


def test_encoding_pieces_counts_as_encoding(pipeline: Pipeline) -> None:
    slow = Pipeline(
        pipeline.builder, pipeline.generator, pipeline.retriever, embedder=SlowEmbedder()
    )

    one = slow.ask(QUESTION, max_new_tokens=2).cost.seconds
    several = slow.ask_many([QUESTION] * 3, tokens_per_passage=2, max_new_tokens=2)

    assert one.encode < 60
    for seconds in (answer.cost.seconds for answer in several):
        assert 20 <= seconds.encode < 60
        assert seconds.total >= seconds.encode + seconds.search + seconds.generate


class NoEmbedder:
    """Encodes nothing."""

    def embed(self, passages: Sequence[Passage], counts: Sequence[int]) -> TimedEmbeddings:
        raise AssertionError(f"{len(passages)} passages were encoded in {counts} pieces")

    def embed_questions(self, questions: Sequence[str]) -> TimedEmbeddings:
        raise AssertionError(f"{len(questions)} questions were encoded")


def test_stored_pieces_are_read_instead_of_encoding_them_again(
    world: World, tmp_path: Path
) -> None:
    encoder = Encoder.open(str(world.encoder), device="cpu")
    build_index(DOCUMENTS, tmp_path / "index", encoder, IngestOptions(pieces=2))
    opened = Pipeline.open(
        tmp_path / "index", model=str(world.model), projector=world.projector, dtype="float32"
    )
    encoded = opened.ask(QUESTION, k=4, tokens_per_passage=3)
    expected = Pipeline.open(
        world.index, model=str(world.model), projector=world.projector, dtype="float32"
    ).ask(QUESTION, k=4, tokens_per_passage=2)
    opened.embedder = NoEmbedder()

    stored = opened.ask(QUESTION, k=4, tokens_per_passage=2)

    assert stored.answer == expected.answer
    assert [item.tokens for item in stored.evidence] == [item.tokens for item in expected.evidence]
    assert sum(soft_tokens(encoded)) >= sum(soft_tokens(stored)) == 6
    with pytest.raises(AssertionError, match="4 passages were encoded"):
        opened.ask(QUESTION, k=4, tokens_per_passage=3)


def test_each_answer_is_told_once_with_its_place(pipeline: Pipeline) -> None:
    questions = ["Who wrote the novel Emma, in which year, and why?", "Who?", QUESTION]
    told: dict[int, Answer] = {}

    answers = pipeline.ask_many(
        questions, passages=[[LONG], [], [SHORT]], on_answer=told.setdefault
    )

    assert answers == [told[i] for i in range(3)]
    assert [answer.question for answer in answers] == questions


def test_the_confidence_is_the_geometric_mean_of_the_probabilities(pipeline: Pipeline) -> None:
    answer = pipeline.ask(QUESTION, max_new_tokens=4)

    prompt = pipeline.builder.build(QUESTION, [])
    (closed,) = pipeline.generator.generate([prompt], max_new_tokens=4)
    assert answer.confidence is not None
    assert 0 < answer.confidence < 1
    assert pipeline.ask(QUESTION, mode="closed", max_new_tokens=4).confidence == pytest.approx(
        float(np.prod(np.exp(closed.logprobs))) ** (1 / len(closed.logprobs)), rel=1e-4
    )
    assert "confidence" not in answer.as_json()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"tokens_per_passage": 0}, "tokens per passage must be 1 to 16, got 0"),
        ({"tokens_per_passage": 17}, "tokens per passage must be 1 to 16, got 17"),
        (
            {"form": "picture"},
            "no form 'picture'; give one of dropped, token, strings, sentences, text",
        ),
        ({"form": "text", "mode": "closed"}, "mode 'closed' reads no passage"),
        ({"task": "poem"}, "no task 'poem'; give one of qa, claim, choice, long"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: dict[str, object], reason: str, pipeline: Pipeline
) -> None:
    with pytest.raises(UsageError, match=reason):
        pipeline.ask(QUESTION, **options)  # type: ignore[arg-type]


def test_passages_for_another_number_of_questions_are_refused(pipeline: Pipeline) -> None:
    with pytest.raises(UsageError, match="passages were given for 1 questions, but 2 are asked"):
        pipeline.ask_many(["Who?", "What?"], passages=[[SHORT]])
