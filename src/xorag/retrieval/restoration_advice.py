"""What to do about what soft tokens lose, in sentences.

Knows nothing of passages beyond their summary.
"""

from collections.abc import Iterator

from xorag.retrieval.restoration_summary import FEW, RestorationSummary
from xorag.types import WordKind

HARDLY = 0.05
"""Share restored below which a token hardly tells its passage from another."""
DETAIL_FACTOR = 0.75
"""Numbers, or names, are lost where less than this part of all words' share is restored."""
LENGTH_FACTOR = 0.8
"""Longer passages that keep less than this share of what shorter ones keep lose by their length."""
MISLED = 0.02
"""Share of passages whose token tells no more than another's that is worth a sentence."""


def advice(
    summary: RestorationSummary, *, piece_count: int, has_strings: bool, passages: int
) -> list[str]:
    """What follows from a summary, the most important first.

    Args:
        summary: Of the index.
        piece_count: Into how many pieces passages are cut whose embeddings are stored; 0: none.
        has_strings: Whether strings are stored.
        passages: Of the index, measured or not.
    """
    return [
        *_about_all(summary),
        *_about_details(summary, has_strings=has_strings),
        *_about_length(summary, piece_count),
        *_about_measuring(summary, passages),
    ]


def _about_all(summary: RestorationSummary) -> Iterator[str]:
    whole = summary.kinds[0]
    if whole.median < HARDLY:
        yield (
            f"half of the tokens restore less than {_percent(whole.median)} of what another's "
            "leaves open: train the projector on this corpus (`xorag train projector`), or read "
            "its passages as text (`--mode text`)"
        )
    misled = whole.histogram[0]
    if misled > MISLED * summary.measured:
        yield (
            f"{misled} of {summary.measured} passages are told no better by their own token than "
            "by another's: `--form auto` reads as text what a question needs of them"
        )


def _about_details(summary: RestorationSummary, *, has_strings: bool) -> Iterator[str]:
    of = {kind.kind: kind for kind in summary.kinds}
    whole, rest = summary.kinds[0], of[WordKind.REST]
    kept = "" if has_strings else " (`xorag index --strings` keeps them in a new index)"
    for kind in (WordKind.NUMBERS, WordKind.NAMES):
        found = of[kind]
        is_lost = found.own > rest.own or found.restored < DETAIL_FACTOR * whole.restored
        if found.tokens and is_lost:
            yield (
                f"of {kind.value} the own soft token restores {_percent(found.restored)} and "
                f"leaves {found.own:.1f} nats a token, of other words {_percent(rest.restored)} "
                f"and {rest.own:.1f}: where questions ask for {kind.value}, show them beside the "
                f"token with `--form strings` or `--form auto`{kept}"
            )


def _about_length(summary: RestorationSummary, piece_count: int) -> Iterator[str]:
    if summary.long_restored < LENGTH_FACTOR * summary.short_restored:
        pieces = (
            f"ask with `--tokens-per-passage {piece_count}`"
            if piece_count
            else "keep more tokens a passage (`xorag index --pieces 4`, then "
            "`--tokens-per-passage 4`) or index with fewer `--chunk-tokens`"
        )
        yield (
            f"the longer half of the passages is restored by {_percent(summary.long_restored)}, "
            f"the shorter by {_percent(summary.short_restored)}: {pieces}"
        )


def _about_measuring(summary: RestorationSummary, passages: int) -> Iterator[str]:
    if summary.measured < min(FEW, passages):
        yield (
            f"only {summary.measured} of {passages} passages are measured: "
            f"`xorag index --index DIR --restoration --restoration-limit {FEW}` measures more"
        )
    if summary.outdated:
        yield (
            f"{summary.outdated} passages were measured with other models and are left out: "
            "`xorag index --index DIR --restoration` measures them again"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
