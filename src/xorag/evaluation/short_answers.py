"""How many of the short answers that a long answer should hold it does hold."""

from collections.abc import Sequence

from xorag.errors import UsageError
from xorag.evaluation.normalisation import squad_text


def str_em(prediction: str, short_answers: Sequence[Sequence[str]]) -> float:
    """ASQA's STR-EM: share of the questions inside one whose short answer stands in the text.

    As published, letters are compared, not words: "1" stands in "1921".
    Source: Stelmakh et al., 2022, *ASQA*, arXiv 2204.06092, on STR-EM.

    Args:
        prediction: The long answer.
        short_answers: The right wordings of each short answer.

    Raises:
        UsageError: If there is no short answer to look for.

    Examples:
        >>> str_em("In 1921 in Paris, in Rome in 1950.", [["Paris"], ["1950", "fifties"], ["Bonn"]])
        0.6666666666666666
    """
    if not short_answers:
        raise UsageError("STR-EM needs short answers, got 0; leave the question out")
    text = squad_text(prediction)
    return sum(_stands(wordings, text) for wordings in short_answers) / len(short_answers)


def _stands(wordings: Sequence[str], text: str) -> bool:
    return any(wording and wording in text for wording in map(squad_text, wordings))
