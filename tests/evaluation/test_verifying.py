"""What verifying answers did, over a whole set."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluation.test_results import result
from xorag.data.questions import LabelledPassage, Question
from xorag.errors import UsageError
from xorag.evaluation.asking import Asked, ask_options, build_result
from xorag.evaluation.plan import Settings, plan_conditions, require_used
from xorag.evaluation.results import Result, ResultsFile, VerificationResult
from xorag.evaluation.verifying import summarise_verifying
from xorag.types import (
    Answer,
    CheckedString,
    Cost,
    Evidence,
    Form,
    Mode,
    Passage,
    SecondReading,
    Seconds,
    Verification,
)

FOUND, UNFOUND = CheckedString("Jane", "name", ("p",)), CheckedString("Ann", "name", ())
SECOND = SecondReading("p", "Ann", ("Ann",), 30, 4, 0.5)


def verified(
    score: float,
    *checked: CheckedString,
    second: SecondReading | None = None,
    first: float | None = None,
    withheld: float | None = None,
) -> Result:
    found = Verification(checked, second, None if withheld is None else "Ann")
    return replace(
        result("q"),
        scores={"match": score},
        verified=VerificationResult(
            found,
            first_scores=None if first is None else {"match": first},
            withheld_scores=None if withheld is None else {"match": withheld},
        ),
        abstained=withheld is not None,
    )


def test_without_verifying_there_is_nothing_to_summarise() -> None:
    assert summarise_verifying([result("q")], "match") is None


def test_wrong_answers_with_an_unverified_string_are_counted_before_and_after() -> None:
    rows = [
        verified(1.0, FOUND),
        verified(1.0, FOUND, second=SECOND, first=0.0),
        verified(0.0, UNFOUND, second=SECOND, first=0.0),
        verified(0.0),
    ]

    summary = summarise_verifying(rows, "match")

    assert summary is not None
    assert summary.checked.mean == 0.75
    assert summary.reread.mean == 0.5
    assert (summary.unverified_first.mean, summary.unverified.mean) == (0.5, 0.25)
    assert summary.wrong_unverified_first is not None
    assert summary.wrong_unverified is not None
    assert (summary.wrong_unverified_first.mean, summary.wrong_unverified.mean) == (0.5, 0.25)
    assert summary.primary_first is not None
    assert summary.primary_first.mean == 0.25
    assert (summary.wrong_if_unverified, summary.wrong_if_verified) == (1.0, 0.0)


def test_what_second_readings_cost_is_a_mean_over_all_questions() -> None:
    rows = [verified(1.0, FOUND), verified(1.0, FOUND, second=SECOND, first=0.0)]

    summary = summarise_verifying(rows, "match")

    assert summary is not None
    assert (summary.prompt_tokens, summary.generated_tokens, summary.seconds) == (15.0, 2.0, 0.25)


def test_a_withheld_answer_is_not_a_wrong_one_and_right_ones_among_them_are_told() -> None:
    rows = [
        verified(0.0, UNFOUND, withheld=0.0),
        verified(0.0, UNFOUND, withheld=1.0),
        verified(0.0, UNFOUND),
        verified(1.0, FOUND),
    ]

    summary = summarise_verifying(rows, "match")

    assert summary is not None
    assert (summary.withheld, summary.right_withheld) == (0.5, 0.25)
    assert summary.wrong_unverified is not None
    assert summary.wrong_unverified.mean == 0.25
    assert summary.unverified.mean == 0.75


def test_where_scores_are_shares_nothing_is_wrong_or_right() -> None:
    summary = summarise_verifying([verified(0.4, UNFOUND)], "match")

    assert summary is not None
    assert (summary.wrong_unverified, summary.wrong_if_unverified) == (None, None)
    assert summary.primary_first is not None


def test_a_result_keeps_the_verification_and_the_scores_of_what_was_replaced(
    tmp_path: Path,
) -> None:
    passage = Passage("p", "d", "T", "By Jane.", 0)
    question = Question(
        "q", "Who?", ("Jane",), (LabelledPassage("T", "By Jane.", is_supporting=True),)
    )
    (condition,) = plan_conditions(["xrag"], k=1, tokens_per_passage=[1])
    cost = Cost(40, 20, 21, 4, Seconds(0.0, 0.0, 1.0, 1.0))
    evidence = (Evidence(passage, 0.0, Form.TEXT, 20, 20),)
    answer = Answer(
        "Who?", Mode.XRAG, "Jane", evidence, cost, verification=Verification((FOUND,), SECOND)
    )

    kept = build_result(Asked(question, question.passages), condition, answer)

    assert kept.verified is not None
    assert kept.verified.first_scores is not None
    assert (kept.scores["match"], kept.verified.first_scores["match"]) == (1.0, 0.0)
    with ResultsFile(tmp_path / "kept.jsonl") as file:
        file.append(kept)
    assert ResultsFile(tmp_path / "kept.jsonl").read() == {"q": kept}


def test_only_conditions_that_read_passages_are_verified() -> None:
    settings = Settings(verify=True, abstain_unverified=True)
    closed, xrag = plan_conditions(["closed", "xrag"], k=1, tokens_per_passage=[1])

    assert "verify" not in ask_options("qa", closed, settings)
    assert ask_options("qa", xrag, settings)["verify"]
    assert ask_options("qa", xrag, settings)["abstain_unverified"]


def test_verifying_without_a_mode_that_reads_passages_is_refused() -> None:
    closed = plan_conditions(["closed"], k=1, tokens_per_passage=[1])

    with pytest.raises(UsageError, match="none is read"):
        require_used(Settings(verify=True), closed)


def test_withholding_without_verifying_is_refused() -> None:
    with pytest.raises(UsageError, match="give verify too"):
        Settings(abstain_unverified=True)
