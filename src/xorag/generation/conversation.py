"""Conversations to learn from: turns of a user over a background, and the answers to be written.

The layout is that of xRAG's second stage (arXiv 2405.13792, section 3.3): the background stands
in front of the first turn, as text or as soft tokens. Knows nothing of where the texts come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from xorag.errors import UsageError
from xorag.generation.control import Piece, PromptEncoder, Quoted, Trusted
from xorag.generation.examples import Example, encode_example
from xorag.generation.layouts import Layout

BACKGROUND = "Refer to the background document: "
BACKGROUND_TOKENS = 180
"""Tokens of the language model that one soft token stands for."""
SHORTEST_LAST_PIECE = 21
"""A last piece of fewer tokens is dropped, unless it is the only one."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a user says, and what the model shall answer."""

    user: str
    assistant: str


def encode_conversation(
    encoder: PromptEncoder,
    layout: Layout,
    background: Sequence[Piece],
    turns: Sequence[Turn],
    *,
    max_tokens: int | None = None,
) -> Example:
    """Encode a conversation, of which the answers are to be learnt.

    Args:
        encoder: Of the language model that shall read it.
        layout: Whose frame stands around the turns.
        background: Quoted text or the places of soft tokens; empty for none.
        turns: In order, at least one.
        max_tokens: Where the example is cut.

    Raises:
        ControlTokenError: If some text cannot be encoded without a control token.
        UsageError: If the layout has no form for a second turn.
    """
    frame = layout.frame
    if frame.before_next is None and len(turns) > 1:
        raise UsageError(
            f"the layout {layout.name!r} of this model has no form for a second turn; give "
            "another layout, or examples of one turn"
        )
    token_ids: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    placeholders: tuple[int, ...] = ()
    for number, turn in enumerate(turns):
        opening = frame.before if number == 0 else str(frame.before_next)
        said = _said(turn.user, background if number == 0 else ())
        example = encode_example(
            encoder,
            [Trusted(opening), *said, Trusted(frame.after)],
            turn.assistant.strip(),
            with_bos=frame.with_bos and number == 0,
        )
        placeholders += tuple(len(token_ids) + place for place in example.placeholders)
        token_ids += example.token_ids
        labels += example.labels
    return Example(token_ids[:max_tokens], labels[:max_tokens], placeholders)


def background_pieces(tokenizer: PreTrainedTokenizerBase, background: str) -> list[str]:
    """Cut a long background into the pieces that get a soft token each.

    Pieces hold 180 tokens of the language model; a last one of 20 or fewer is dropped, unless it
    is the only one.
    """
    encoding = tokenizer(background, add_special_tokens=False, verbose=False)
    ids = list(encoding["input_ids"])
    pieces = [ids[at : at + BACKGROUND_TOKENS] for at in range(0, len(ids), BACKGROUND_TOKENS)]
    if len(pieces) > 1 and len(pieces[-1]) < SHORTEST_LAST_PIECE:
        pieces.pop()
    return [str(tokenizer.decode(piece, clean_up_tokenization_spaces=False)) for piece in pieces]


def _said(user: str, background: Sequence[Piece]) -> list[Piece]:
    """A user's turn, with the background in front."""
    if not background:
        return [Quoted(user.strip())]
    return [Trusted(BACKGROUND), *background, Trusted("\n\n"), Quoted(user.rstrip())]
