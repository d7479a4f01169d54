"""Which instruction examples are learnt from, and in which words."""

import numpy as np
import pytest

from tests.generation.tiny_tokenizers import byte_level
from xorag.data.instructions.reading import Instruction, Message
from xorag.data.questions import LabelledPassage
from xorag.errors import ConfigError
from xorag.generation.control import PromptEncoder
from xorag.generation.examples import soft_token_pieces
from xorag.generation.layouts import layout_named
from xorag.training.instruction_prompts import InstructionPrompts, InstructionWording
from xorag.training.instruction_splits import InstructionSplits, split_instructions, word_plan
from xorag.training.plan import fixed_plan


def prompts() -> InstructionPrompts:
    tokenizer = byte_level()
    return InstructionPrompts(PromptEncoder(tokenizer), layout_named("chat", tokenizer))


def example(number: int, *, passage: str | None = None, answer: str = "the sea") -> Instruction:
    read = f"Passage {number}." if passage is None else passage
    return Instruction(
        id=f"q{number}",
        messages=(Message("user", f"What is {number}?"), Message("assistant", answer)),
        task_type="qa",
        passages=(LabelledPassage("", read, is_supporting=True),) if read else (),
        question=f"What is {number}?" if number % 2 else None,
    )


def split(instructions: list[Instruction], **changes: int) -> InstructionSplits:
    sizes = {"validation": 4, "report": 4, "max_tokens": 300, **changes}
    return split_instructions(instructions, prompts(), **sizes)


def test_no_passage_is_both_trained_and_reported_on() -> None:
    instructions = [example(i, passage=f"Passage {i // 3}.") for i in range(60)]

    splits = split(instructions)

    parts = (splits.train, splits.validation, splits.report)
    texts = [{item.passages[0].text for item in part} for part in parts]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]


def test_the_split_does_not_depend_on_the_order() -> None:
    instructions = [example(i) for i in range(40)]

    one, other = split(instructions), split(instructions[::-1])

    assert one == other


def test_what_cannot_be_learnt_from_is_dropped_and_counted() -> None:
    good = [example(i) for i in range(20)]
    nothing = example(100, passage="")
    long = example(101, passage="long " * 400)
    of_system = Instruction("s", (Message("system", "x"), Message("assistant", "y")), "qa", "text")

    splits = split([*good, nothing, long, of_system])

    dropped = splits.dropped
    assert (dropped.without_passage, dropped.too_long, dropped.unfit) == (1, 1, 1)
    assert len(splits.train) + len(splits.validation) + len(splits.report) == 20


def test_too_few_examples_are_refused() -> None:
    with pytest.raises(ConfigError, match="give more examples"):
        split([example(i) for i in range(5)])


def test_only_an_example_with_a_question_is_worded_as_one() -> None:
    instructions = [example(i) for i in range(30)]

    plan = word_plan(fixed_plan(30), instructions, question_share=1.0, seed=0)

    has_question = np.array([item.question is not None for item in instructions])
    assert (plan.instructions == np.where(has_question, 1, 0)).all()


def test_the_versions_of_an_example_differ_in_the_passage_alone() -> None:
    words, one = prompts(), example(1)

    for wording in InstructionWording:
        student, teacher = (
            words.student(one, wording, [soft_token_pieces(2)]),
            words.teacher(one, wording),
        )
        assert len(student.placeholders) == 2
        assert not teacher.placeholders
        assert student.labels[-3:] == teacher.labels[-3:]


def test_a_target_goes_on_after_the_words_that_the_layout_begins_the_answer_with() -> None:
    words = prompts()

    student = words.student(example(1), InstructionWording.QUESTION, [soft_token_pieces(1)])

    written = str(words.encoder.tokenizer.decode(list(student.token_ids)))
    assert written.endswith("Answer: the sea</s>")
