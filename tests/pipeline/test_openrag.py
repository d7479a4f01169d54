"""Mode openrag: who is asked for passages, what is answered, and what the answer says of it."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.errors import IndexNotFoundError, ProjectorMismatchError, UsageError
from xorag.pipeline import Pipeline
from xorag.pipeline.options import checked
from xorag.reflection.gates import Gate
from xorag.reflection.scoring import stated_answer
from xorag.retrieval.timed import TimedHits
from xorag.types import Answer, Form, GateKind, Hit, Mode, Passage

QUESTIONS = ["Who wrote Emma?", "What is the capital of France?", "Where is Berlin, exactly?"]
PASSAGES = [
    Passage(f"p{i}", "", title, text, 0)
    for i, (title, text) in enumerate(
        [("Emma", "Emma is a novel by Jane Austen."), ("", "Paris is the capital."), ("A", "B c.")]
    )
]


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny")


@pytest.fixture(scope="module")
def pipeline(world: World, reader: Path) -> Pipeline:
    return Pipeline.open(world.index, reader=reader, dtype="float32", device="cpu")


class Counting:
    """Finds the same passages for every question, and notes for which it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def open(self) -> None:
        """Nothing to open."""

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        del pieces
        self.asked += questions
        return TimedHits([[Hit(p, 1.0) for p in PASSAGES[:k]] for _ in questions], 0.0, 0.0)


