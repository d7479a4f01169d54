"""How much faster passages are read and judged together than one by one. Prints JSON.

    python -m benchmarks.judging --index runs/corpus

The plain loop is the published program's order of work, on transformers' own `generate`: each
question is written once for the gate, then each passage is read in a call of its own, with the
question in front. Ours answers the same questions from the same passages by `ask_many`, and one by
one by `ask`. Compared are the answers and scores, and the seconds, in turn: those of `ask_many` are
the mean of a call before and one after the plain loop. The aims are 3 times at 3 passages and 5
times at 10.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import GenerationConfig, PreTrainedModel

from benchmarks.measure import DEFAULT_QUESTIONS, dev_questions, machine, spread, timed
from xorag.data.reflections.rows import passage_text
from xorag.generation.control import Piece, PromptEncoder, Quoted, Trusted
from xorag.generation.layouts import Layout
from xorag.pipeline import Pipeline
from xorag.reflection.gates import Gate, decide_by_token
from xorag.reflection.reading import read_path
from xorag.reflection.scoring import choose_path, critique
from xorag.reflection.stripping import strip_reflection_ids
from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.runtime.device import limit_threads, pick_device
from xorag.runtime.memory import keep_freed_memory
from xorag.types import Answer, Critique, Passage, ReflectionToken

AIMS = {3: 3.0, 10: 5.0}


def main() -> None:
    """Measure and print."""
    options = _options()
    keep_freed_memory()  # as `xorag eval` does
    questions = dev_questions(options.questions, options.count)
    threads = limit_threads(options.threads)
    device = pick_device(options.device)
    pipeline = Pipeline.open(
        options.index, reader=options.reader, device=device, dtype=options.dtype
    )
    if pipeline.openrag is None:
        raise SystemExit("no reader; name one with --reader")
    judge = pipeline.openrag.judge
    gate = Gate(threshold=options.threshold)
    plain = PlainLoop(
        judge.language_model, judge.encoder, judge.layout, gate, options.max_new_tokens
    )
    clock = time.process_time if options.processor_time else time.perf_counter
    found = [
        Comparison(pipeline, plain, questions, find_passages(pipeline, questions, k)).measure(
            options.rounds, clock
        )
        for k in options.passages
    ]
    shown = {
        "dtype": str(judge.language_model.dtype),
        "threshold": options.threshold,
        "max_new_tokens": options.max_new_tokens,
        "clock": "processor" if options.processor_time else "wall",
    }
    print(json.dumps({"runs": found, **shown, **machine(threads, str(device))}, indent=2))


def _options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=None, help="default: the demo's")
    parser.add_argument("--reader", default="shipped", help="default: the one in xorag")
    parser.add_argument("--questions", type=Path, default=DEFAULT_QUESTIONS)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passages", type=int, nargs="+", default=list(AIMS))
    parser.add_argument("--threshold", type=float, default=0.0, help="0: always retrieve")
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument(
        "--processor-time", action="store_true", help="for a busy machine and one thread"
    )
    parser.add_argument("--dtype", default=None)
    parser.add_argument("--device", default=None)
    parser.add_argument("--threads", type=int, default=None)
    return parser.parse_args()


def find_passages(pipeline: Pipeline, questions: Sequence[str], k: int) -> list[list[Passage]]:
    """The passages that the index has for the questions; a benchmark of reading, not searching."""
    if pipeline.retriever is None:
        raise SystemExit("no index; name one with --index")
    return [[hit.passage for hit in hits] for hits in pipeline.retriever.find(questions, k=k).hits]


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """What the plain loop answers, and the score of each path."""

    text: str
    scores: tuple[float, ...]
    written: int
    """Tokens, in all calls."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What one call of `generate` wrote."""

    token_ids: list[int]
    logprobs: list[float]
    reflections: np.ndarray[Any, np.dtype[np.float64]]
    """Log-probabilities of the reflection tokens at each step, `(steps, 15)`."""


