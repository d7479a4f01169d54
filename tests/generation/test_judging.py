"""Deciding, reading and judging, whatever is asked together."""

import math

import pytest

from tests.generation.tiny_judges import (
    POSITIONS,
    QUESTIONS,
    TEXTS,
    make_judge,
    paragraph,
    write_alone,
)
from xorag.errors import PromptTooLongError, UsageError
from xorag.generation.generator import end_ids_of
from xorag.generation.judging import Begun, Judge
from xorag.reflection.gates import Gate
from xorag.reflection.scoring import Weights
from xorag.types import GateKind, ReflectionToken

NEW = 10
EACH = [paragraph(text) for text in TEXTS]


def begin(judge: Judge) -> Begun:
    return judge.begin(QUESTIONS, max_new_tokens=NEW)


def test_the_gate_token_decides_by_the_first_token_and_writes_nothing() -> None:
    judge = make_judge()
    begun = begin(judge)
    prompt = judge.prompts.question(QUESTIONS[0], "qa")
    alone = write_alone(judge.language_model, prompt.token_ids, [2], tokens=1)
    first = dict(zip(ReflectionToken, alone.watched[0], strict=True))
    yes, no = (
        math.exp(first[token])
        for token in (ReflectionToken.RETRIEVAL, ReflectionToken.NO_RETRIEVAL)
    )

    decided = judge.decide(begun, Gate(GateKind.TOKEN, 0.5), max_new_tokens=NEW)

    assert decided[0].gate.confidence == pytest.approx(yes / (yes + no), rel=1e-3)
    assert decided[0].gate.retrieved == (yes > no)
    assert decided[0].closed is None


@pytest.mark.parametrize("kind", [GateKind.MINP, GateKind.MEANP])
def test_the_hybrid_gates_decide_by_the_answer_without_passages(kind: GateKind) -> None:
    judge = make_judge()
    begun = begin(judge)

    decided = judge.decide(begun, Gate(kind, 0.3), max_new_tokens=NEW)

    for item in decided:
        assert item.closed is not None
        logprobs = item.closed.generation.logprobs
        lowest, mean = min(logprobs), sum(logprobs) / len(logprobs)
        expected = math.exp(lowest if kind is GateKind.MINP else mean)
        assert item.gate.confidence == pytest.approx(expected, rel=1e-6)
        assert item.gate.retrieved == (expected < 0.3)


def test_paths_read_together_are_those_read_alone() -> None:
    judge = make_judge()
    everything = judge.read(begin(judge), dict.fromkeys(range(3), EACH), max_new_tokens=NEW)

    for i, question in enumerate(QUESTIONS):
        for place, alone in enumerate(EACH):
            begun = judge.begin([question], max_new_tokens=NEW)
            (path,) = judge.read(begun, {0: [alone]}, max_new_tokens=NEW)[0]
            found = everything[i][place]
            assert found.token_ids == path.token_ids
            assert found.generation.text == path.generation.text
            assert found.critique is not None
            assert path.critique is not None
            assert found.critique.score == pytest.approx(path.critique.score, abs=1e-4)


def test_weights_change_the_score_and_nothing_else() -> None:
    judge = make_judge()
    weights = Weights(relevance=2.0, support=0.0, utility=0.0, sequence=False)

    (path,) = judge.read(begin(judge), {1: EACH[:1]}, max_new_tokens=NEW, weights=weights)[1]

    assert path.critique is not None
    assert path.critique.score == pytest.approx(2 * path.critique.relevance)


def test_one_token_is_enough_for_the_relevance() -> None:
    judge = make_judge()
    begun = begin(judge)

    whole = judge.read(begun, {0: EACH}, max_new_tokens=NEW)[0]
    first = judge.read(begun, {0: EACH}, max_new_tokens=1)[0]

    for one, other in zip(first, whole, strict=True):
        assert one.critique is not None
        assert other.critique is not None
        assert one.critique.relevance == pytest.approx(other.critique.relevance, abs=1e-5)


def test_an_answer_holds_no_reflection_tokens() -> None:
    judge = make_judge()
    reflections = set(judge.vocabulary.ordered_ids)

    paths = judge.read(begin(judge), dict.fromkeys(range(3), EACH), max_new_tokens=40)

    written = [path for of_question in paths.values() for path in of_question]
    assert any(reflections & set(path.token_ids) for path in written)
    assert not any(reflections & set(path.generation.token_ids) for path in written)
    assert not any("[" in path.generation.text and "]" in path.generation.text for path in written)


def test_an_answer_ends_at_the_end_mark() -> None:
    judge = make_judge()
    end = end_ids_of(judge.language_model, judge.encoder)

    paths = judge.answer_closed(begin(judge), range(3), max_new_tokens=60)

    assert not any(set(end) & set(path.token_ids) for path in paths)


def test_groups_hold_questions_of_like_length_within_the_budget() -> None:
    judge = make_judge(batch_tokens=120)
    questions = ["short?", "long " * 12, "a bit longer?", "long " * 13, "short!"]

    groups = judge.groups(questions, "qa", 2)

    assert sorted(i for group in groups for i in group) == list(range(5))
    assert groups[0] == [0, 4]
    assert [len(group) for group in groups if set(group) & {1, 3}] == [1, 1]


def test_what_the_model_cannot_read_is_refused() -> None:
    judge = make_judge()

    with pytest.raises(PromptTooLongError, match=f"but the language model reads {POSITIONS}"):
        judge.begin(["word " * POSITIONS], max_new_tokens=NEW)
    with pytest.raises(UsageError, match="max_new_tokens must be at least 1, got 0"):
        judge.begin(QUESTIONS, max_new_tokens=0)


def test_a_passage_that_is_too_long_is_cut_and_named() -> None:
    judge = make_judge()
    long = paragraph("radium and polonium " * POSITIONS)

    (path, other) = judge.read(begin(judge), {2: [long, EACH[0]]}, max_new_tokens=NEW)[2]

    assert [passage.title for passage in path.cut] == ["Title 0"]
    assert other.cut == ()


def test_a_passage_can_be_answered_from_as_if_it_were_relevant() -> None:
    judge = make_judge()
    begun = begin(judge)
    published = judge.read(begun, {0: EACH}, max_new_tokens=NEW)[0]

    paths = judge.read(begun, {0: EACH}, max_new_tokens=NEW, as_relevant=True)[0]

    relevant = judge.vocabulary.ids[ReflectionToken.RELEVANT]
    assert all(path.token_ids[0] == relevant for path in paths)
    assert any(path.token_ids[0] != relevant for path in published)
    for path, before in zip(paths, published, strict=True):
        assert path.critique is not None
        assert before.critique is not None
        # What it finds is the same; only what it goes on with is not its own choice.
        assert path.critique.relevance == pytest.approx(before.critique.relevance, abs=1e-4)
