"""From prompts to answers: what the language model writes, with its evidence and cost.

Knows nothing of how passages were found and put in form.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorag.generation.prompting import Context, PromptBuilder
from xorag.generation.protocol import Generator
from xorag.pipeline.answers import Asked, answer_of, with_generation
from xorag.pipeline.options import Asking
from xorag.pipeline.watching import Answers, Onlooker
from xorag.types import Answer, Generation, Seconds


@dataclass(frozen=True, slots=True)
class Writer:
    """What words prompts and answers them."""

    builder: PromptBuilder
    generator: Generator

    def worded(self, question: str, context: tuple[Context, ...], asking: Asking) -> Asked:
        """A question and its passages as they are put to the model."""
        prompt = self.builder.build(question, context, asking.task)
        return Asked(question, asking.mode, context, prompt)

    def write(
        self, asked: Sequence[Asked], before: Seconds, asking: Asking, onlooker: Onlooker
    ) -> list[Answer]:
        """Answer questions in batches of like length.

        Args:
            asked: The questions as they are put to the model.
            before: What each took until here.
            asking: What the call asks for.
            onlooker: Hears of each answer as soon as its batch is done.

        Returns:
            The answers in the order of the questions; the seconds of a batch are shared evenly.
        """
        answers = Answers(onlooker)
        start = time.perf_counter()

        def finish(batch: Mapping[int, Generation]) -> None:
            nonlocal start
            seconds = with_generation(before, (time.perf_counter() - start) / len(batch))
            for i, generation in batch.items():
                answers.add(i, answer_of(asked[i], generation, seconds, self.builder))
            start = time.perf_counter()

        self.generator.generate(
            [item.prompt for item in asked],
            max_new_tokens=asking.max_new_tokens,
            stop=self.builder.layout.stop,
            on_text=onlooker.on_text,
            on_batch=finish,
            is_wanted=onlooker.is_wanted,
        )
        return answers.in_order()
