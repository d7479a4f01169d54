"""Instruction examples as two prompts: with soft tokens for the student, with text for the teacher.

Knows nothing of embeddings or of the order of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from xorag.data.instructions.reading import ASSISTANT, SYSTEM, USER, Instruction
from xorag.data.questions import Task
from xorag.errors import ConfigError
from xorag.generation.control import Piece, PromptEncoder, Quoted, Trusted
from xorag.generation.conversation import Turn, background_pieces, encode_conversation
from xorag.generation.examples import NOT_SCORED, Example, encode_example
from xorag.generation.layouts import Layout, PassageWords
from xorag.types import Passage

_CLAIM = "claim"


class InstructionWording(IntEnum):
    """How an example is put to the model."""

    CONVERSATION = 0
    """Its turns behind a background document (arXiv 2405.13792, section 3.3)."""
    QUESTION = 1
    """Its question as `xorag ask` words questions."""


@dataclass(frozen=True, slots=True)
class InstructionPrompts:
    """Words instruction examples for one language model."""

    encoder: PromptEncoder
    layout: Layout

    def passages(self, instruction: Instruction) -> list[Passage]:
        """What is embedded for the student: the passages, or the pieces of the background."""
        if instruction.background is not None:
            pieces = background_pieces(self.encoder.tokenizer, instruction.background)
            return [_passage(instruction, at, "", text) for at, text in enumerate(pieces)]
        return [
            _passage(instruction, at, passage.title, passage.text)
            for at, passage in enumerate(instruction.passages)
        ]

    def student(
        self,
        instruction: Instruction,
        wording: InstructionWording,
        passages: Sequence[Sequence[Piece]],
    ) -> Example:
        """The version that reads soft tokens, and what is shown beside them.

        Args:
            instruction: The example.
            wording: How it is put to the model.
            passages: What stands for each passage; in a conversation, soft tokens alone.
        """
        if wording is InstructionWording.QUESTION:
            return self._question(instruction, passages)
        parted: list[Piece] = []
        for pieces in passages:
            parted += [Trusted(" "), *pieces] if parted else pieces
        return self._conversation(instruction, parted)

    def teacher(self, instruction: Instruction, wording: InstructionWording) -> Example:
        """The version that reads the full text."""
        texts = _texts(instruction)
        if wording is InstructionWording.QUESTION:
            return self._question(instruction, texts)
        quoted: list[Piece] = []
        for text in texts:
            quoted += [Trusted("\n\n"), Quoted(text)] if quoted else [Quoted(text)]
        return self._conversation(instruction, quoted)

    def _question(self, instruction: Instruction, passages: Sequence[PassageWords]) -> Example:
        """Encode the question as a pipeline words it, and its answer.

        Raises:
            ConfigError: If the example names no question.
        """
        if instruction.question is None:
            raise ConfigError(f"the example {instruction.id!r} names no question of its own")
        task: Task = "claim" if instruction.task_type == _CLAIM else "qa"
        pieces = self.layout.question_pieces(instruction.question, passages, task)
        answer = instruction.messages[-1].content
        if self.layout.begins_answer(task):
            answer = f" {answer}"
        return encode_example(self.encoder, pieces, answer, with_bos=self.layout.frame.with_bos)

    def _conversation(self, instruction: Instruction, background: Sequence[Piece]) -> Example:
        return encode_conversation(
            self.encoder, self.layout, background, turns_of(instruction), max_tokens=None
        )


def agree(student: Example, teacher: Example) -> bool:
    """Whether two versions of an example are to write equally many tokens."""
    return _answer_tokens(student) == _answer_tokens(teacher)


def turns_of(instruction: Instruction) -> list[Turn]:
    """The turns of a conversation, in which a user's message and an answer alternate.

    Raises:
        ConfigError: If they do not, or there is a system message.
    """
    roles = [message.role for message in instruction.messages]
    if SYSTEM in roles or roles != [USER, ASSISTANT] * (len(roles) // 2):
        raise ConfigError(
            f"the messages of the example {instruction.id!r} are by {', '.join(roles)}, but turns "
            "of user and assistant in alternation are needed; mend or drop the example"
        )
    said = [message.content for message in instruction.messages]
    return [Turn(*pair) for pair in zip(said[::2], said[1::2], strict=True)]


def _answer_tokens(example: Example) -> int:
    return sum(label != NOT_SCORED for label in example.labels)


def _texts(instruction: Instruction) -> list[str]:
    if instruction.background is not None:
        return [instruction.background]
    return [
        _passage(instruction, at, passage.title, passage.text).titled_text
        for at, passage in enumerate(instruction.passages)
    ]


def _passage(instruction: Instruction, at: int, title: str, text: str) -> Passage:
    return Passage(f"{instruction.id}#{at}", instruction.id, title, text, at)
