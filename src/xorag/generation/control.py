"""Encode prompts so that only trusted text makes control tokens.

A control token is an added token of the tokenizer that is more than white space: chat marks,
end of text, placeholders, reflection tokens. The whole prompt is encoded as one string, so that
benign text gets the ids that it always gets; where a question or a passage holds the string of a
control token, that string is broken by a marker whose id is taken out again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise
from typing import Any

from transformers import AddedToken, PreTrainedTokenizerBase

from xorag.errors import ControlTokenError

_SPACE_MARK = "\u2581"  # how SentencePiece writes a space
_NO_ID = -1
_UNHEARD_OF = "\U000e0fff"  # a character that no vocabulary has


@dataclass(frozen=True, slots=True)
class Trusted:
    """Text of a layout or chat template, whose control tokens count."""

    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text of a user or a passage, in which nothing is a control token."""

    text: str


@dataclass(frozen=True, slots=True)
class SoftToken:
    """The place of one soft token."""


Piece = Trusted | Quoted | SoftToken


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids, and which of them hold the place of a soft token."""

    token_ids: tuple[int, ...]
    placeholders: tuple[int, ...] = ()


class _Mark(Enum):
    """Why a control id stands in the encoded string."""

    KEEP = auto()
    SOFT = auto()
    BREAK = auto()


@dataclass(frozen=True, slots=True)
class _Expected:
    """A control id that shall come out of the encoding, in order."""

    token_id: int
    mark: _Mark


@dataclass(frozen=True, slots=True)
class _Draft:
    """A prompt as one string, with the control ids that it shall hold."""

    text: str
    expected: tuple[_Expected, ...]


class PromptEncoder:
    """Encodes and decodes with one tokenizer, fast or slow."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, *, placeholder: str | None = None
    ) -> None:
        """Find the tokenizer's control tokens.

        Args:
            tokenizer: Any tokenizer of transformers.
            placeholder: The added token that a published layout writes for a soft token; unset or
                unknown to the tokenizer, another control token holds the place meanwhile.

        Raises:
            ControlTokenError: If the tokenizer has no control token at all.
        """
        self.tokenizer = tokenizer
        added = [t for t in tokenizer.added_tokens_decoder.items() if _is_control(t[1])]
        self._strings = frozenset(token.content for _, token in added)
        self._lengths = sorted({len(string) for string in self._strings})
        self._first_chars = frozenset(string[0] for string in self._strings)
        # Some tokenizers write the unknown token for ordinary text of their own accord.
        self._ids = frozenset(i for i, _ in added).difference(self._ids_of(_UNHEARD_OF))
        self._marker = _choose_marker(tokenizer, [token for _, token in added])
        self._soft = placeholder if placeholder in self._strings else self._marker
        self._control_ids_of = lru_cache(maxsize=512)(self._control_ids)
        self._puts_spaces = self._puts_space_after_markers()
        self.bos_ids = self._leading_ids()

    def encode(self, pieces: Sequence[Piece], *, with_bos: bool = False) -> Encoded:
        """Encode a prompt.

        Args:
            pieces: The prompt in reading order.
            with_bos: Whether the ids that the tokenizer puts in front come first.

        Raises:
            ControlTokenError: If quoted text cannot be encoded without a control token.
        """
        bos = self.bos_ids if with_bos else ()
        for attempt in (self._as_written, self._halved, self._parted):
            draft = self._draft([(piece, attempt(piece)) for piece in pieces])
            ids = self._ids_of(draft.text)
            at = [i for i, token_id in enumerate(ids) if token_id in self._ids]
            if [ids[i] for i in at] == [expected.token_id for expected in draft.expected]:
                return self._finish(ids, dict(zip(at, draft.expected, strict=True)), bos)
        quoted = next((p.text for p in pieces if isinstance(p, Quoted)), "")
        raise ControlTokenError(
            f"the tokenizer makes a control token of plain text in a prompt with {quoted[:80]!r}; "
            "take the control characters out of the text or use another language model"
        )

    def count(self, pieces: Sequence[Piece]) -> int:
        """How many tokens a prompt takes."""
        return len(self.encode(pieces).token_ids)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of generated ids, without special tokens."""
        text = self.tokenizer.decode(
            list(token_ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(text)

    def _draft(self, parts: Sequence[tuple[Piece, list[str]]]) -> _Draft:
        texts: list[str] = []
        expected: list[_Expected] = []
        marker_id, soft_id = self._id_of(self._marker), self._id_of(self._soft)
        for piece, fragments in parts:
            if isinstance(piece, SoftToken):
                texts.append(self._soft)
                expected.append(_Expected(soft_id, _Mark.SOFT))
                continue
            if isinstance(piece, Trusted):
                expected += [_Expected(i, _Mark.KEEP) for i in self._control_ids_of(piece.text)]
            texts.append(self._marker.join(fragments))
            expected += [_Expected(marker_id, _Mark.BREAK)] * (len(fragments) - 1)
        return _Draft("".join(texts), tuple(expected))

    def _as_written(self, piece: Piece) -> list[str]:
        """Break quoted text inside each string of a control token, and nowhere else."""
        if not isinstance(piece, Quoted):
            return [piece.text] if isinstance(piece, Trusted) else []
        cuts = [0, *(start + 1 for start in self._control_starts(piece.text)), len(piece.text)]
        return [piece.text[a:b] for a, b in pairwise(cuts)]

    def _halved(self, piece: Piece) -> list[str]:
        """Break quoted text also where normalisation makes a control token of other text."""
        fragments = self._as_written(piece)
        if not isinstance(piece, Quoted):
            return fragments
        return [half for fragment in fragments for half in self._halve(fragment)]

    def _parted(self, piece: Piece) -> list[str]:
        """Break also between quoted and trusted text, where a token straddles the two."""
        fragments = self._halved(piece)
        return ["", *fragments, ""] if isinstance(piece, Quoted) else fragments

    def _halve(self, text: str) -> Iterator[str]:
        if len(text) < 2 or not self._control_ids(text):  # noqa: PLR2004 - one character has no half
            yield text
            return
        middle = len(text) // 2
        yield from self._halve(text[:middle])
        yield from self._halve(text[middle:])

    def _control_starts(self, text: str) -> Iterator[int]:
        for start, char in enumerate(text):
            if char in self._first_chars and any(
                text[start : start + length] in self._strings for length in self._lengths
            ):
                yield start

    def _finish(self, ids: list[int], marks: dict[int, _Expected], bos: tuple[int, ...]) -> Encoded:
        kept = list(bos)
        placeholders: list[int] = []
        after_break = False
        for at, token_id in enumerate(ids):
            mark = marks[at].mark if at in marks else None
            if mark is _Mark.SOFT:
                placeholders.append(len(kept))
            if mark is not _Mark.BREAK:
                kept += self._without_prefix(token_id) if after_break else [token_id]
            after_break = mark is _Mark.BREAK
        return Encoded(tuple(kept), tuple(placeholders))

    def _without_prefix(self, token_id: int) -> list[int]:
        """Undo the space that SentencePiece puts in front of what follows a break."""
        token = str(self.tokenizer.convert_ids_to_tokens(token_id))
        if not self._puts_spaces or token_id in self._ids or not token.startswith(_SPACE_MARK):
            return [token_id]
        rest = token.removeprefix(_SPACE_MARK)
        unfit = self._ids | {self.tokenizer.unk_token_id, _NO_ID}
        for spelling in ([rest] if rest else [], list(rest)):
            spelled = [self._id_of(part) for part in spelling]
            if unfit.isdisjoint(spelled):
                return spelled
        return [token_id]

    def _puts_space_after_markers(self) -> bool:
        ids = self._ids_of(f"{self._marker}a")
        return str(self.tokenizer.convert_ids_to_tokens(ids[1])).startswith(_SPACE_MARK)

    def _control_ids(self, text: str) -> tuple[int, ...]:
        return tuple(token_id for token_id in self._ids_of(text) if token_id in self._ids)

    def _ids_of(self, text: str) -> list[int]:
        encoding = self.tokenizer(text, add_special_tokens=False, verbose=False)
        return list(encoding["input_ids"])

    def _id_of(self, token: str) -> int:
        token_id: Any = self.tokenizer.convert_tokens_to_ids(token)
        return _NO_ID if token_id is None else int(token_id)

    def _leading_ids(self) -> tuple[int, ...]:
        """What the tokenizer puts in front of a text, such as `<s>`."""
        with_special = list(self.tokenizer("a")["input_ids"])
        plain = self._ids_of("a")
        for start in range(len(with_special) - len(plain) + 1):
            if with_special[start : start + len(plain)] == plain:
                return tuple(with_special[:start])
        return ()


def _is_control(token: AddedToken) -> bool:
    """Whether an added token is more than white space or one ordinary character."""
    return bool(token.content.strip()) and (token.special or len(token.content) > 1)


def _choose_marker(tokenizer: PreTrainedTokenizerBase, tokens: list[AddedToken]) -> str:
    """A control token that leaves the text on both its sides as it is."""
    neutral = [t.content for t in tokens if not (t.lstrip or t.rstrip or t.single_word)]
    preferred = [tokenizer.eos_token, tokenizer.bos_token, *neutral]
    for content in preferred:
        if content in neutral and content != tokenizer.unk_token and len(str(content)) > 1:
            return str(content)
    raise ControlTokenError(
        f"the tokenizer {tokenizer.name_or_path!r} has no control token to part a prompt with; "
        "add an end-of-text token to it"
    )
