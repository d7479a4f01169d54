"""One form for all passages of a call: what of each is shown is chosen by the question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorag.data.strings import Rarity
from xorag.pipeline.form_options import Shown
from xorag.pipeline.forms.scoring import Sentence, scored_sentences
from xorag.pipeline.forms.strings import Count, candidates, fitting_strings
from xorag.types import Form, Hit, Mode, Reading


@dataclass(frozen=True, slots=True)
class FixedForm:
    """Reads every passage as the call says; a `ChooseReadings`."""

    reading: Reading
    """Of every passage, without what is shown."""
    shown: Shown
    rarity: Rarity
    count: Count

    def __call__(self, question: str, _mode: Mode, hits: Sequence[Hit]) -> list[Reading]:
        """How each passage is read."""
        if self.reading.form is Form.STRINGS:
            return [self._strings(question, hit) for hit in hits]
        if self.reading.form is Form.SENTENCES:
            return [self._sentences(question, hit) for hit in hits]
        return [self.reading] * len(hits)

    def _strings(self, question: str, hit: Hit) -> Reading:
        found = candidates(question, hit.passage, self.rarity, stored=hit.strings)
        sentences = scored_sentences(question, hit, self.rarity)
        budget = self.shown.strings_tokens
        kept = fitting_strings(found, sentences, budget=budget, count=self.count)
        reason = f"{len(kept)} of {len(found)} strings in {budget} tokens, {_means(hit)}"
        return replace(self.reading, shown=kept, reason=reason)

    def _sentences(self, question: str, hit: Hit) -> Reading:
        sentences = scored_sentences(question, hit, self.rarity)
        kept = best_sentences(sentences, self.shown.sentences)
        reason = f"{len(kept)} of {len(sentences)} sentences, {_means(hit)}"
        return replace(self.reading, shown=kept, reason=reason)


def best_sentences(sentences: Sequence[Sentence], count: int) -> tuple[str, ...]:
    """The sentences that score highest, in the passage's order; the first of equals."""
    best = sorted(sentences, key=lambda each: (-each.score, each.start))[:count]
    return tuple(each.text for each in sorted(best, key=lambda each: each.start))


def _means(hit: Hit) -> str:
    return "by words" if hit.similarities is None else "by words and similarity"
