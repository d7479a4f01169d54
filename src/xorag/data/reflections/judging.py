"""The labels of an answer: how far passages support it, and how useful it is.

Support is read off the words: an answer that stands in no passage has none, and where a label only
means that a passage holds the answer's words (distant supervision), the sentences around them must
share words with the question. Utility is the answer's F1, as far as it is supported. Both follow
the tokens' meaning in arXiv 2310.11511, table 1.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from xorag.data.instructions.matching import holds_answer, is_verdict, normalized
from xorag.data.questions import LabelledPassage, Question
from xorag.data.reflections.rows import UTILITY
from xorag.data.sentences import split_sentences
from xorag.types import ReflectionToken

ENOUGH_EVIDENCE = 0.3
"""Share of the question's words that the sentences around an answer must have."""
TRUST: Mapping[ReflectionToken, float] = MappingProxyType(
    {
        ReflectionToken.FULLY: 1.0,
        ReflectionToken.PARTIALLY: 0.7,
        ReflectionToken.NO_SUPPORT: 0.3,
    }
)
"""How much of an answer's F1 counts as useful, by its support."""
DISTANT = "distant"
_STEM = 5
_FUNCTION_WORDS = (
    "about and are as at be been by can did do does during following for from had has have he her"
    " him his how in into is it its known many much name named not of on one or other s she than"
    " that their them then there these they this to used was were what when where which who whom"
    " whose why will with would you your"
)
_STOPWORDS = frozenset(_FUNCTION_WORDS.split())


def support_of(
    question: Question, answer: str, passages: Sequence[LabelledPassage], *, is_whole: bool
) -> ReflectionToken:
    """How far passages support an answer.

    Args:
        question: With its answers; how its passages were labelled decides how far they are trusted.
        answer: The one that the row gives.
        passages: Those that are shown.
        is_whole: Whether all that the answer needs is among them.
    """
    if is_verdict([answer]):
        return ReflectionToken.FULLY if is_whole else ReflectionToken.PARTIALLY
    holders = [p for p in passages if holds_answer(f"{p.title} {p.text}", [answer])]
    if not holders:
        return ReflectionToken.NO_SUPPORT
    is_weak = question.support == DISTANT and all(
        evidence_share(question.question, answer, passage) < ENOUGH_EVIDENCE for passage in holders
    )
    return ReflectionToken.FULLY if is_whole and not is_weak else ReflectionToken.PARTIALLY


def evidence_share(question: str, answer: str, passage: LabelledPassage) -> float:
    """Share of the question's words near an answer: in its sentence, the one before, the title.

    Words count by their first five letters, and function words and the answer's own not at all.
    Returns 1 where the question has no other words.
    """
    wanted = _stems(question) - _stems(answer)
    if not wanted:
        return 1.0
    sentences = ["", *split_sentences(passage.text)]
    near = [f"{a} {b}" for a, b in pairwise(sentences) if holds_answer(b, [answer])]
    near += [passage.text] if holds_answer(passage.title, [answer]) else []
    shared = [len(wanted & _stems(f"{passage.title} {text}")) for text in near]
    return max(shared, default=0) / len(wanted)


def utility_of(
    answer: str, answers: Iterable[str], support: ReflectionToken | None = None
) -> ReflectionToken:
    """The best F1 of words with a right answer, in five equal steps.

    An answer that passages do not support is most often wrong when the reader itself gives it, so
    its F1 counts by how far it is supported. Without passages (None) it counts whole: there, the
    answer is known to be the model's own.
    """
    best = max((word_f1(answer, right) for right in answers), default=0.0)
    trusted = 1.0 if support is None else TRUST[support]
    return UTILITY[min(4, int(best * trusted * 5))]


def word_f1(given: str, right: str) -> float:
    """F1 of the words of two texts (Rajpurkar et al., 2016, arXiv 1606.05250, section 6.1).

    Examples:
        >>> word_f1("New York", "New York City")
        0.8
    """
    first, second = normalized(given).split(), normalized(right).split()
    shared = (Counter(first) & Counter(second)).total()
    return 2 * shared / (len(first) + len(second)) if shared else 0.0


def _stems(text: str) -> set[str]:
    return {word[:_STEM] for word in normalized(text).split() if word not in _STOPWORDS}
