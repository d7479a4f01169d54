"""What an answer rests on and what it cost, counted in tokens of its prompt and in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from xorag.generation.prompting import Context, PromptBuilder
from xorag.pipeline.options import Asking
from xorag.types import Answer, Cost, Evidence, Generation, Mode, Passage, Prompt, Seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way to an answer."""

    question: str
    mode: Mode
    context: tuple[Context, ...]
    prompt: Prompt


class CountsTokens(Protocol):
    """What words prompts, and so knows what passages take in one."""

    def tokens_of(self, item: Context, /) -> int:
        """Tokens that a passage takes in the form in which it is read."""
        ...

    def tokens_as_text(self, passage: Passage, /) -> int:
        """Tokens that its full text takes."""
        ...


def evidence_of(context: Sequence[Context], counter: CountsTokens) -> tuple[Evidence, ...]:
    """The passages of a prompt as they are read, without judgements."""
    return tuple(
        Evidence(
            item.hit.passage,
            item.hit.score,
            item.form,
            counter.tokens_of(item),
            counter.tokens_as_text(item.hit.passage),
            shown=item.shown,
            reason=item.reason,
            choice=item.choice,
        )
        for item in context
    )


def unanswered(question: str, asking: Asking) -> Answer:
    """What stands for the answer to a question that was given up before it was begun."""
    nothing = Cost(0, 0, 0, 0, Seconds(0.0, 0.0, 0.0, 0.0))
    return Answer(question, asking.mode, "", (), nothing)


def answer_of(
    asked: Asked, generation: Generation, seconds: Seconds, builder: PromptBuilder
) -> Answer:
    """An answer with its evidence and cost.

    Args:
        asked: The question as it was put to the model.
        generation: What the model wrote.
        seconds: What that took.
        builder: The one that worded the prompt, which can count tokens.
    """
    evidence = evidence_of(asked.context, builder)
    cost = Cost(
        prompt_tokens=len(asked.prompt.token_ids),
        passage_tokens_as_text=sum(item.tokens_as_text for item in evidence),
        passage_tokens_used=sum(item.tokens for item in evidence),
        generated_tokens=len(generation.token_ids),
        seconds=seconds,
    )
    return Answer(
        asked.question, asked.mode, generation.text, evidence, cost, generation.confidence
    )


def with_generation(before: Seconds, generate: float) -> Seconds:
    """The seconds of an answer, now that it is generated."""
    return replace(before, generate=before.generate + generate, total=before.total + generate)
