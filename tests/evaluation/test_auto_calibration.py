"""Fitting what forms are worth, and comparing `auto` with fixed forms."""

import numpy as np
import pytest

from tests.pipeline.tiny_world import World, make_world
from xorag.data.questions import LabelledPassage, Question, is_dev
from xorag.errors import EvaluationError
from xorag.evaluation.auto_answers import (
    CLOSED,
    SENTENCES,
    STRINGS,
    TEXT,
    TOKEN,
    Answered,
    Answers,
)
from xorag.evaluation.auto_check import compared, mean_tokens, warnings
from xorag.evaluation.auto_fit import fit_gains
from xorag.evaluation.auto_seen import kept_passages, see_gold, see_several, without_kept
from xorag.evaluation.logistic_fit import Examples, fit_logistic
from xorag.evaluation.passages import passage_id
from xorag.evaluation.question_sets import QuestionSet
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.features import holds_features

COUNT = 40


def question(number: int) -> Question:
    name = f"Town{number}"
    mayor = f"Anna Number{number}"
    told = f"Its mayor is {mayor}."
    # The best sentence does not always tell.
    hidden = f"There is a mayor of {name}. All like {mayor} a lot."
    text = f"{name} lies on a hill. {told if number % 2 else hidden} The weather is fine there."
    gold = LabelledPassage(name, text, is_supporting=True)
    other = LabelledPassage("Sea", f"The sea {number} is blue. It has fish.", is_supporting=False)
    return Question(
        id=f"q{number}",
        question=f"Who is the mayor of {name}?",
        answers=(mayor,),
        passages=(gold, other),
    )


def question_set(questions: list[Question]) -> QuestionSet:
    return QuestionSet("towns", "towns.jsonl", None, "0", len(questions), 0, tuple(questions))


SETS = (question_set([question(number) for number in range(COUNT)]),)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    world: World = make_world(tmp_path_factory.mktemp("world"))
    return Pipeline.open(
        world.index, model=str(world.model), projector=world.projector, dtype="float32"
    )


def answers_where(*, sentences: float) -> Answers:
    """Text is right for three of four, the token for one of four, closed book for none."""

    def of(label: str, share: float) -> dict[tuple[str, str], Answered]:
        del label
        return {("towns", f"q{i}"): Answered(float(i % 4 < 4 * share), 1) for i in range(COUNT)}

    return {
        TOKEN.label: of("token", 0.25),
        TEXT.label: of("text", 0.75),
        CLOSED.label: of("closed", 0.0),
        STRINGS.label: of("strings", 0.25),
        SENTENCES.label: of("sentences", sentences),
    }


def test_what_tells_passages_and_forms_apart_is_learned(pipeline: Pipeline) -> None:
    gold = see_gold(pipeline, SETS, seed=0)
    several = see_several(pipeline, SETS, k=2, seed=0, retrieved_without=None)

    fitted = fit_gains(pipeline, gold, several, answers_where(sentences=0.75))

    assert fitted.holds.auc is not None
    assert fitted.holds.auc.mean > 0.9  # only supporting passages name the town
    assert fitted.shown.auc is not None
    assert fitted.shown.auc.mean > 0.6
    assert fitted.gains.token_helps == pytest.approx(0.25)
    assert fitted.gains.text_right == pytest.approx(0.75)
    assert fitted.token_fails.items == 30  # of 40, those whose text was answered from rightly
    assert fitted.token_fails.share == pytest.approx(2 / 3)
    assert fitted.gains.strings_read == 0.0  # strings were no better than the token
    assert fitted.gains.sentences_read > 0.5
    holds = [fitted.gains.holds(row) for row in holds_features(several[0].seen)]
    assert holds[several[0].is_gold.index(True)] > 0.5


def test_each_question_is_seen_with_its_supporting_passage_and_with_all(
    pipeline: Pipeline,
) -> None:
    gold = see_gold(pipeline, SETS, seed=0)
    several = see_several(pipeline, SETS, k=2, seed=0, retrieved_without=None)

    assert [each.is_gold for each in gold] == [(True,)] * COUNT
    assert all(sorted(each.is_gold) == [False, True] for each in several)
    assert all(seen.hit.similarity is not None for each in gold for seen in each.seen)


def test_nothing_is_fitted_on_passages_that_are_kept_for_reporting(pipeline: Pipeline) -> None:
    shared = SETS[0].questions[0].passages[0]
    named = frozenset({passage_id(shared.title, shared.text)})

    kept = kept_passages(SETS, named)
    (left,) = without_kept(SETS, kept)
    found = see_several(pipeline, SETS, k=4, seed=0, retrieved_without=frozenset({"emma"}))

    assert named < kept
    assert not any(is_dev(each) or each.id == "q0" for each in left.questions)
    assert 0 < len(left.questions) < COUNT
    ids = {seen.hit.passage.document_id for each in found for seen in each.seen}
    assert "paris" in ids
    assert "emma" not in ids


def test_a_fit_tells_unseen_groups_and_its_probabilities_are_right_on_average() -> None:
    draw = np.random.default_rng(0)
    values = draw.normal(size=(400, 2))
    labels = [bool(v) for v in values[:, 0] + draw.normal(size=400) > 1]
    examples = Examples(values.tolist(), labels, [i // 2 for i in range(400)])

    fitted = fit_logistic(("signal", "noise"), examples, "a signal")

    assert fitted.auc is not None
    assert fitted.auc.mean > 0.75
    probabilities = [fitted.model(row) for row in values.tolist()]
    assert np.mean(probabilities) == pytest.approx(np.mean(labels), abs=0.03)
    assert fitted.model([2.0, 0.0]) > 0.5 > fitted.model([-2.0, 0.0])


def test_too_few_questions_of_a_kind_are_refused() -> None:
    examples = Examples([[0.0]] * 20, [True] * 3 + [False] * 17, list(range(20)))

    with pytest.raises(EvaluationError, match="at least 10 questions are needed that are so"):
        fit_logistic(("x",), examples, "a thing")


def test_a_fixed_form_that_is_better_at_equal_tokens_is_warned_of() -> None:
    fixed = {("s", f"q{i}"): Answered(1.0, 40) for i in range(8)}
    worse = {("s", f"q{i}"): Answered(float(i > 3), 38) for i in range(8)}

    better, same = (compared("xrag", mean_tokens(fixed), fixed, auto) for auto in (worse, fixed))

    assert (better.budget, better.auto_tokens) == (40, 38)
    assert warnings([better, same]) == [
        "auto is worse than xrag at 40 tokens: 50.0 % right against 100.0 % (difference "
        f"{100 * better.difference.low:.1f} to {100 * better.difference.high:.1f}); calibrate on "
        "more questions, or use that form"
    ]
