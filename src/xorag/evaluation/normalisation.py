"""How texts are made comparable: SQuAD's way, and DPR's way of cutting into tokens."""

import re
import string
import unicodedata
from itertools import groupby

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_WORD, _SPACE, _MARK = "word", "space", "mark"
_KIND_BY_CATEGORY = {"L": _WORD, "N": _WORD, "M": _WORD, "Z": _SPACE, "C": _SPACE}


def squad_text(text: str) -> str:
    """A text in lower case without ASCII punctuation, English articles and double spaces.

    Source: Rajpurkar et al., 2016, arXiv 1606.05250, section 6.1 and the official script.

    Examples:
        >>> squad_text("The  U.S. Navy, of a kind")
        'us navy of kind'
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def dpr_tokens(text: str) -> list[str]:
    """Runs of letters, digits and accents, and each other mark by itself; in lower case, NFD.

    Nothing is dropped but white space and control characters.
    Source: Chen et al., 2017, arXiv 1704.00051 (its SimpleTokenizer), used by Karpukhin et al.,
    2020, arXiv 2004.04906, to decide whether a text holds an answer.

    Examples:
        >>> dpr_tokens("motel-6 at 3,000 m")
        ['motel', '-', '6', 'at', '3', ',', '000', 'm']
    """
    tokens: list[str] = []
    for kind, run in groupby(unicodedata.normalize("NFD", text), _kind):
        if kind == _WORD:
            tokens.append("".join(run).lower())
        elif kind == _MARK:
            tokens.extend(mark.lower() for mark in run)
    return tokens


def _kind(character: str) -> str:
    return _KIND_BY_CATEGORY.get(unicodedata.category(character)[0], _MARK)
