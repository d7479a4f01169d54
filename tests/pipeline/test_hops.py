"""Looking in several hops, over a collection in which words alone do not lead to the end."""

from collections.abc import Sequence

import pytest

from xorag.errors import UsageError
from xorag.pipeline.hops import HopRetriever
from xorag.retrieval.links import Lead
from xorag.retrieval.timed import TimedHits
from xorag.types import Hit, Passage

TEXTS = {
    "Emma": "Emma is a film that Ann Lee directed.",
    "Ann Lee": "Ann Lee is the daughter of Bo Lee.",
    "Bo Lee": "Bo Lee comes out of Oslo.",
    "Films": "A director of a film directed it, was born, and has a mother or father.",
    "Rome": "Rome is the town that the father of the film was born in.",
}
QUESTION = "From where was the father that the director of the film Emma had?"


class WordRetriever:
    """Finds passages by the number of words that they share with a query."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def open(self) -> object:
        return self

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        self.asked.append(list(questions))
        return TimedHits([self._hits(query)[:k] for query in questions], 0.25, 0.5 + pieces)

    def _hits(self, query: str) -> list[Hit]:
        words = set(query.lower().strip("?").split())
        hits = [
            Hit(Passage(title, title, title, text, 0), float(len(shared)))
            for title, text in TEXTS.items()
            if (shared := words & set(f"{title} {text}".lower().replace(".", "").split()))
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))


def titles(hops: int, k: int = 3) -> list[str]:
    found = HopRetriever(WordRetriever(), hops=hops).find([QUESTION], k=k)
    return [hit.passage.title for hit in found.hits[0]]


def test_each_hop_follows_the_names_in_what_was_found() -> None:
    ranks = [titles(hops, k=5).index("Bo Lee") for hops in (1, 2, 3)]

    assert ranks[2] < ranks[0]


def test_one_hop_is_the_search_itself() -> None:
    inner = WordRetriever()

    found = HopRetriever(inner, hops=1).find([QUESTION], k=2)

    assert found == WordRetriever().find([QUESTION], k=2)
    assert inner.asked == [[QUESTION]]


def test_all_questions_of_a_hop_are_looked_up_together_and_each_name_once() -> None:
    inner = WordRetriever()

    HopRetriever(inner, hops=2).find([QUESTION, f"{QUESTION} Really?"], k=2)

    assert len(inner.asked) == 2
    assert len(inner.asked[1]) == len(set(inner.asked[1]))


def test_questions_do_not_change_each_others_passages() -> None:
    questions = [QUESTION, "Is Rome a town?", "Who is the daughter of Bo Lee?"]
    together = HopRetriever(WordRetriever(), hops=3).find(questions, k=3).hits

    alone = [HopRetriever(WordRetriever(), hops=3).find([q], k=3).hits[0] for q in questions]
    assert together == alone


def test_the_seconds_of_all_hops_add_up() -> None:
    found = HopRetriever(WordRetriever(), hops=3).find([QUESTION], k=2)

    assert (found.encode_seconds, found.search_seconds) == (0.75, 4.5)


def test_a_passage_is_found_once_and_the_best_come_first() -> None:
    (hits,) = HopRetriever(WordRetriever(), hops=3).find([QUESTION], k=5).hits

    assert len({hit.passage.id for hit in hits}) == len(hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_model_may_say_what_to_look_up_next() -> None:
    def rome(questions: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Lead]]:
        return [[Lead("Rome", hits[0])] for _, hits in zip(questions, found, strict=True)]

    found = HopRetriever(WordRetriever(), hops=2, next_names=rome).find([QUESTION], k=5)

    assert "Rome" in [hit.passage.title for hit in found.hits[0]]


def test_where_nothing_is_found_nothing_is_followed() -> None:
    found = HopRetriever(WordRetriever(), hops=3).find(["xyzzy"], k=2)

    assert found.hits == [[]]


@pytest.mark.parametrize("hops", [0, -1, 9])
def test_hops_out_of_range_are_refused(hops: int) -> None:
    with pytest.raises(UsageError, match="hops must be 1 to 8"):
        HopRetriever(WordRetriever(), hops=hops)
