"""Chooses one option of each passage under a budget: the multiple-choice knapsack, greedily.

Knows nothing of passages: an option is a cost and a gain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be taken once."""

    cost: int
    gain: float


def choose_within(budget: int, options: Sequence[Sequence[Option]]) -> list[int]:
    """The place of the option that each class takes, so that their costs stay in the budget.

    Each class begins with its cheapest option and is raised step by step along its upper hull,
    the step with the most gain for its cost first (Sinha and Zoltners, 1979, *The
    Multiple-Choice Knapsack Problem*, Operations Research 27(3)). Steps that no longer fit are
    passed over; what is then left goes to any option that still fits. Where one option alone
    beats that, it is taken: so the gain is at least half of the best possible one. The same
    input gives the same choice, and of equals the first class is served.

    Args:
        budget: The most that all cost together.
        options: Of each class, at least one; the cheapest of each must fit in together.

    Returns:
        Places in `options`, one a class.
    """
    start = [_cheapest(row) for row in options]
    taken = _filled(budget, options, _by_steps(budget, options, start))
    alone = _filled(budget, options, _best_alone(budget, options, start))
    return max(taken, alone, key=lambda places: _gain(options, places))


def upper_hull(options: Sequence[Option]) -> list[int]:
    """Places of the options that no mixture of two others beats, the cheapest first.

    Each step along them costs more, gains more, and gains less for its cost than the one before.
    """
    hull: list[int] = []
    order = sorted(range(len(options)), key=lambda i: (options[i].cost, -options[i].gain))
    for place in order:
        if hull and options[place].gain <= options[hull[-1]].gain:
            continue
        while len(hull) > 1 and (
            _slope(options, hull[-2], hull[-1]) <= _slope(options, hull[-1], place)
        ):
            hull.pop()
        hull.append(place)
    return hull


def _by_steps(budget: int, options: Sequence[Sequence[Option]], start: Sequence[int]) -> list[int]:
    taken = list(start)
    left = budget - _cost(options, taken)
    closed: set[int] = set()
    for _, number, before, after in sorted(_steps(options)):
        row = options[number]
        cost = row[after].cost - row[before].cost
        if number in closed:
            continue
        if cost > left:
            # A later step of this class would pass over this one.
            closed.add(number)
            continue
        taken[number] = after
        left -= cost
    return taken


def _steps(options: Sequence[Sequence[Option]]) -> Iterator[tuple[float, int, int, int]]:
    """Of each step its gain for its cost, negated, its class, and the places that it joins."""
    for number, row in enumerate(options):
        for before, after in pairwise(upper_hull(row)):
            yield -_slope(row, before, after), number, before, after


def _best_alone(
    budget: int, options: Sequence[Sequence[Option]], start: Sequence[int]
) -> list[int]:
    """The cheapest of each class, but of one the option that gains most."""
    left = budget - _cost(options, start)
    best, best_gain = list(start), 0.0
    for number, row in enumerate(options):
        own = row[start[number]]
        for place, option in enumerate(row):
            if option.cost - own.cost <= left and option.gain - own.gain > best_gain:
                best = [*start[:number], place, *start[number + 1 :]]
                best_gain = option.gain - own.gain
    return best


def _filled(budget: int, options: Sequence[Sequence[Option]], taken: Sequence[int]) -> list[int]:
    """The same, with what is left of the budget spent on the largest gains that fit."""
    filled = list(taken)
    left = budget - _cost(options, filled)
    rises = sorted(
        (-(option.gain - row[filled[number]].gain), number, place)
        for number, row in enumerate(options)
        for place, option in enumerate(row)
        if option.gain > row[filled[number]].gain and option.cost - row[filled[number]].cost <= left
    )
    for _, number, place in rises:
        row = options[number]
        rise = row[place].cost - row[filled[number]].cost
        if rise <= left and row[place].gain > row[filled[number]].gain:
            filled[number] = place
            left -= rise
    return filled


def _cheapest(row: Sequence[Option]) -> int:
    return upper_hull(row)[0]


def _slope(options: Sequence[Option], before: int, after: int) -> float:
    cost = options[after].cost - options[before].cost
    return (options[after].gain - options[before].gain) / cost


def _cost(options: Sequence[Sequence[Option]], taken: Sequence[int]) -> int:
    return sum(row[place].cost for row, place in zip(options, taken, strict=True))


def _gain(options: Sequence[Sequence[Option]], taken: Sequence[int]) -> float:
    return sum(row[place].gain for row, place in zip(options, taken, strict=True))
