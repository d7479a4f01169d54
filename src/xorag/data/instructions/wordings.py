"""The user's turn of an instruction example, in several wordings of which one is drawn.

All wordings are our own. A question is asked plainly, since the background is put in front of the
turn in training. Knows nothing of questions' passages.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import numpy as np

_SLOT = "{text}"


class TaskType(StrEnum):
    """What an example asks for."""

    QA = "qa"
    """A short answer to a question."""
    READING = "reading"
    """A short answer to a question that was written about its passage."""
    CLAIM = "claim"
    """Whether a claim is true."""
    SUMMARY = "summary"
    """The passage in brief."""


UNSETTLED = "Not enough information"
"""The answer to a claim on which no passage bears."""

WORDINGS: Mapping[TaskType, tuple[str, ...]] = MappingProxyType(
    {
        TaskType.QA: (
            "Question: {text}\nAnswer with a few words.",
            "Answer the question with a few words.\n\nQuestion: {text}",
            "Question: {text}\nGive a short answer.",
            "Give the answer only, without a sentence around it.\n\nQuestion: {text}",
            "Question: {text}\nName the answer and nothing else.",
            "Reply as briefly as possible.\n\nQuestion: {text}",
            "Question: {text}\nShort answer:",
            "Question: {text}",
        ),
        TaskType.READING: (
            "Question: {text}\nAnswer with words of the text.",
            "Answer the question with a few words.\n\nQuestion: {text}",
            "Question: {text}\nGive the words that answer it.",
            "Find the answer in the text and give it in a few words.\n\nQuestion: {text}",
            "Question: {text}\nWhat does the text say? Answer briefly.",
            "Read closely and give a short answer.\n\nQuestion: {text}",
            "Question: {text}\nShort answer:",
        ),
        TaskType.CLAIM: (
            'Claim: {text}\nIs the claim true? Answer with "True" or "False".',
            'Is the claim true? Answer with "True" or "False".\n\nClaim: {text}',
            "Claim: {text}\nTrue or False?",
            'Check the claim and answer "True" or "False".\n\nClaim: {text}',
            'Claim: {text}\nSay "True" if it is right, and "False" if it is wrong.',
            'Decide whether this holds, with "True" or "False".\n\nClaim: {text}',
            'Claim: {text}\nVerdict ("True" or "False"):',
        ),
        TaskType.SUMMARY: (
            "Sum up the text.",
            "Write a short summary of the text.",
            "What is the text about? Answer in a few sentences.",
            "Tell in brief what the text says.",
            "Give the main points of the text.",
            "Condense the text into a summary.",
            "Summarise the document.",
        ),
    }
)
"""At least six a task; each holds `{text}` once, save those of summaries, which need none."""

OPEN_CLAIM_WORDINGS = (
    'Claim: {text}\nAnswer with "True", "False" or "Not enough information".',
    'Is the claim true? Say "True", "False" or "Not enough information".\n\nClaim: {text}',
    "Claim: {text}\nTrue, False or Not enough information?",
    'Claim: {text}\nSay "Not enough information" if the passages do not settle whether it is '
    '"True" or "False".',
    'Judge by the passages alone: "True", "False" or "Not enough information".\n\nClaim: {text}',
    'Claim: {text}\nVerdict ("True", "False" or "Not enough information"):',
)
"""For claims of which some stand over passages that do not settle them."""


def word_turn(wordings: tuple[str, ...], text: str, rng: np.random.Generator) -> str:
    """Draw a wording and put the question or claim in its place."""
    wording = wordings[int(rng.integers(len(wordings)))]
    before, slot, after = wording.partition(_SLOT)  # not `format`: a question may hold braces
    return before + text + after if slot else wording
