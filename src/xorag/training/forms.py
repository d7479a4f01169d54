"""The forms in which training shows passages, with what each shows chosen as a pipeline chooses.

Knows nothing of the order of examples or of losses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xorag.config.form_mix import FormMixOptions, ParagraphMixOptions, ShownAmounts
from xorag.generation.prompting import Context, PromptBuilder
from xorag.pipeline.forms.choosing import Forms
from xorag.pipeline.options import Asking, checked
from xorag.pipeline.reading import chosen_readings, given_hits
from xorag.retrieval.timed import TimedEmbedder, TimedHits
from xorag.training.embeddings import EmbedPassages
from xorag.training.plan import FormShare
from xorag.types import FloatArray, Form, Passage, Reading

_TITLE_TOKENS = 6
_SENTENCE_TOKENS = 34
"""Tokens of a usual title and sentence, by which batches are grouped."""


@dataclass(frozen=True, slots=True)
class ShownForm:
    """A form, and how much of a passage it shows."""

    form: Form
    weight: float = 1.0
    """How often it is drawn, relative to the others."""
    amount: int = 0
    """Tokens of strings, or sentences; 0: nothing is shown."""

    @property
    def name(self) -> str:
        """Such as `strings32`."""
        return f"{self.form.value}{self.amount or ''}"

    @property
    def share(self) -> FormShare:
        """What the order of examples has to know of it."""
        if self.form is Form.STRINGS:
            return FormShare(self.weight, _TITLE_TOKENS + self.amount)
        if self.form is Form.SENTENCES:
            return FormShare(self.weight, _TITLE_TOKENS + self.amount * _SENTENCE_TOKENS)
        return FormShare(self.weight)

    @property
    def asking(self) -> Asking:
        """What a call would ask for."""
        if self.form is Form.STRINGS:
            return checked(form=self.form, strings_tokens=self.amount)
        if self.form is Form.SENTENCES:
            return checked(form=self.form, sentences=self.amount)
        return checked(form=self.form)


TOKEN_ALONE = ShownForm(Form.TOKEN)


def shown_forms(options: FormMixOptions) -> list[ShownForm]:
    """The forms that a recipe names: soft tokens alone first, drawn or not, then the others."""
    weights = options.forms
    showing = _showing(weights.strings, weights.sentences, options)
    return [ShownForm(Form.TOKEN, weights.token), *showing]


def paragraph_forms(options: ParagraphMixOptions) -> list[ShownForm]:
    """The forms of a reader's paragraphs: text first, drawn or not, then the others."""
    weights = options.forms
    showing = _showing(weights.strings, weights.sentences, options)
    return [ShownForm(Form.TEXT, weights.text), *showing]


def trained_forms(forms: Sequence[ShownForm]) -> list[str]:
    """The names of those forms that are drawn."""
    return sorted({form.form.value for form in forms if form.weight})


def _showing(strings: float, sentences: float, amounts: ShownAmounts) -> Iterator[ShownForm]:
    for form, weight, of_form in (
        (Form.STRINGS, strings, amounts.strings_tokens),
        (Form.SENTENCES, sentences, amounts.sentences),
    ):
        if weight:
            yield from (ShownForm(form, weight / len(of_form), amount) for amount in of_form)


@dataclass(frozen=True, slots=True)
class ChosenDetails:
    """Chooses by a question what is shown of its passages, exactly as a pipeline does."""

    choosing: Forms
    builder: PromptBuilder
    forms: Sequence[ShownForm] = (TOKEN_ALONE,)
    embedder: TimedEmbedder | None = None
    """Encodes sentences that no word of the question chooses, as a pipeline's does."""

    def readings(self, question: str, passages: Sequence[Passage], form: int) -> list[Reading]:
        """How each passage is shown.

        Args:
            question: That chooses.
            passages: In reading order.
            form: Its place in the list of forms.
        """
        asking = self.forms[form].asking
        found = TimedHits([given_hits(passages)])
        (hits,) = self.choosing.compared([question], found, asking, self.embedder).hits
        return chosen_readings(
            question, asking.mode, hits, self.choosing.chooser(asking, None, self.builder)
        )


@dataclass(frozen=True, slots=True)
class StudentPassages:
    """Puts the passages of examples into the forms that the student reads."""

    embed: EmbedPassages
    details: ChosenDetails

    def contexts(
        self,
        questions: Sequence[str | None],
        passages: Sequence[Sequence[Passage]],
        rates: Sequence[int],
        forms: Sequence[int],
    ) -> list[list[Context]]:
        """The passages of each example in its form, with the embeddings of their soft tokens.

        Args:
            questions: Of each example; one without a question has soft tokens alone.
            passages: Of each example, in reading order.
            rates: Soft tokens a passage, of each example.
            forms: Places in the list of forms, of each example.
        """
        rows = iter(self.embeddings(passages, rates))
        return [
            [
                Context(hit, reading.form, next(rows), reading.shown)
                for hit, reading in zip(
                    given_hits(own), self._readings(question, own, form), strict=True
                )
            ]
            for question, own, form in zip(questions, passages, forms, strict=True)
        ]

    def embeddings(
        self, passages: Sequence[Sequence[Passage]], rates: Sequence[int]
    ) -> list[FloatArray]:
        """Of all passages in order, `(soft tokens, width)` each."""
        each_rate = [rate for own, rate in zip(passages, rates, strict=True) for _ in own]
        return self.embed([passage for own in passages for passage in own], each_rate)

    def _readings(
        self, question: str | None, passages: Sequence[Passage], form: int
    ) -> list[Reading]:
        """What is shown of each passage, chosen by the question."""
        if question is None or self.details.forms[form].form is Form.TOKEN:
            return [Reading(Form.TOKEN)] * len(passages)
        return self.details.readings(question, passages, form)
