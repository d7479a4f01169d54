"""Exact strings of a text that a soft token loses: numbers, dates, codes, names, rare terms.

Pure text, in any language that has digits or capital letters; no model and no list of names.
"""

from xorag.data.strings.finding import find_strings
from xorag.data.strings.rarity import Rarity
from xorag.types import FoundString, StringKind

__all__ = ["FoundString", "Rarity", "StringKind", "find_strings"]
