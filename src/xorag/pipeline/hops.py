"""Looking for passages in several hops: what was found names what to look for next.

A question of several hops asks for a thing by way of another ("the mother of the director of ..."),
so that words of the question alone do not lead to all passages. Each further hop looks up names
that stand in the best passages so far, or in a model's answer from them, each with the words of the
question that the passage lacks, and adds the passages that are about these names. Scores and rules
are our own. Related: Xiong et al., 2021, arXiv 2009.12756 (each hop's query from what was found);
Trivedi et al., 2023, arXiv 2212.10509, and Shao et al., 2023, arXiv 2305.15294 (what a model writes
becomes the next query).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, Unpack

from xorag.data.strings.names import names_in
from xorag.pipeline.finding_options import Finding, HopBy, require_hops
from xorag.retrieval.links import Lead, closeness, leads_of, missing_words
from xorag.retrieval.timed import TimedHits, TimedRetriever
from xorag.types import Answer, Hit, Mode, Passage

if TYPE_CHECKING:
    from xorag.pipeline.options import AskOptions

NextNames = Callable[[Sequence[str], Sequence[Sequence[Hit]]], list[list[Lead]]]
"""From questions and the best passages of each so far to the names to look up."""

BEAM = 3
"""Passages whose names are looked up in each hop."""
DEPTH = 100
"""Hits of the question itself, among which further passages keep their own score."""
PER_NAME = 5
"""Hits of a name that are looked at."""
LINK_WEIGHT = 0.8
"""What being named by a passage adds, next to 1 for the best hit's own score."""
ANSWER_TOKENS = 16
"""Where an answer is cut that only says what to look up."""
_MIN_CLOSENESS = 0.3


def names_of_passages(questions: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Lead]]:
    """The names in the best passages; needs no model."""
    return [leads_of(question, hits) for question, hits in zip(questions, found, strict=True)]


class AsksMany(Protocol):
    """What answers questions from passages; `Pipeline.ask_many` does."""

    def __call__(
        self,
        questions: Sequence[str],
        *,
        passages: Sequence[Sequence[Passage]] | None = None,
        **options: "Unpack[AskOptions]",
    ) -> list[Answer]:
        """Answer all."""
        ...


def names_in_answers(ask: AsksMany) -> NextNames:
    """What a model answers from the best passages so far, and the names in it."""

    def next_names(questions: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Lead]]:
        read = [[hit.passage for hit in hits] for hits in found]
        answers = ask(questions, passages=read, mode=Mode.TEXT, max_new_tokens=ANSWER_TOKENS)
        return [
            _leads_of_answer(question, answer.answer, hits)
            for question, answer, hits in zip(questions, answers, found, strict=True)
        ]

    return next_names


def _leads_of_answer(question: str, answer: str, hits: Sequence[Hit]) -> list[Lead]:
    """The answer's names, and without any its first line; none where nothing was read."""
    said = answer.strip().partition("\n")[0]
    if not hits or not said:
        return []
    names = dict.fromkeys(name.text for name in names_in(said))
    missing = missing_words(question, hits[0].passage)
    return [Lead(name, hits[0], missing) for name in names or [said]]


def in_hops(retriever: TimedRetriever, finding: Finding, ask: AsksMany) -> TimedRetriever:
    """The retriever as a call wants it: the same, or in several hops."""
    if finding.hops == 1:
        return retriever
    by_answer = finding.hop_by is HopBy.ANSWER
    next_names = names_in_answers(ask) if by_answer else names_of_passages
    return HopRetriever(retriever, hops=finding.hops, next_names=next_names)


@dataclass(slots=True)
class _Search:
    """One question's passages so far."""

    question: str
    hits: dict[str, Hit]
    own: Mapping[str, float]
    """Score of each hit of the question itself as a share of the best one's."""
    scores: dict[str, float]
    followed: set[str]

    def best(self, count: int) -> list[Hit]:
        """The best passages, with the scores of the hops."""
        order = sorted(self.scores, key=lambda key: (-self.scores[key], key))[:count]
        return [replace(self.hits[key], score=self.scores[key]) for key in order]

    def front(self) -> list[Hit]:
        """The best passages whose names were not yet looked up."""
        fresh = [hit for hit in self.best(len(self.hits)) if hit.passage.id not in self.followed]
        return fresh[:BEAM]

    def add(self, lead: Lead, hits: Sequence[Hit]) -> None:
        """Add the passages that are about a name; each keeps the best of its scores."""
        source = min(1.0, lead.source.score)
        for hit in hits:
            key, close = hit.passage.id, closeness(lead.name, hit.passage)
            if close < _MIN_CLOSENESS or key == lead.source.passage.id:
                continue
            self.hits.setdefault(key, hit)
            score = self.own.get(key, 0.0) + LINK_WEIGHT * close * source
            self.scores[key] = max(score, self.scores.get(key, 0.0))


class HopRetriever:
    """A retriever that looks several times; with one hop it is the one it wraps."""

    def __init__(
        self, inner: TimedRetriever, *, hops: int = 2, next_names: NextNames = names_of_passages
    ) -> None:
        """Wrap a retriever.

        Args:
            inner: Finds passages for questions and for names.
            hops: How often is looked, 1 to 8.
            next_names: Says which names are looked up next.

        Raises:
            UsageError: If the number of hops is out of range.
        """
        require_hops(hops)
        self._inner = inner
        self._hops = hops
        self._next_names = next_names

    def open(self) -> object:
        """Get ready, so that the first question does not wait."""
        return self._inner.open()

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        """Find the `k` best passages of each question over all hops.

        Scores are shares of the best hit's score of the first hop, with what links add.
        """
        if self._hops == 1:
            return self._inner.find(questions, k=k, pieces=pieces)
        first = self._inner.find(questions, k=max(k, DEPTH), pieces=pieces)
        searches = [_begun(*pair) for pair in zip(questions, first.hits, strict=True)]
        encode, search = first.encode_seconds, first.search_seconds
        for _ in range(self._hops - 1):
            looked = self._look(searches, pieces)
            encode, search = encode + looked.encode_seconds, search + looked.search_seconds
        return TimedHits([each.best(k) for each in searches], encode, search)

    def _look(self, searches: Sequence[_Search], pieces: int) -> TimedHits:
        """One further hop of all questions; names are looked up together, each once."""
        fronts = [search.front() for search in searches]
        leads = self._next_names([search.question for search in searches], fronts)
        for search, front in zip(searches, fronts, strict=True):
            search.followed.update(hit.passage.id for hit in front)
        queries = list(dict.fromkeys(lead.query for row in leads for lead in row))
        if not queries:
            return TimedHits([])
        found = self._inner.find(queries, k=PER_NAME, pieces=pieces)
        hits = dict(zip(queries, found.hits, strict=True))
        for search, row in zip(searches, leads, strict=True):
            for lead in row:
                search.add(lead, hits[lead.query])
        return found


def _begun(question: str, hits: Sequence[Hit]) -> _Search:
    best = max((hit.score for hit in hits), default=0.0)
    own = {hit.passage.id: hit.score / best if best > 0 else 0.0 for hit in hits}
    return _Search(question, {hit.passage.id: hit for hit in hits}, own, dict(own), set())
