"""What a reader is put together from, wherever it was read.

Knows nothing of files.
"""

from dataclasses import dataclass

import torch

from xorag.artifact.manifest import Manifest
from xorag.errors import ReaderMismatchError
from xorag.generation.reader.experts import Experts
from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.runtime.loading import LanguageModel


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a reader computes."""

    device: torch.device
    dtype: torch.dtype
    attention: str | None = None
    """transformers' attention implementation; None: its choice."""


@dataclass(frozen=True, slots=True)
class ReaderParts:
    """A reader whose experts are not in place yet."""

    language: LanguageModel
    """Dense, with LoRA folded in and the rows of the reflection tokens."""
    experts: Experts
    vocabulary: ReflectionVocabulary
    manifest: Manifest | None
    """None for a published checkpoint."""


def vocabulary_of(language: LanguageModel) -> ReflectionVocabulary:
    """The ids of the reflection tokens, each of which must have a row.

    Raises:
        ReflectionError: If the tokenizer lacks some.
        ReaderMismatchError: If the model has fewer rows than the tokenizer has ids.
    """
    vocabulary = ReflectionVocabulary.of(language.tokenizer)
    rows, last = (
        int(language.model.config.get_text_config().vocab_size),
        max(vocabulary.ordered_ids),
    )
    if last >= rows:
        raise ReaderMismatchError(
            f"the tokenizer gives a reflection token the id {last}, but the embeddings of "
            f"{language.name!r} have {rows} rows; give the tokenizer that belongs to this reader"
        )
    return vocabulary