@dataclass(frozen=True, slots=True)
class PlainLoop:
    """One question and one passage a call, each question written twice."""

    model: PreTrainedModel
    encoder: PromptEncoder
    layout: Layout
    gate: Gate
    max_new_tokens: int

    def answer(self, question: str, passages: Sequence[Passage]) -> PlainAnswer:
        """Decide, read each passage, judge, choose."""
        vocabulary = ReflectionVocabulary.of(self.encoder.tokenizer)
        asked = self.layout.question_pieces(question, ())
        first = self._call(asked, vocabulary)
        gate_logprobs = dict(zip(ReflectionToken, first.reflections[0].tolist(), strict=True))
        if not decide_by_token(self.gate, gate_logprobs).retrieved:
            closed = self._call([*asked, Trusted(ReflectionToken.NO_RETRIEVAL)], vocabulary)
            written = len(first.token_ids) + len(closed.token_ids)
            return PlainAnswer(self._text(closed, vocabulary), (), written)
        calls = [self._call([*asked, *_paragraph(p)], vocabulary) for p in passages]
        judged: list[Critique] = [
            critique(read_path(c.token_ids, c.logprobs, c.reflections, vocabulary)) for c in calls
        ]
        best = choose_path(judged) or 0
        return PlainAnswer(
            self._text(calls[best], vocabulary),
            tuple(item.score for item in judged),
            sum(len(call.token_ids) for call in (first, *calls)),
        )

    @torch.inference_mode()
    def _call(self, pieces: Sequence[Piece], vocabulary: ReflectionVocabulary) -> _Call:
        ids = self.encoder.encode(pieces, with_bos=self.layout.frame.with_bos).token_ids
        end = self.encoder.tokenizer.eos_token_id
        generate: Any = self.model.generate
        config: Any = GenerationConfig
        inputs = torch.tensor([ids], device=self.model.device)
        output = generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            generation_config=config(
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                eos_token_id=end,
                pad_token_id=end,
                output_logits=True,
                return_dict_in_generate=True,
            ),
        )
        steps: Tensor = torch.log_softmax(torch.cat(output.logits).float(), dim=-1)
        new: list[int] = output.sequences[0, len(ids) :].tolist()
        chosen = steps[torch.arange(len(new)), torch.tensor(new)].tolist()
        length = new.index(end) if end in new else len(new)
        reflections = steps[:, list(vocabulary.ordered_ids)].double().numpy(force=True)
        return _Call(new[:length], chosen[:length], reflections)

    def _text(self, call: _Call, vocabulary: ReflectionVocabulary) -> str:
        return self.encoder.decode(strip_reflection_ids(call.token_ids, vocabulary)).strip()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same questions and passages, by the plain loop and by ours."""

    pipeline: Pipeline
    plain: PlainLoop
    questions: list[str]
    passages: list[list[Passage]]

    def one_by_one(self) -> list[PlainAnswer]:
        """The plain loop."""
        return [
            self.plain.answer(question, passages)
            for question, passages in zip(self.questions, self.passages, strict=True)
        ]

    def together(self) -> list[Answer]:
        """Ours, all questions in one call."""
        return self.pipeline.ask_many(
            self.questions,
            passages=self.passages,
            mode="openrag",
            gate=self.plain.gate.kind,
            threshold=self.plain.gate.threshold,
            max_new_tokens=self.plain.max_new_tokens,
        )

    def singly(self) -> list[Answer]:
        """Ours, a call a question."""
        return [
            self.pipeline.ask(
                question,
                passages=passages,
                mode="openrag",
                gate=self.plain.gate.kind,
                threshold=self.plain.gate.threshold,
                max_new_tokens=self.plain.max_new_tokens,
            )
            for question, passages in zip(self.questions, self.passages, strict=True)
        ]

    def measure(self, rounds: int, clock: Callable[[], float]) -> dict[str, object]:
        """Seconds a question of the three ways in turn, their ratios, and how far they agree."""
        count, k = len(self.questions), max(map(len, self.passages))
        replace(self, questions=self.questions[:1], passages=self.passages[:1]).one_by_one()
        self.together()  # both only warm up
        published: list[PlainAnswer] = []
        ours: list[Answer] = []
        plain, many, single = [], [], []
        for _ in range(rounds):
            # Ours before and after the plain loop, which takes long: a machine's speed drifts.
            before = timed(lambda: ours.extend(self.together()), clock=clock)
            plain.append(timed(lambda: published.extend(self.one_by_one()), clock=clock) / count)
            after = timed(self.together, clock=clock)
            many.append((before + after) / 2 / count)
            single.append(timed(self.singly, clock=clock) / count)
        return {
            "questions": count,
            "passages": k,
            "tokens_written_by_plain": sum(answer.written for answer in published),
            "plain_seconds": spread(plain),
            "ask_many_seconds": spread(many),
            "ask_many_ratio": spread([a / b for a, b in zip(plain, many, strict=True)]),
            "ask_ratio": spread([a / b for a, b in zip(plain, single, strict=True)]),
            "aim": AIMS.get(k),
            "answers": len(ours),
            "equal_answers": sum(a.text == b.answer for a, b in zip(published, ours, strict=True)),
            "largest_difference_of_scores": _largest_difference(published, ours),
        }


def _largest_difference(published: Sequence[PlainAnswer], ours: Sequence[Answer]) -> float:
    pairs = (
        (score, item.critique.score)
        for a, b in zip(published, ours, strict=True)
        for score, item in zip(a.scores, b.evidence, strict=True)
        if item.critique is not None
    )
    return max((abs(first - second) for first, second in pairs), default=0.0)


def _paragraph(passage: Passage) -> list[Piece]:
    opening = ReflectionToken.RETRIEVAL + ReflectionToken.PARAGRAPH
    text = passage_text(passage.title, passage.text)
    return [Trusted(opening), Quoted(text), Trusted(ReflectionToken.END_PARAGRAPH)]


if __name__ == "__main__":
    main()
