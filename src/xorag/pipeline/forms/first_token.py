"""How sure the language model is of its answer when each passage is one soft token.

That is the dearest sign of whether soft tokens are enough: a short prompt, and the first few tokens
of an answer. Knows nothing of what is made of it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorag.data.questions import Task
from xorag.generation.prompting import PromptBuilder
from xorag.generation.protocol import Generator
from xorag.pipeline.forms.candidates import least_tokens
from xorag.pipeline.reading import put_in_form
from xorag.retrieval.timed import TimedEmbedder, TimedHits
from xorag.types import MAX_TOKENS_PER_PASSAGE, Form, Hit, Reading

FIRST = 4
"""Tokens that are asked for. On rows that are not dev rows, their sum told failing tokens better
than the first one alone, or the mean of an answer (docs/log.md)."""


@dataclass(frozen=True, slots=True)
class FirstTokens:
    """Asks for the first tokens of each answer, and keeps how probable they were together.

    An answer that ends before has the sum of what it has: one that says nothing is sure of that.
    """

    builder: PromptBuilder
    generator: Generator

    def noted(
        self,
        questions: Sequence[str],
        found: TimedHits,
        embedder: TimedEmbedder | None,
        task: Task = "qa",
    ) -> TimedHits:
        """The hits with the log-probability of their question's first tokens, and what that took.

        Args:
            questions: In plain words.
            found: Their hits; one without any is not asked.
            embedder: Encodes what came without an embedding.
            task: What the questions want.

        Raises:
            ProjectorMismatchError: If the language model reads no soft tokens.
            PromptTooLongError: If the soft tokens of a question exceed what it reads.
            UsageError: If a passage has no embedding, and nothing encodes it.
        """
        start = time.perf_counter()
        readings = [[_as_token(hit) for hit in hits] for hits in found.hits]
        contexts = put_in_form(found.hits, readings, embedder).of_questions
        asked = [i for i, hits in enumerate(found.hits) if hits]
        written = self.generator.generate(
            [self.builder.build(questions[i], contexts[i], task) for i in asked],
            max_new_tokens=FIRST,
        )
        first = {i: float(sum(w.logprobs)) for i, w in zip(asked, written, strict=True)}
        hits = [
            [replace(hit, first_logprob=first[i]) for hit in row]
            for i, row in enumerate(found.hits)
        ]
        seconds = found.read_seconds + time.perf_counter() - start
        return replace(found, hits=hits, read_seconds=seconds)


def _as_token(hit: Hit) -> Reading:
    """One soft token, or those of a passage that is too long for one."""
    return Reading(Form.TOKEN, min(least_tokens(hit), MAX_TOKENS_PER_PASSAGE))
