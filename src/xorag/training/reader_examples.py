"""Rows of a reader as token ids and labels, and batches of them.

Knows nothing of models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from xorag.generation.control import Piece, PromptEncoder, Quoted, Trusted
from xorag.generation.examples import NOT_SCORED, Example, encode_example, end_id
from xorag.generation.layouts import Frame
from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.training.plan import Plan
from xorag.training.reader_layout import output_pieces
from xorag.training.reader_rows import ReaderRow, ReaderTurn
from xorag.types import ReflectionToken

_LENGTH_STEP = 16
"""Batches are as long as a multiple of so many tokens: few sizes use memory again and again."""
_BETWEEN_TURNS = "\n\n"
InForm = Callable[[int, int], Example | None]
"""From the place of an example and that of a form to the example in that form."""


@dataclass(frozen=True, slots=True)
class ReaderPrompts:
    """How rows are put into words for one language model."""

    encoder: PromptEncoder
    frame: Frame
    """What stands around an instruction."""
    vocabulary: ReflectionVocabulary

    def examples(self, row: ReaderRow) -> list[Example]:
        """The conversation of a row and its plain text, where it has them.

        Raises:
            ConfigError: If the tokenizer has no end mark.
            ControlTokenError: If quoted text cannot be encoded without a control token.
        """
        conversation = [self._conversation(row.turns)] if row.turns else []
        return [*conversation, self._plain(row.corpus)] if row.corpus.strip() else conversation

    def _conversation(self, turns: Sequence[ReaderTurn]) -> Example:
        """All turns after each other; what is asked and the text of paragraphs is not scored."""
        token_ids: tuple[int, ...] = ()
        labels: tuple[int, ...] = ()
        for turn in turns:
            written = output_pieces(turn.written)
            example = self.turn(turn.asked, written, is_first=not token_ids)
            token_ids += example.token_ids
            labels += example.labels
        return Example(token_ids, labels, ())

    def turn(self, asked: str, written: Sequence[Piece], *, is_first: bool = True) -> Example:
        """What is asked, and what is to be written, of which the text of paragraphs is not scored.

        Args:
            asked: The question.
            written: The answer with its reflection tokens and paragraphs.
            is_first: Whether a conversation begins with it.
        """
        framed = self.frame.around([Quoted(asked)])
        prompt = framed if is_first else [Trusted(_BETWEEN_TURNS), *framed]
        with_bos = is_first and self.frame.with_bos
        example = encode_example(self.encoder, prompt, written, with_bos=with_bos)
        ids = self.vocabulary.ids
        opening, closing = ids[ReflectionToken.PARAGRAPH], ids[ReflectionToken.END_PARAGRAPH]
        return Example(example.token_ids, without_paragraphs(example.labels, opening, closing), ())

    def _plain(self, text: str) -> Example:
        encoded = self.encoder.encode([Quoted(text)], with_bos=self.frame.with_bos)
        token_ids = (*encoded.token_ids, end_id(self.encoder))
        return Example(token_ids, (NOT_SCORED, *token_ids[1:]), ())


def without_paragraphs(labels: Sequence[int], opening: int, closing: int) -> tuple[int, ...]:
    """Labels that do not score the text between each opening mark and its own closing one.

    The marks themselves are scored. The published program masks up to the *last* closing mark,
    which loses the judgements between two paragraphs.

    Args:
        labels: Ids to be written, `NOT_SCORED` elsewhere, `(length,)`.
        opening: The id of `<paragraph>`.
        closing: The id of `</paragraph>`.
    """
    kept: list[int] = []
    is_inside = False
    for label in labels:
        is_inside = is_inside and label != closing
        kept.append(NOT_SCORED if is_inside else label)
        is_inside = is_inside or label == opening
    return tuple(kept)


class ReaderExamples(Dataset[Example]):
    """The examples of a plan, in its order."""

    def __init__(
        self, examples: Sequence[Example], plan: Plan, in_form: InForm | None = None
    ) -> None:
        """Read examples.

        Args:
            examples: With their paragraphs as text.
            plan: Says which come, and in which form.
            in_form: Words the example at a place in another form; None where it cannot.
        """
        self._examples, self._plan = examples, plan
        self._in_form = in_form

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, place: int) -> Example:
        row, form = int(self._plan.passages[place]), int(self._plan.forms[place])
        shown = self._in_form(row, form) if form and self._in_form is not None else None
        return self._examples[row] if shown is None else shown


@dataclass(frozen=True, slots=True)
class ReaderCollator:
    """Stacks examples, padded on the right: ids, mask and labels, `(batch, length)` each."""

    pad_id: int

    def __call__(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Stack a batch."""
        longest = max(len(example.token_ids) for example in examples)
        shape = (len(examples), -(-longest // _LENGTH_STEP) * _LENGTH_STEP)
        input_ids = torch.full(shape, self.pad_id)
        labels = torch.full(shape, NOT_SCORED)
        attention_mask = torch.zeros(shape, dtype=torch.long)
        for row, example in enumerate(examples):
            length = len(example.token_ids)
            input_ids[row, :length] = torch.tensor(example.token_ids)
            labels[row, :length] = torch.tensor(example.labels)
            attention_mask[row, :length] = 1
        return {"input_ids": input_ids, "labels": labels, "attention_mask": attention_mask}
