"""What reading passages as soft tokens saves in tokens and in time. Prints JSON.

    python -m benchmarks.prefill --index my-index

For k = 1, 5 and 10 the same questions with the same passages are put into prompts as text and as
soft tokens, and the language model reads each prompt and writes one token, in batches, text and
soft tokens in turn. The ratio of the seconds is to be at least 0.8 of the ratio of the tokens at
k = 5 and 10. Beside them stands the formula (q + 180 k) / (q + k), where q is the prompt without
its passages and 180 what a full passage takes, and the same with what these passages take.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import DEFAULT_QUESTIONS, dev_questions, in_turn, machine, spread
from xorag.generation.prompting import Context
from xorag.pipeline import Pipeline
from xorag.runtime.device import limit_threads, pick_device
from xorag.types import Form, Hit, Mode, Prompt

FULL_PASSAGE = 180
FORMS = (Form.TEXT, Form.TOKEN)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=None, help="default: the demo's")
    parser.add_argument("--questions", type=Path, default=DEFAULT_QUESTIONS)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8, help="prompts read together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-k", type=int, nargs="+", default=[1, 5, 10])
    parser.add_argument("--model", default=None)
    parser.add_argument("--projector", type=Path, default=None)
    parser.add_argument("--device", default=None)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    questions = dev_questions(options.questions, options.count)
    threads = limit_threads(options.threads)
    device = pick_device(options.device)
    pipeline = Pipeline.open(
        options.index, model=options.model, projector=options.projector, device=device
    )
    pipeline.prepare(Mode.XRAG)
    reading = Reading(pipeline, questions, options.batch)
    rows = [reading.measure(k, options.rounds) for k in options.k]
    found = {"questions": len(questions), "batch": options.batch, "aim_of_shares": 0.8}
    print(json.dumps({**found, "k": rows, **machine(threads, str(device))}, indent=2))


@dataclass(frozen=True, slots=True)
class Reading:
    """The same questions and passages, read in either form."""

    pipeline: Pipeline
    questions: list[str]
    batch: int

    def measure(self, k: int, rounds: int) -> dict[str, object]:
        """Tokens and seconds of both forms, and their ratios."""
        hits = self._hits(k)
        text, token = ([self._prompt(i, hits[i], form) for i in range(len(hits))] for form in FORMS)
        self.read(token[: self.batch])  # warms up
        seconds = in_turn(lambda: self.read(text), lambda: self.read(token), rounds=rounds)
        of_text, of_token = mean_tokens(text), mean_tokens(token)
        by_tokens = of_text / of_token
        without = of_token - k
        as_text = statistics.fmean(
            self.pipeline.builder.tokens_as_text(hit.passage) for found in hits for hit in found
        )
        ratios = seconds.ratios()
        return {
            "k": k,
            "prompt_tokens": {"text": round(of_text, 1), "xrag": round(of_token, 1)},
            "tokens_ratio": round(by_tokens, 2),
            "prefill_seconds": {"text": spread(seconds.first), "xrag": spread(seconds.second)},
            "seconds_ratio": spread(ratios),
            "share": spread([ratio / by_tokens for ratio in ratios]),
            "formula": {
                "q": round(without, 1),
                "passages_of_180": round((without + FULL_PASSAGE * k) / (without + k), 2),
                "passages_of_these": round((without + as_text * k) / (without + k), 2),
                "tokens_of_a_passage": round(as_text, 1),
            },
        }

    def read(self, prompts: Sequence[Prompt]) -> None:
        """Read prompts in batches, and write one token each."""
        for start in range(0, len(prompts), self.batch):
            batch = prompts[start : start + self.batch]
            self.pipeline.generator.generate(batch, max_new_tokens=1)

    def _hits(self, k: int) -> list[list[Hit]]:
        if self.pipeline.retriever is None:
            raise SystemExit("no index; name one with --index, or make the demo's with `make demo`")
        return self.pipeline.retriever.find(self.questions, k=k).hits

    def _prompt(self, number: int, hits: Sequence[Hit], form: Form) -> Prompt:
        context = [Context(hit, form) for hit in hits]
        return self.pipeline.builder.build(self.questions[number], context)


def mean_tokens(prompts: Sequence[Prompt]) -> float:
    """Tokens of a prompt, on average."""
    return statistics.fmean(len(prompt.token_ids) for prompt in prompts)


if __name__ == "__main__":
    main()
