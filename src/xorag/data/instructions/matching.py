"""Whether a passage holds an answer, and which of several answers an example should give.

A passage that holds an answer's words in a row, in lower case, is taken to give it, as in the
distant supervision of DPR (Karpukhin et al. 2020, section 4.2); punctuation and articles are left
out as for SQuAD (Rajpurkar et al. 2016, section 6.1). Knows nothing of data sets.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

_MARKS = re.compile(r"[^\w\s]|_")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_VERDICTS = frozenset({"yes", "no", "true", "false", "supports", "refutes", "noanswer"})


@lru_cache(maxsize=4096)  # a passage is asked for each of dozens of aliases
def normalized(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces."""
    spaced = _MARKS.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_ARTICLES.sub(" ", spaced).split())


def holds_answer(text: str, answers: Iterable[str]) -> bool:
    """Whether any answer stands in a text, as whole words."""
    haystack = f" {normalized(text)} "
    return any(f" {needle} " in haystack for answer in answers if (needle := normalized(answer)))


def is_verdict(answers: Sequence[str]) -> bool:
    """Whether an answer is only yes or no, which cannot be looked for in a passage."""
    return bool(answers) and normalized(answers[0]) in _VERDICTS


def pick_answer(question: str, answers: Sequence[str], texts: Sequence[str]) -> str:
    """The answer that an example gives: the first one, if the texts hold it as it is written.

    Otherwise the longest of those that they do, such as one of many aliases. Failing that, case,
    marks and articles are overlooked. An answer that the question itself names comes last.

    Args:
        question: As asked.
        answers: All right ones, at least one; the preferred one first.
        texts: From which the answer is to be read.
    """
    found = [answer for answer in answers if any(holds_answer(text, [answer]) for text in texts)]
    telling = [answer for answer in found if not holds_answer(question, [answer])] or found
    verbatim = [answer for answer in telling if any(_is_in(answer, text) for text in texts)]
    best = verbatim or telling
    if not best or answers[0] in best:
        return answers[0]
    return max(best, key=len)


def _is_in(answer: str, text: str) -> bool:
    """Whether an answer stands in a text letter by letter, as whole words."""
    return re.search(rf"(?<!\w){re.escape(answer.strip())}(?!\w)", text) is not None
