"""ROUGE-L over sentences, with the numbers of the PyPI package `rouge` 1.0.1.

Computed here because that package raises on an empty prediction and on sentences of some
thousand words, and either would lose a whole set (decision 010). A test holds the two together.
"""

from collections.abc import Sequence

_EPSILON = 1e-8  # the package adds it to the sum of precision and recall


def rouge_l_score(prediction: str, answer: str) -> float:
    """F1 of the union longest common subsequence, 0 where either text is empty.

    As the package does: sentences end at each full stop, case and punctuation stay, a word counts
    once however often it stands.
    Source: Lin, 2004, *ROUGE*, section 3.2 (summary level).
    """
    predicted, wanted = _sentences(prediction), _sentences(answer)
    if not predicted or not wanted:
        return 0.0
    union = {
        word
        for wanted_sentence in wanted
        for predicted_sentence in predicted
        for word in _common_words(wanted_sentence, predicted_sentence)
    }
    precision = len(union) / len(set().union(*predicted))
    recall = len(union) / len(set().union(*wanted))
    return 2 * precision * recall / (precision + recall + _EPSILON)


def _sentences(text: str) -> list[list[str]]:
    """Words of each sentence; white space between two full stops is one empty word, as there."""
    return [" ".join(part.split()).split(" ") for part in text.split(".") if part]


def _common_words(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """A longest common subsequence; of several, the one that the package takes."""
    lengths = _common_lengths(first, second)
    words: list[str] = []
    i, j = len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            words.append(first[i - 1])
            i, j = i - 1, j - 1
        elif lengths[i - 1][j] > lengths[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return words


def _common_lengths(first: Sequence[str], second: Sequence[str]) -> list[list[int]]:
    """Length of the longest common subsequence of each two beginnings, `(first+1, second+1)`."""
    lengths = [[0] * (len(second) + 1)]
    for word in first:
        above, row = lengths[-1], [0]
        for j, other in enumerate(second):
            row.append(above[j] + 1 if word == other else max(above[j + 1], row[j]))
        lengths.append(row)
    return lengths
