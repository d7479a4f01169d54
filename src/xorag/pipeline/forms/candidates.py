"""The forms that a passage could be read in, each with what it shows and what it costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xorag.data.pieces import cut_into_pieces
from xorag.data.strings import FoundString, Rarity
from xorag.generation.prompting import Context
from xorag.pipeline.answers import CountsTokens
from xorag.pipeline.forms.fixed import best_sentences
from xorag.pipeline.forms.overlap import QuestionWords
from xorag.pipeline.forms.scoring import Sentence, scored_sentences
from xorag.pipeline.forms.strings import Count, candidates, fitting_strings
from xorag.types import MAX_TOKENS_PER_PASSAGE, Form, Hit, Reading

STRINGS_TOKENS = (16, 32)
SENTENCES = (1, 2, 3)


@dataclass(frozen=True)
class Seen:
    """What is known of a passage for a question before its form is chosen."""

    question: str
    hit: Hit
    rarity: Rarity

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Its sentences, scored for the question."""
        return scored_sentences(self.question, self.hit, self.rarity)

    @cached_property
    def strings(self) -> list[FoundString]:
        """Its exact strings that neither its title nor the question says."""
        hit = self.hit
        return candidates(self.question, hit.passage, self.rarity, stored=hit.strings)

    @cached_property
    def overlap(self) -> float:
        """The share of the question's words that it holds, title included, the rare ones more."""
        return QuestionWords(self.question, "", self.rarity).share(self.hit.passage.titled_text)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form that a passage could be read in."""

    label: str
    """The form with how much it shows, such as `sentences2`."""
    reading: Reading
    tokens: int
    """In the prompt."""
    sentences: tuple[Sentence, ...] = ()
    """Those that are shown, or that the strings that are shown come from."""
    amount: int = 0
    """Sentences, or the tokens that strings may take, in those forms."""


@dataclass(frozen=True, slots=True)
class ListsCandidates:
    """Lists the forms of passages for one language model."""

    rarity: Rarity
    count: Count
    counter: CountsTokens
    """The one that words the prompt."""
    tokens: int = 1
    """Soft tokens a passage that the call asks for, besides one."""
    most_tokens: int = MAX_TOKENS_PER_PASSAGE
    """Soft tokens that the projector was trained for."""

    def seen(self, question: str, hits: Sequence[Hit]) -> list[Seen]:
        """What is known of the passages of a question."""
        return [Seen(question, hit, self.rarity) for hit in hits]

    def of(self, seen: Seen, *, is_rich: bool = True) -> list[Candidate]:
        """The forms of a passage.

        Args:
            seen: The passage.
            is_rich: Whether strings and sentences are looked at, which takes milliseconds.
        """
        listed = [Candidate("dropped", Reading(Form.DROPPED), 0), *self._tokens(seen)]
        if is_rich:
            listed += [*self._strings(seen), *self._sentences(seen)]
        text = self.counter.tokens_as_text(seen.hit.passage)
        return [*listed, Candidate("text", Reading(Form.TEXT), text, tuple(seen.sentences))]

    def _tokens(self, seen: Seen) -> Iterator[Candidate]:
        least = least_tokens(seen.hit)
        for tokens in dict.fromkeys((least, *self._more_tokens(seen.hit, least))):
            reading = Reading(Form.TOKEN, min(tokens, MAX_TOKENS_PER_PASSAGE))
            label = "token" if tokens == 1 else f"token{tokens}"
            yield Candidate(label, reading, self._cost(seen.hit, reading, tokens))

    def _more_tokens(self, hit: Hit, least: int) -> Iterator[int]:
        if self.tokens > 1:
            more = len(cut_into_pieces(hit.passage.text, self.tokens))
        else:
            more = 1 if hit.pieces is None else len(hit.pieces)
        if least < more <= self.most_tokens:
            yield more

    def _strings(self, seen: Seen) -> Iterator[Candidate]:
        found = seen.strings
        known: tuple[str, ...] = ()
        for budget in STRINGS_TOKENS if found else ():
            shown = fitting_strings(found, seen.sentences, budget=budget, count=self.count)
            if shown == known:
                continue
            known = shown
            starts = [each.start for each in found if each.text in shown]
            origins = tuple(
                s for s in seen.sentences if any(s.start <= at < s.end for at in starts)
            )
            yield self._showing(seen, Form.STRINGS, budget, shown, origins)

    def _sentences(self, seen: Seen) -> Iterator[Candidate]:
        for count in SENTENCES:
            if count < len(seen.sentences):
                shown = best_sentences(seen.sentences, count)
                kept = tuple(s for s in seen.sentences if s.text in shown)
                yield self._showing(seen, Form.SENTENCES, count, shown, kept)

    def _showing(
        self,
        seen: Seen,
        form: Form,
        amount: int,
        shown: tuple[str, ...],
        sentences: tuple[Sentence, ...],
    ) -> Candidate:
        least = least_tokens(seen.hit)
        reading = Reading(form, min(least, MAX_TOKENS_PER_PASSAGE), shown)
        cost = self._cost(seen.hit, reading, least)
        return Candidate(f"{form.value}{amount}", reading, cost, sentences, amount)

    def _cost(self, hit: Hit, reading: Reading, tokens: int) -> int:
        # Only how many embeddings there are decides what a passage takes.
        embeddings = np.zeros((tokens, 1))
        return self.counter.tokens_of(Context(hit, reading.form, embeddings, reading.shown))


def least_tokens(hit: Hit) -> int:
    """The fewest soft tokens that stand for a passage: one, or more where it is very long."""
    return 1 if hit.embedding is not None or hit.pieces is None else len(hit.pieces)
