"""What an answer rests on and what it cost, counted in tokens of its prompt and in seconds."""

from dataclasses import dataclass, replace

from xorag.generation.prompting import Context, PromptBuilder
from xorag.types import Answer, Cost, Evidence, Generation, Mode, Prompt, Seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way to an answer."""

    question: str
    mode: Mode
    context: tuple[Context, ...]
    prompt: Prompt


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
    evidence = tuple(
        Evidence(
            item.hit.passage,
            item.hit.score,
            item.form,
            builder.tokens_of(item),
            builder.tokens_as_text(item.hit.passage),
        )
        for item in asked.context
    )
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
    return replace(before, generate=generate, total=before.total + generate)
