"""Whether the passages that an answer cites, as in `... in 1921 [1][3].`, bear it out.

Source: Gao et al., 2023, *Enabling Large Language Models to Generate Text with Citations* (ALCE),
arXiv 2305.14627, on citation quality.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from xorag.data.sentences import split_sentences
from xorag.evaluation.normalisation import squad_text

_CITATION = re.compile(r"\s*\[(\d+)\]")
_WORD_SHARE = 0.8
# fmt: off
_FUNCTION_WORDS = frozenset({
    "and", "are", "as", "at", "be", "been", "but", "by", "for", "from", "had", "has", "have", "he",
    "her", "his", "in", "is", "it", "its", "of", "on", "or", "she", "that", "their", "they", "this",
    "to", "was", "were", "which", "who", "with",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class EvidenceJudge:
    """What decides whether evidence supports a statement."""

    name: str
    """Reported with the scores, which mean nothing without it."""
    supports: Callable[[str, str], bool]
    """From the evidence and the statement."""


@dataclass(frozen=True, slots=True)
class CitationScores:
    """Scores of one answer, from 0 to 1."""

    recall: float
    """Share of sentences that their citations together support."""
    precision: float
    """Share of citations that are needed or support their sentence alone; 0 without any."""
    sentence_count: int
    citation_count: int
    judge: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence without its citations, and what it cites."""

    text: str
    cited: tuple[int, ...]
    """Places among the passages from 0, each once; a number that is no passage's lies outside."""


def words_support(evidence: str, statement: str) -> bool:
    """Whether 80 % of a statement's words stand in the evidence, function words left out.

    A comparison of strings and no entailment: it sees neither negation nor who did what to whom.
    """
    wanted = set(squad_text(statement).split()) - _FUNCTION_WORDS
    found = wanted & set(squad_text(evidence).split())
    return bool(wanted) and len(found) >= _WORD_SHARE * len(wanted)


WORDS = EvidenceJudge("80 % of words", words_support)
"""The judge that needs no model. ALCE's own is the entailment model TRUE (T5, 11 billion)."""


def citation_scores(
    prediction: str, passages: Sequence[str], *, judge: EvidenceJudge = WORDS
) -> CitationScores:
    """Citation recall and precision of an answer.

    A sentence counts for recall if it cites and the cited passages together support it. A citation
    of such a sentence counts for precision unless its passage alone does not support the sentence
    and the others without it do. Where a sentence is not supported, none of its citations counts.

    Departs from ALCE's program in that a citation of a passage that is not there counts as wrong
    (it leaves these out), a passage cited twice in a sentence counts once, and an answer without
    a sentence has the scores 0 (it leaves the question out).

    Args:
        prediction: The answer with citations by number from 1 in square brackets.
        passages: Texts in the order of the numbers, with their titles where the judge shall read
            these.
        judge: Decides whether evidence supports a sentence.
    """
    found = statements(prediction)
    supported = needed = 0
    for statement in found:
        cited = _cited_passages(statement, passages)
        if cited and judge.supports("\n".join(cited), statement.text):
            supported += 1
            needed += sum(
                _is_needed(place, cited, statement.text, judge) for place in range(len(cited))
            )
    citation_count = sum(len(statement.cited) for statement in found)
    return CitationScores(
        recall=supported / len(found) if found else 0.0,
        precision=needed / citation_count if citation_count else 0.0,
        sentence_count=len(found),
        citation_count=citation_count,
        judge=judge.name,
    )


def statements(prediction: str) -> list[Statement]:
    """Sentences with what each cites; a citation belongs to the text before it.

    Examples:
        >>> statements("Ada wrote it [2]. It ran. [1][3]")[1]
        Statement(text='It ran.', cited=(0, 2))
    """
    # Cut without the citations, which the splitter would take for the start of a sentence.
    texts, numbers = _CITATION.split(prediction)[::2], _CITATION.findall(prediction)
    ends = list(accumulate(map(len, texts)))
    found: list[Statement] = []
    start = 0
    for sentence in split_sentences("".join(texts)):
        end = start + len(sentence)
        cited = [
            int(number) - 1
            for number, place in zip(numbers, ends[:-1], strict=True)
            if start < place <= end or place == start == 0
        ]
        found.append(Statement(sentence.strip(), tuple(dict.fromkeys(cited))))
        start = end
    return [statement for statement in found if statement.text]


def _cited_passages(statement: Statement, passages: Sequence[str]) -> list[str]:
    """What a sentence cites; nothing where one of its citations is no passage's."""
    if not all(0 <= place < len(passages) for place in statement.cited):
        return []
    return [passages[place] for place in statement.cited]


def _is_needed(place: int, cited: Sequence[str], text: str, judge: EvidenceJudge) -> bool:
    others = [*cited[:place], *cited[place + 1 :]]
    return (
        not others
        or judge.supports(cited[place], text)
        or not judge.supports("\n".join(others), text)
    )
