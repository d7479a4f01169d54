"""Training examples as token ids and labels, worded as prompts are."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import ConfigError
from xorag.generation.control import Encoded, Piece, PromptEncoder, Quoted, SoftToken, Trusted
from xorag.generation.layouts import Layout

NOT_SCORED = -100
"""The label that the loss leaves out."""
PASSAGE_FIELD = "{passage}"
"""Where an instruction holds its soft token."""


@dataclass(frozen=True, slots=True)
class Example:
    """What a language model reads and shall write."""

    token_ids: tuple[int, ...]
    labels: tuple[int, ...]
    """The ids to be written, and `NOT_SCORED` elsewhere."""
    placeholders: tuple[int, ...]
    """Positions of the soft tokens, ascending."""


def encode_paraphrase(
    encoder: PromptEncoder,
    layout: Layout,
    instruction: str,
    passage: str,
    *,
    read: Sequence[Piece] = (SoftToken(),),
    max_tokens: int | None = None,
) -> Example:
    """Encode one example of paraphrase pretraining: restate the passage from its soft tokens.

    Args:
        encoder: Of the language model that shall read it.
        layout: Whose frame stands around the instruction.
        instruction: Trusted words that hold `{passage}` once.
        passage: The target, of which nothing becomes a control token.
        read: What stands for the passage.
        max_tokens: Where the example is cut.

    Raises:
        ConfigError: If the instruction does not hold `{passage}` once.
    """
    before, *after = instruction.split(PASSAGE_FIELD)
    if len(after) != 1:
        raise ConfigError(
            f"a paraphrase instruction holds {PASSAGE_FIELD} once, but this one holds it "
            f"{len(after)} times: {instruction!r}"
        )
    prompt = layout.frame.around([Trusted(before), *read, Trusted(after[0])])
    return encode_example(
        encoder, prompt, passage, with_bos=layout.frame.with_bos, max_tokens=max_tokens
    )


def soft_token_pieces(count: int) -> list[Piece]:
    """Places of so many soft tokens, parted by spaces (arXiv 2405.13792's second stage)."""
    pieces: list[Piece] = []
    for number in range(count):
        pieces += [Trusted(" "), SoftToken()] if number else [SoftToken()]
    return pieces


def encode_example(
    encoder: PromptEncoder,
    prompt: Sequence[Piece],
    target: str | Sequence[Piece],
    *,
    with_bos: bool,
    max_tokens: int | None = None,
) -> Example:
    """Encode a prompt and the answer to be written after it, with an end mark.

    Of a target that is text, nothing becomes a control token. The prompt's ids are those that the
    prompt alone has, so that training and generating agree.
    """
    answer = [Quoted(target)] if isinstance(target, str) else list(target)
    asked = encoder.encode(prompt, with_bos=with_bos)
    answered = encoder.encode([*prompt, *answer], with_bos=with_bos)
    written = _after(asked, answered, encoder, answer)
    written += (end_id(encoder),)
    labels = (NOT_SCORED,) * len(asked.token_ids) + written
    return Example(
        (asked.token_ids + written)[:max_tokens], labels[:max_tokens], asked.placeholders
    )


def _after(
    asked: Encoded, answered: Encoded, encoder: PromptEncoder, target: Sequence[Piece]
) -> tuple[int, ...]:
    """The target's ids after the prompt, or on their own where a token would straddle the two."""
    start = len(asked.token_ids)
    if answered.token_ids[:start] == asked.token_ids:
        return answered.token_ids[start:]
    return encoder.encode(target).token_ids


def end_id(encoder: PromptEncoder) -> int:
    """The end mark of an answer.

    Raises:
        ConfigError: If the tokenizer has none.
    """
    end = encoder.tokenizer.eos_token_id
    if end is None:
        raise ConfigError(
            f"the tokenizer {encoder.tokenizer.name_or_path!r} has no end-of-text token; "
            "set its eos_token before training"
        )
    return int(end)
