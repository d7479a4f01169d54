"""What the steps take and return: frozen, named, and free of torch."""

from xorag.types.answers import Answer, Cost, Evidence, Seconds
from xorag.types.generations import Generation, Prompt
from xorag.types.judgements import Critique, GateDecision, GateKind, ReflectionToken
from xorag.types.passages import Document, FloatArray, Hit, Passage, SearchMode
from xorag.types.readings import MAX_TOKENS_PER_PASSAGE, ChooseReadings, Form, Mode, Reading
from xorag.types.verifications import CheckedString, SecondReading, Verification

__all__ = [
    "MAX_TOKENS_PER_PASSAGE",
    "Answer",
    "CheckedString",
    "ChooseReadings",
    "Cost",
    "Critique",
    "Document",
    "Evidence",
    "FloatArray",
    "Form",
    "GateDecision",
    "GateKind",
    "Generation",
    "Hit",
    "Mode",
    "Passage",
    "Prompt",
    "Reading",
    "ReflectionToken",
    "SearchMode",
    "SecondReading",
    "Seconds",
    "Verification",
]