@pytest.fixture
def counting(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(pipeline, "retriever", counting)
    return counting


def gate_confidence(answer: Answer) -> float:
    assert answer.gate is not None
    assert answer.gate.confidence is not None
    return answer.gate.confidence


def scores(answer: Answer) -> list[float]:
    return [item.critique.score for item in answer.evidence if item.critique]


def test_passages_are_found_for_those_questions_only_that_want_some(
    pipeline: Pipeline, counting: Counting
) -> None:
    asked = pipeline.ask_many(QUESTIONS, mode="openrag", gate="token", threshold=0.0, k=2)
    confidences = sorted(gate_confidence(answer) for answer in asked)
    counting.asked.clear()
    threshold = (confidences[0] + confidences[1]) / 2

    answers = pipeline.ask_many(QUESTIONS, mode="openrag", gate="token", threshold=threshold, k=2)

    retrieved = [answer.question for answer in answers if answer.gate and answer.gate.retrieved]
    assert sorted(counting.asked) == sorted(retrieved)
    assert len(retrieved) == 2
    assert [len(answer.evidence) for answer in answers] == [
        2 * (answer.question in retrieved) for answer in answers
    ]


@pytest.mark.parametrize("gate", ["always", "never"])
def test_a_fixed_gate_decides_without_a_number(gate: str, pipeline: Pipeline) -> None:
    answer = pipeline.ask(QUESTIONS[0], passages=PASSAGES, mode="openrag", gate=gate)

    assert answer.gate is not None
    assert answer.gate.retrieved == (gate == "always")
    assert (answer.gate.confidence, answer.gate.threshold) == (None, None)
    assert len(answer.evidence) == (3 if gate == "always" else 0)
    assert answer.as_json()["gate"]["kind"] == gate


def test_the_answer_is_that_of_the_path_with_the_highest_score(pipeline: Pipeline) -> None:
    whole = pipeline.ask(QUESTIONS[0], passages=PASSAGES, mode="openrag", gate="always")
    best = max(range(3), key=lambda i: scores(whole)[i])

    alone = pipeline.ask(QUESTIONS[0], passages=[PASSAGES[best]], mode="openrag", gate="always")

    assert whole.answer == alone.answer
    assert [item.is_chosen for item in whole.evidence] == [i == best for i in range(3)]
    assert scores(alone) == pytest.approx([scores(whole)[best]], abs=1e-4)
    json = whole.as_json()
    assert set(json["evidence"][0]["critique"]) == {
        "relevance",
        "support",
        "utility",
        "sequence",
        "score",
    }
    assert json["abstained"] is False


def test_asked_together_or_alone_the_answers_are_the_same(pipeline: Pipeline) -> None:
    passages = [PASSAGES, PASSAGES[:1], PASSAGES[1:]]
    noted: dict[int, Answer] = {}

    many = pipeline.ask_many(
        QUESTIONS, passages=passages, mode="openrag", gate="always", on_answer=noted.__setitem__
    )

    for i, question in enumerate(QUESTIONS):
        one = pipeline.ask(question, passages=passages[i], mode="openrag", gate="always")
        assert many[i].answer == one.answer
        assert scores(many[i]) == pytest.approx(scores(one), abs=1e-4)
    assert [noted[i] for i in range(3)] == many


def test_all_passages_can_stand_in_one_paragraph(pipeline: Pipeline) -> None:
    answer = pipeline.ask(
        QUESTIONS[0], passages=PASSAGES, mode="openrag", gate="always", together=True
    )

    assert len({item.critique for item in answer.evidence}) == 1
    assert all(item.is_chosen for item in answer.evidence)


def test_where_no_path_is_good_enough_nothing_is_answered(pipeline: Pipeline) -> None:
    whole = pipeline.ask(QUESTIONS[0], passages=PASSAGES, mode="openrag", gate="always")
    best = max(scores(whole))

    below, above = (
        pipeline.ask(
            QUESTIONS[0], passages=PASSAGES, mode="openrag", gate="always", abstain_below=limit
        )
        for limit in (best - 0.01, best + 0.01)
    )

    assert (below.abstained, below.answer) == (False, whole.answer)
    assert (above.abstained, above.answer, above.confidence) == (True, "", None)
    assert above.as_json()["abstained"] is True
    assert not any(item.is_chosen for item in above.evidence)


def test_a_closed_set_of_answers_is_voted_on(pipeline: Pipeline) -> None:
    texts = [
        pipeline.ask(QUESTIONS[0], passages=[p], mode="openrag", gate="always").answer
        for p in PASSAGES
    ]
    answers = [text.split()[0] for text in texts[:1]] + ["something else"]

    answer = pipeline.ask(
        QUESTIONS[0], passages=PASSAGES, mode="openrag", gate="always", answer_set=answers
    )

    stated = [stated_answer(text, answers) for text in texts]
    assert stated[0] == answers[0]
    assert answer.answer == answers[0]


def test_an_answer_without_passages_is_given_as_the_closed_set_words_it(
    pipeline: Pipeline,
) -> None:
    free = pipeline.ask(QUESTIONS[0], mode="openrag", gate="never").answer
    wording = free.upper() + "!"
    assert free
    assert free != wording

    answer = pipeline.ask(QUESTIONS[0], mode="openrag", gate="never", answer_set=[wording, "no"])

    assert answer.answer == wording


def test_on_text_gets_the_answer_that_was_chosen(pipeline: Pipeline) -> None:
    pieces: list[str] = []

    answer = pipeline.ask(
        QUESTIONS[1], passages=PASSAGES, on_text=pieces.append, mode="openrag", gate="always"
    )

    assert "".join(pieces) == answer.answer


def test_the_cost_counts_every_path(pipeline: Pipeline) -> None:
    one, three = (
        pipeline.ask(QUESTIONS[0], passages=PASSAGES[:k], mode="openrag", gate="always").cost
        for k in (1, 3)
    )

    assert one.prompt_tokens < three.prompt_tokens
    assert three.passage_tokens_used == three.passage_tokens_as_text
    assert three.prompt_tokens - one.prompt_tokens >= (
        three.passage_tokens_used - one.passage_tokens_used
    )
    assert one.seconds.total == pytest.approx(one.seconds.generate)


def test_empty_passages_are_left_out_and_long_ones_cut_and_both_are_said(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    given = [
        Passage("empty", "", "Nothing", " \n", 0),
        Passage("long", "", "Much", "river " * 600, 0),
        PASSAGES[0],
    ]

    with caplog.at_level(logging.WARNING):
        answer = pipeline.ask(QUESTIONS[0], passages=given, mode="openrag", gate="always")

    assert [item.passage.id for item in answer.evidence] == ["long", "p0"]
    assert answer.evidence[0].tokens < 512
    assert answer.cost.passage_tokens_as_text > 600
    said = {(record.getMessage(), vars(record)["passage"]) for record in caplog.records}
    assert said == {
        ("an empty passage was left out", "empty"),
        ("a passage is too long for the language model and was cut", "long"),
    }


def test_where_there_is_no_passage_to_read_the_question_is_answered_without(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = pipeline.ask(QUESTIONS[0], passages=[], mode="openrag", gate="always")

    never = pipeline.ask(QUESTIONS[0], mode="openrag", gate="never")
    assert answer.answer == never.answer
    assert answer.gate is not None
    assert not answer.gate.retrieved
    assert "no passage to read" in caplog.text


def test_the_calibrated_gate_is_used_unless_a_call_names_another(pipeline: Pipeline) -> None:
    openrag = pipeline.openrag
    assert openrag is not None

    assert openrag.gate(checked(mode="openrag").judging) == Gate(GateKind.TOKEN, 0.5)
    named = checked(mode="openrag", gate="minp", threshold=0.2).judging
    assert openrag.gate(named) == Gate(GateKind.MINP, 0.2)
    assert openrag.gate(checked(mode="openrag", gate="meanp").judging) == Gate(GateKind.MEANP, 0.5)


def test_a_pipeline_with_a_reader_answers_in_the_other_modes_too(pipeline: Pipeline) -> None:
    answer = pipeline.ask(QUESTIONS[0], mode="text", max_new_tokens=4)

    assert answer.mode is Mode.TEXT
    assert answer.gate is None
    assert "gate" not in answer.as_json()


def test_a_reader_with_a_projector_reads_soft_tokens_in_paragraphs(
    world: World, reader: Path
) -> None:
    pipeline = Pipeline.open(
        world.index, reader=reader, projector=world.projector, dtype="float32", device="cpu"
    )

    answer = pipeline.ask(
        QUESTIONS[0], mode="openrag", gate="always", form="token", k=3, max_new_tokens=6
    )

    assert [(item.form, item.tokens) for item in answer.evidence] == [(Form.TOKEN, 1)] * 3
    assert len(set(scores(answer))) == 3
    # The question, and for each passage its soft token between three marks.
    asked = pipeline.ask(QUESTIONS[0], mode="openrag", gate="never", max_new_tokens=6)
    assert answer.cost.prompt_tokens == asked.cost.prompt_tokens - 1 + 3 * 4


def test_what_openrag_lacks_is_said(world: World, pipeline: Pipeline, reader: Path) -> None:
    plain = Pipeline.open(model=str(world.model), dtype="float32", device="cpu")
    without_index = Pipeline.open(reader=reader, dtype="float32", device="cpu")
    without_index.retriever = None  # the demo's may be there

    with pytest.raises(UsageError, match="mode 'openrag' needs a reader"):
        plain.ask("Who?", passages=PASSAGES, mode="openrag")
    with pytest.raises(IndexNotFoundError):
        without_index.ask("Who?", mode="openrag", gate="always")
    with pytest.raises(ProjectorMismatchError, match="no projector fits"):
        pipeline.ask("Who?", passages=PASSAGES, mode="openrag", gate="always", form="token")
