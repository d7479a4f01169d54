"""Which reflection tokens of a training output are control tokens, and what is plain text.

A row's output is one string, in which a passage or an answer may hold the string of a token, too.
A token counts only where the published layout puts one (arXiv 2410.01782 and, for several
segments, 2310.11511): `[No Retrieval]answer[Utility:5]`, or `[Retrieval]<paragraph>text
</paragraph>[Relevant]answer[Fully supported][Utility:5]`. All else is quoted. Knows nothing of
token ids.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xorag.generation.control import Piece, Quoted, Trusted
from xorag.reflection.vocabulary import RELEVANCE_GROUP, SUPPORT_GROUP, UTILITY_GROUP
from xorag.types import ReflectionToken

_TOKEN = re.compile("|".join(re.escape(token) for token in ReflectionToken))
_SEGMENT = (ReflectionToken.RETRIEVAL, ReflectionToken.NO_RETRIEVAL, ReflectionToken.CONTINUE)
_AFTER_SUPPORT = (*_SEGMENT, *UTILITY_GROUP)
_INLINE_SPACE = (" ", "\t")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the string of a token stands, outside of paragraphs."""

    before: str
    """The text since the last control token."""
    after: str
    previous: ReflectionToken | None
    """The last control token."""
    is_judging: bool
    """Whether a passage was judged relevant or not, and its support not yet."""

    @property
    def is_adjacent(self) -> bool:
        """Whether nothing but white space parts it from the last control token."""
        return not self.before.strip()

    def is_followed_by(self, tokens: tuple[ReflectionToken, ...]) -> bool:
        """Whether one of these, or nothing, comes next."""
        after = self.after.lstrip()
        return not after or after.startswith(tokens)


def output_pieces(output: str) -> list[Piece]:
    """A training output as trusted reflection tokens and quoted text."""
    return [piece for piece in _pieces(output) if not isinstance(piece, Quoted) or piece.text]


def _pieces(output: str) -> Iterator[Piece]:
    start, previous, is_judging = 0, None, False
    for match in _TOKEN.finditer(output):
        if match.start() < start:
            continue  # in a paragraph
        token = ReflectionToken(match.group())
        before, after = output[start : match.start()], output[match.end() :]
        if not _RULES[token](_Place(before, after, previous, is_judging)):
            continue
        yield from (Quoted(before), Trusted(token))
        start, previous = match.end(), token
        is_judging = token in RELEVANCE_GROUP or (is_judging and token not in _AFTER_JUDGING)
        if token is ReflectionToken.PARAGRAPH:
            inside, mark, _ = after.partition(ReflectionToken.END_PARAGRAPH)
            yield from (Quoted(inside), Trusted(mark))
            start, previous = start + len(inside) + len(mark), ReflectionToken.END_PARAGRAPH
    yield Quoted(output[start:])


_AFTER_JUDGING = frozenset((*SUPPORT_GROUP, *_AFTER_SUPPORT))


def _retrieves(place: _Place) -> bool:
    return place.is_followed_by((ReflectionToken.PARAGRAPH,))


def _begins_segment(place: _Place) -> bool:
    """Words of an answer have spaces around them, which the published files never put."""
    return not place.before.endswith(_INLINE_SPACE) and not place.after.startswith(_INLINE_SPACE)


def _opens_paragraph(place: _Place) -> bool:
    follows = place.previous in (ReflectionToken.RETRIEVAL, ReflectionToken.END_PARAGRAPH)
    return follows and place.is_adjacent and ReflectionToken.END_PARAGRAPH in place.after


def _judges_relevance(place: _Place) -> bool:
    return place.previous is ReflectionToken.END_PARAGRAPH and place.is_adjacent


def _judges_support(place: _Place) -> bool:
    return place.is_judging and place.is_followed_by(_AFTER_SUPPORT)


def _judges_utility(place: _Place) -> bool:
    return place.is_followed_by(_SEGMENT)


def _never(_place: _Place) -> bool:
    """A closing mark counts only with its opening one, which takes it along."""
    return False


_RULES: Mapping[ReflectionToken, Callable[[_Place], bool]] = MappingProxyType(
    {
        ReflectionToken.RETRIEVAL: _retrieves,
        ReflectionToken.NO_RETRIEVAL: _begins_segment,
        ReflectionToken.CONTINUE: _begins_segment,
        ReflectionToken.PARAGRAPH: _opens_paragraph,
        ReflectionToken.END_PARAGRAPH: _never,
        **dict.fromkeys(RELEVANCE_GROUP, _judges_relevance),
        **dict.fromkeys(SUPPORT_GROUP, _judges_support),
        **dict.fromkeys(UTILITY_GROUP, _judges_utility),
    }
)
