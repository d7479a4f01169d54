"""What the measured questions and passages are: made up to a length, or taken from an index.

Knows nothing of time or operations.
"""

import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from xorag.errors import UsageError
from xorag.generation.prompting import PromptBuilder
from xorag.retrieval.encoder import PassageEncoder, titled
from xorag.retrieval.index import PassageIndex
from xorag.types import Hit, Passage

_TEXT = (
    "the old city near river was built by a king who came from north with his people and they "
    "made many houses of stone on both sides water where ships could land after war it became "
    "part new country has large market school museum that is known for its music"
)
_WORDS = _TEXT.split()
_SENTENCE_WORDS = 14
_QUESTION_WORDS = 9  # as of Natural Questions on average


@dataclass(frozen=True, slots=True)
class Material:
    """Questions, and the passages of each, best first."""

    questions: tuple[str, ...]
    hits: tuple[tuple[Hit, ...], ...]
    source: str
    """Where they are from, in words."""


def synthetic_material(
    builder: PromptBuilder,
    encoder: PassageEncoder,
    *,
    count: int,
    k: int,
    passage_tokens: int,
    seed: int = 0,
) -> Material:
    """Make up questions and passages of one length.

    Args:
        builder: Counts the tokens of a passage, its title included.
        encoder: Embeds the passages, as an index would have.
        count: Questions.
        k: Passages of each.
        passage_tokens: Tokens of each passage as text; a few more where a word has several.
        seed: Of the choice of words.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    questions = tuple(synthetic_question(chance) for _ in range(count))
    passages = [
        [synthetic_passage(builder, passage_tokens, chance) for _ in range(k)] for _ in questions
    ]
    source = f"made up, {passage_tokens} tokens a passage, seed {seed}"
    return Material(questions, embedded(passages, encoder), source)


def index_material(
    index: PassageIndex, encoder: PassageEncoder, questions: Sequence[str], k: int
) -> Material:
    """The passages that an index finds for questions, by embedding.

    Raises:
        UsageError: If the index has fewer passages than `k`, or there is no question.
    """
    if not questions:
        raise UsageError("there is no question to measure; name a file that holds some")
    _require_passages(index, k)
    found = index.search_dense(encoder.encode_queries(questions), k)
    source = f"{k} passages found for each question in {str(index.directory)!r}"
    return Material(tuple(questions), tuple(tuple(hits) for hits in found), source)


def first_of_index(index: PassageIndex, *, count: int, k: int, seed: int = 0) -> Material:
    """Made-up questions, each with some of an index's first passages.

    Raises:
        UsageError: If the index has fewer passages than `k`.
    """
    _require_passages(index, k)
    chance = random.Random(seed)  # noqa: S311 - no secret
    rows = (
        Hit(passage, 0.0, embedding)
        for batch in index.stream()
        for passage, embedding in zip(batch.passages, batch.embeddings, strict=True)
    )
    hits = list(islice(rows, count * k))
    by_question = [tuple(hits[(i * k + j) % len(hits)] for j in range(k)) for i in range(count)]
    questions = tuple(synthetic_question(chance) for _ in range(count))
    source = f"the first passages of {str(index.directory)!r}, questions made up, seed {seed}"
    return Material(questions, tuple(by_question), source)


def synthetic_question(chance: random.Random) -> str:
    """A question of a usual length."""
    return f"Who {' '.join(chance.choices(_WORDS, k=_QUESTION_WORDS - 1))}?"


def synthetic_passage(builder: PromptBuilder, tokens: int, chance: random.Random) -> Passage:
    """The shortest run of words, in sentences, that takes at least so many tokens as text."""
    words = chance.choices(_WORDS, k=2 * tokens)
    title = " ".join(chance.choices(_WORDS, k=2)).title()

    def passage(count: int) -> Passage:
        return Passage("made-up", "made-up", title, _sentences(words[:count]), 0)

    sizes = range(1, len(words) + 1)
    at = bisect_left(sizes, tokens, key=lambda count: builder.tokens_as_text(passage(count)))
    return passage(sizes[min(at, len(sizes) - 1)])


def embedded(
    passages: Sequence[Sequence[Passage]], encoder: PassageEncoder
) -> tuple[tuple[Hit, ...], ...]:
    """Passages with their embeddings, as a search would give them."""
    texts = [titled(passage, encoder.spec) for row in passages for passage in row]
    embeddings = iter(encoder.encode_passages(texts))
    return tuple(tuple(Hit(passage, 0.0, next(embeddings)) for passage in row) for row in passages)


def _require_passages(index: PassageIndex, k: int) -> None:
    count = index.passage_count()
    if count < k:
        raise UsageError(
            f"k is {k}, but the index at {str(index.directory)!r} holds {count} passages; give a "
            "smaller -k or a larger index"
        )


def _sentences(words: Sequence[str]) -> str:
    starts = range(0, len(words), _SENTENCE_WORDS)
    runs = (" ".join(words[at : at + _SENTENCE_WORDS]) for at in starts)
    return " ".join(f"{run[0].upper()}{run[1:]}." for run in runs)
