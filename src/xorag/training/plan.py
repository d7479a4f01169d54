"""The order of examples, drawn before training starts, so that a resumed run repeats it exactly.

Knows nothing of texts or models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
_BATCHES_SORTED_TOGETHER = 50
"""Batches among which examples are grouped by length: enough to save padding, few enough to
keep the order random."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One example a place: which passage, in which wording, and against which other passage."""

    passages: IntArray
    """Places in the list of passages, `(examples,)`."""
    wrong_passages: IntArray
    """Another passage than that one, `(examples,)`."""
    instructions: IntArray
    """Which wording, `(examples,)`."""
    rates: IntArray
    """Soft tokens that stand for the passage, `(examples,)`."""
    forms: IntArray
    """In which form it is shown, `(examples,)`; 0: as soft tokens alone."""

    def __len__(self) -> int:
        return len(self.passages)


@dataclass(frozen=True, slots=True)
class FormShare:
    """A form of passages, as far as the order of examples is concerned."""

    weight: float = 1.0
    """How often it is drawn, relative to the others."""
    tokens: int = 0
    """That a passage takes in it beside its soft tokens, or so."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What is drawn for each example beside its place in the order."""

    wordings: int = 1
    """How many there are."""
    rates: Sequence[int] = (1,)
    """Soft tokens a passage."""
    forms: Sequence[FormShare] = (FormShare(),)


_ONE_OF_EACH = Choices()


def draw_plan(
    lengths: IntArray,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    choices: Choices = _ONE_OF_EACH,
    units: IntArray | None = None,
) -> Plan:
    """Draw the order of some epochs, in batches of similar length.

    Args:
        lengths: Of each passage in tokens or so, without its soft tokens, `(passages,)`.
        epochs: How often each passage comes.
        batch_size: Examples of a step, over all processes and accumulated passes.
        seed: Of all that is drawn.
        choices: What there is to draw from.
        units: Passages of each example, each of which takes as many soft tokens as the rate says
            and as many spaces, `(passages,)`; unset, one.
    """
    generator = np.random.default_rng(seed)
    # Apart, so that what else a seed draws does not depend on the forms.
    form_generator = np.random.default_rng([seed, 1])
    form_tokens = np.array([form.tokens for form in choices.forms], np.int64)
    parted = np.ones_like(lengths) if units is None else units
    order: list[IntArray] = []
    rates: list[IntArray] = []
    forms: list[IntArray] = []
    for _ in range(epochs):
        rate = _draw_rates(len(lengths), choices.rates, generator)
        form = _draw_forms(len(lengths), choices.forms, form_generator)
        read = lengths + parted * (2 * rate + form_tokens[form])
        order.append(_grouped_by_length(read, batch_size, generator))
        rates.append(rate[order[-1]])
        forms.append(form[order[-1]])
    passages = np.concatenate(order)
    shift = generator.integers(1, len(lengths), size=len(passages))
    return Plan(
        passages,
        (passages + shift) % len(lengths),
        generator.integers(0, choices.wordings, size=len(passages)),
        np.concatenate(rates),
        np.concatenate(forms),
    )


def fixed_plan(count: int, rate: int = 1, form: int = 0) -> Plan:
    """Every passage once in its order, first wording, against the next: to evaluate by."""
    passages = np.arange(count, dtype=np.int64)
    return Plan(
        passages,
        np.roll(passages, -1),
        np.zeros(count, np.int64),
        np.full(count, rate),
        np.full(count, form),
    )


def _draw_rates(count: int, rates: Sequence[int], generator: np.random.Generator) -> IntArray:
    if len(rates) == 1:
        return np.full(count, rates[0], np.int64)
    return generator.choice(np.asarray(rates, np.int64), size=count)


def _draw_forms(count: int, forms: Sequence[FormShare], generator: np.random.Generator) -> IntArray:
    weights = np.array([form.weight for form in forms], np.float64)
    return generator.choice(len(forms), size=count, p=weights / weights.sum()).astype(np.int64)


def _grouped_by_length(
    lengths: IntArray, batch_size: int, generator: np.random.Generator
) -> IntArray:
    order = generator.permutation(len(lengths)).astype(np.int64)
    window = batch_size * _BATCHES_SORTED_TOGETHER
    batches: list[IntArray] = []
    for start in range(0, len(order), window):
        group = order[start : start + window]
        group = group[np.argsort(lengths[group], kind="stable")]
        batches += [group[i : i + batch_size] for i in range(0, len(group), batch_size)]
    whole = [batch for batch in batches if len(batch) == batch_size]
    rest = [batch for batch in batches if len(batch) < batch_size]
    shuffled = [whole[i] for i in generator.permutation(len(whole))]
    return np.concatenate([*shuffled, *rest])
