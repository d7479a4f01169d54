"""What the steps take and return: frozen, named, and free of torch."""

from xorag.types.answers import Answer, Cost, Evidence, Seconds
from xorag.types.generations import Generation, Prompt
from xorag.types.judgements import Critique, GateDecision, GateKind, ReflectionToken
from xorag.types.passages import Document, FloatArray, Hit, Passage, SearchMode
from xorag.types.readings import (
    AUTO,
    MAX_TOKENS_PER_PASSAGE,
    Choice,
    ChooseReadings,
    Form,
    FormOption,
    Mode,
    Reading,
)
from xorag.types.restorations import Restoration, WordKind, WordLosses
from xorag.types.strings import FoundString, StringKind
from xorag.types.verifications import CheckedString, SecondReading, Verification

__all__ = [
    "AUTO",
    "MAX_TOKENS_PER_PASSAGE",
    "Answer",
    "CheckedString",
    "Choice",
    "ChooseReadings",
    "Cost",
    "Critique",
    "Document",
    "Evidence",
    "FloatArray",
    "Form",
    "FormOption",
    "FoundString",
    "GateDecision",
    "GateKind",
    "Generation",
    "Hit",
    "Mode",
    "Passage",
    "Prompt",
    "Reading",
    "ReflectionToken",
    "Restoration",
    "SearchMode",
    "SecondReading",
    "Seconds",
    "StringKind",
    "Verification",
    "WordKind",
    "WordLosses",
]
