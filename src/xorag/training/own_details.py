"""What a restated passage shows of itself beside its soft tokens: drawn, for no question asks.

Knows nothing of embeddings or of the order of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xorag.generation.control import PromptEncoder, Quoted
from xorag.pipeline.forms.fixed import best_sentences
from xorag.pipeline.forms.rarity import VocabularyRarity
from xorag.pipeline.forms.scoring import Sentence, scored_sentences
from xorag.pipeline.forms.strings import candidates, fitting_strings
from xorag.training.forms import TOKEN_ALONE, ShownForm
from xorag.types import Form, Hit, Passage, Reading


@dataclass(frozen=True, slots=True)
class OwnDetails:
    """Draws strings or sentences of passages.

    A question prefers the strings of some sentences, so sentences are put into a drawn order, and
    what is shown is then chosen as a pipeline chooses.
    """

    encoder: PromptEncoder
    rarity: VocabularyRarity
    seed: int
    forms: Sequence[ShownForm] = (TOKEN_ALONE,)

    def reading(self, passage: Passage, form: int, place: int) -> Reading:
        """How a passage is shown.

        Args:
            passage: To restate.
            form: Its place in the list of forms.
            place: Of the example in the order; what is drawn depends on it and the seed alone.
        """
        shown = self.forms[form]
        if shown.form is Form.TOKEN:
            return Reading(Form.TOKEN)
        sentences = self._drawn(passage, place)
        if shown.form is Form.SENTENCES:
            return Reading(shown.form, shown=best_sentences(sentences, shown.amount))
        found = candidates("", passage, self.rarity)
        kept = fitting_strings(found, sentences, budget=shown.amount, count=self._count)
        return Reading(shown.form, shown=kept)

    def _drawn(self, passage: Passage, place: int) -> list[Sentence]:
        """The sentences of a passage with scores that are drawn."""
        generator = np.random.default_rng([self.seed, place])
        sentences = scored_sentences("", Hit(passage, 0.0), self.rarity)
        return [replace(sentence, score=generator.random()) for sentence in sentences]

    def _count(self, text: str) -> int:
        return self.encoder.count([Quoted(text)])
