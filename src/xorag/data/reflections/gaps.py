"""Questions out of passages that came with none: a sentence with a gap, to be filled.

Source: cloze questions as in Lewis et al., 2019, *Unsupervised Question Answering by Cloze
Translation*, arXiv 1906.04980, section 2.1, without the translation. Names and numbers are found
by their letters, so this serves languages that write names with capital letters.
"""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from xorag.data.instructions.matching import normalized
from xorag.data.questions import LabelledPassage, Question
from xorag.data.sentences import split_sentences
from xorag.types import Passage

GAP = "____"
_ASKED = "What belongs in the gap? "
_FEWEST_WORDS, _MOST_WORDS = 8, 40
_MOST_ANSWER_WORDS = 5
# A name may hold small words, as in "University of Oxford"; the first word of a sentence is none.
_SPAN = re.compile(
    r"(?<=\s)(?:[A-Z][\w'-]+(?:\s(?:of|the|de|van|von|and)(?=\s[A-Z]))?"
    r"(?:\s[A-Z][\w'-]+(?:\s(?:of|the|de|van|von|and)(?=\s[A-Z]))?)*|\d[\d.,]*\d|\d)(?!\w)"
)


def gap_questions(passages: Iterable[Passage], rng: np.random.Generator) -> Iterator[Question]:
    """Yield a question for each passage that has a sentence with a name or number to leave out.

    Args:
        passages: Any text; its id makes the question's.
        rng: Decides which sentence and which gap.
    """
    for passage in passages:
        found = [
            (sentence.strip(), span)
            for sentence in split_sentences(passage.text)
            if _FEWEST_WORDS <= len(sentence.split()) <= _MOST_WORDS
            for span in _SPAN.finditer(sentence.strip())
            if len(span.group().split()) <= _MOST_ANSWER_WORDS and normalized(span.group())
        ]
        if not found:
            continue
        sentence, span = found[int(rng.integers(len(found)))]
        asked = f"{_ASKED}{sentence[: span.start()]}{GAP}{sentence[span.end() :]}"
        source = LabelledPassage(passage.title, passage.text, is_supporting=True)
        yield Question(f"own:{passage.id}", asked, (span.group(),), (source,), source="own corpus")
