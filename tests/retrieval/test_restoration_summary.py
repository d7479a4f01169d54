"""What measured passages say together, and what follows."""

import pytest

from xorag.retrieval.restoration_advice import advice
from xorag.retrieval.restoration_rows import RestoredPassage
from xorag.retrieval.restoration_summary import (
    BIN_EDGES,
    RestorationSummary,
    summarise,
)
from xorag.types import Restoration, WordLosses

NOTHING = WordLosses(0, 0.0, 0.0, 0.0)


def passage(
    name: str,
    *,
    own: float,
    other: float = 4.0,
    tokens: int = 10,
    numbers: WordLosses = NOTHING,
    by: str = "pair",
) -> RestoredPassage:
    rest = WordLosses(tokens, own, other, other)
    return RestoredPassage(name, name.title(), Restoration(numbers, NOTHING, rest), by)


def summary_of(*passages: RestoredPassage) -> RestorationSummary:
    summary = summarise(passages, worst=2)
    assert summary is not None
    return summary


def told(summary: RestorationSummary, *, piece_count: int = 0, passages: int = 1000) -> list[str]:
    return advice(summary, piece_count=piece_count, has_strings=False, passages=passages)


def test_nothing_measured_says_nothing() -> None:
    assert summarise([], worst=5) is None


def test_losses_are_means_over_tokens_and_not_over_passages() -> None:
    numbers = WordLosses(30, 2.0, 4.0, 4.0)

    whole, of_numbers, of_names, rest = summary_of(
        passage("a", own=1.0, tokens=10, numbers=numbers), passage("b", own=3.0, tokens=20)
    ).kinds

    assert whole.own == pytest.approx((30 * 2.0 + 10 * 1.0 + 20 * 3.0) / 60)
    assert whole.tokens == 30
    assert (of_numbers.own, of_numbers.tokens) == (2.0, 15)
    assert (of_names.tokens, of_names.restored, sum(of_names.histogram)) == (0, 0.0, 0)
    assert rest.own == pytest.approx((10 * 1.0 + 20 * 3.0) / 30)


def test_a_share_is_what_the_own_token_takes_away() -> None:
    (whole, *_rest) = summary_of(passage("a", own=3.0, other=4.0)).kinds

    assert whole.restored == pytest.approx(0.25)
    assert whole.low == whole.median == whole.high == pytest.approx(0.25)


def test_the_histogram_counts_every_passage_once_at_its_share() -> None:
    owns = [5.0, 4.0, 3.9, 2.9, 0.1]

    (whole, *_rest) = summary_of(*(passage(f"p{own}", own=own) for own in owns)).kinds

    assert len(whole.histogram) == len(BIN_EDGES) + 1
    assert whole.histogram == (1, 2, 0, 0, 0, 0, 1, 0, 0, 1)


def test_the_worst_are_those_whose_token_tells_least() -> None:
    summary = summary_of(*(passage(f"p{own}", own=own) for own in (1.0, 4.5, 3.0, 2.0)))

    assert [each.id for each in summary.worst] == ["p4.5", "p3.0"]
    assert summary.worst[0].restored == pytest.approx(1 - 4.5 / 4.0)


def test_what_other_models_measured_is_counted_and_left_out() -> None:
    summary = summary_of(
        passage("a", own=2.0), passage("b", own=2.0), passage("c", own=0.1, by="older")
    )

    assert (summary.measured, summary.measured_by, summary.outdated) == (2, "pair", 1)
    assert summary.kinds[0].own == 2.0
    assert any(
        "1 passages were measured with other models" in sentence for sentence in told(summary)
    )


def test_tokens_that_hardly_tell_ask_for_training() -> None:
    hardly = summary_of(*(passage(f"p{i}", own=3.9) for i in range(200)))
    well = summary_of(*(passage(f"p{i}", own=2.0) for i in range(200)))

    assert any("train the projector" in sentence for sentence in told(hardly))
    assert told(well) == []


def test_passages_told_no_better_by_their_own_token_are_counted() -> None:
    passages = [passage(f"p{i}", own=5.0 if i < 10 else 2.0) for i in range(200)]

    sentences = told(summary_of(*passages))

    assert [sentence for sentence in sentences if sentence.startswith("10 of 200 passages")]


def test_numbers_that_stay_hard_ask_for_strings_beside_the_token() -> None:
    hard = WordLosses(5, 5.0, 6.0, 6.0)
    easy = WordLosses(5, 1.0, 6.0, 6.0)

    (sentence,) = told(summary_of(*(passage(f"p{i}", own=2.0, numbers=hard) for i in range(200))))

    assert "of numbers the own soft token restores 17 % and leaves 5.0 nats a token" in sentence
    assert "--form strings" in sentence
    assert "xorag index --strings" in sentence
    assert told(summary_of(*(passage(f"p{i}", own=2.0, numbers=easy) for i in range(200)))) == []


def test_numbers_that_cost_little_but_are_not_restored_are_lost_as_well() -> None:
    lost = WordLosses(5, 1.0, 1.0, 1.0)

    (sentence,) = told(summary_of(*(passage(f"p{i}", own=2.0, numbers=lost) for i in range(200))))

    assert "of numbers the own soft token restores 0 %" in sentence


def test_passages_that_lose_by_their_length_ask_for_more_tokens() -> None:
    passages = [
        passage(f"p{i}", own=3.0 if i < 100 else 1.0, tokens=200 if i < 100 else 20)
        for i in range(200)
    ]
    summary = summary_of(*passages)

    (without,) = told(summary)
    (with_pieces,) = told(summary, piece_count=4)

    assert (summary.long_restored, summary.short_restored) == (0.25, 0.75)
    assert "--pieces 4" in without
    assert "--tokens-per-passage 4" in with_pieces
    assert "--pieces" not in with_pieces


def test_few_measured_passages_ask_for_more_unless_there_are_no_more() -> None:
    summary = summary_of(*(passage(f"p{i}", own=2.0) for i in range(5)))

    assert "only 5 of 1000 passages are measured" in told(summary)[0]
    assert told(summary, passages=5) == []
