"""A generator that writes what a test tells it to, and a pipeline around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from xorag.generation.protocol import IsWanted, OnBatch, OnText
from xorag.pipeline import Pipeline
from xorag.types import Generation, Prompt

LOGPROB = -0.5


@dataclass
class Scripted:
    """Writes the texts of its script, one list a call; the last list again where it ends."""

    script: Sequence[Sequence[str]]
    calls: list[list[Prompt]] = field(default_factory=list)

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        stop: str | None = None,
        on_text: OnText | None = None,
        on_batch: OnBatch | None = None,
        is_wanted: IsWanted | None = None,
    ) -> list[Generation]:
        del max_new_tokens, stop, is_wanted
        texts = self.script[min(len(self.calls), len(self.script) - 1)]
        self.calls.append(list(prompts))
        written = [Generation(text, (7, 7), (LOGPROB, LOGPROB)) for text in texts[: len(prompts)]]
        for place, generation in enumerate(written):
            if on_text is not None:
                on_text(place, generation.text)
            if on_batch is not None:
                on_batch({place: generation})
        return written


def scripted(pipeline: Pipeline, *script: Sequence[str]) -> Pipeline:
    """The pipeline with its prompts and retriever, but answers from a script."""
    return Pipeline(
        pipeline.builder, Scripted(script), pipeline.retriever, embedder=pipeline.embedder
    )


def calls_of(pipeline: Pipeline) -> list[list[Prompt]]:
    """The prompts of each call of a scripted pipeline's generator."""
    generator = pipeline.generator
    if not isinstance(generator, Scripted):
        raise TypeError("this pipeline has no script")
    return generator.calls
