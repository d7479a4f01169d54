"""What the closed-form warm start knows before any step, by its options. Prints JSON.

    python -m benchmarks.warm_start --index runs/corpus

For each fit of the regression, power of idf and scale of the slope, the warm start is put into the
projector, and passages that are neither trained nor reported on (a recipe's validation split) are
restated from 1, 2 and 4 soft tokens a passage: next-token loss in nats a token with the passage's
own soft tokens and with another passage's, of which only the difference shows that they carry their
passage. The regression is fitted on whole passages, on their pieces (each target the mean of the
piece's own tokens), or on both. No gradient is taken.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.measure import machine
from xorag.compression.warm_start import (
    LinearMap,
    fit_ridge,
    inverse_document_frequency,
    start_from,
    weighted_mean_embedding,
)
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.config.reading import read_recipe
from xorag.data.pieces import cut_into_pieces
from xorag.generation.control import Quoted
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import piece_of
from xorag.runtime.device import limit_threads
from xorag.training.examples import Collator, Condition, ParaphraseExamples
from xorag.training.losses import token_losses
from xorag.training.parts import RunParts, build_parts
from xorag.training.plan import fixed_plan
from xorag.training.splits import IndexRow

FITS = ("passages", "pieces", "both")
RESAMPLES = 2000


def main() -> None:
    """Measure and print."""
    options = read_options()
    threads = limit_threads(options.threads)
    overrides = [
        f"passages.index={str(options.index)!r}",
        f"passages.rates={[*options.tokens, options.pieces]}",
        f"passages.max_tokens={options.max_tokens}",
    ]
    recipe = read_recipe(ProjectorRecipe, options.recipe, overrides)
    parts = build_parts(recipe, PassageIndex.open(options.index), "cpu", say)
    rows = sorted(parts.restating.splits.validation[: options.passages], key=lambda row: row.length)
    tests = [Test(parts, rows, tokens) for tokens in options.tokens]
    fitting = Fitting.of(parts, options.fit_passages, options.pieces, options.fits)
    found = {
        "measured_on": len(rows),
        "fitted_on": {name: len(points.token_ids) for name, points in fitting.points.items()},
        "none": {test.tokens: round(test.losses(Condition.NONE).mean(), 3) for test in tests},
        "warm_starts": list(measured(options, fitting, parts, tests)),
    }
    print(json.dumps({**found, **machine(threads, "cpu")}, indent=2))


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="smollm2-minilm", help="whose split and models")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--fits", nargs="+", choices=FITS, default=["passages"])
    parser.add_argument("--idf-powers", type=float, nargs="+", default=[0.0, 0.5, 1.5])
    parser.add_argument("--scales", type=float, nargs="+", default=[4.0, 8.0, 16.0])
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 2, 4], help="a passage")
    parser.add_argument("--pieces", type=int, default=4, help="of a passage, to fit on")
    parser.add_argument("--fit-passages", type=int, default=3000)
    parser.add_argument("--passages", type=int, default=64, help="to measure on")
    parser.add_argument("--max-tokens", type=int, default=176, help="of an example")
    parser.add_argument("--ridge", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=None)
    return parser.parse_args()


def say(text: str) -> None:
    """Tell on stderr what goes on."""
    print(text, file=sys.stderr, flush=True)


def measured(
    options: argparse.Namespace, fitting: "Fitting", parts: RunParts, tests: Sequence["Test"]
) -> Iterator[dict[str, object]]:
    """A row for each warm start and number of soft tokens."""
    for fit in options.fits:
        for power in options.idf_powers:
            targets = fitting.targets(fit, power)
            for scale in options.scales:
                start_from(parts.projector, fitting.map(fit, targets, options.ridge, scale))
                for test in tests:
                    own, other = test.losses(Condition.RIGHT), test.losses(Condition.WRONG)
                    row = {
                        "fit": fit,
                        "idf_power": power,
                        "scale": scale,
                        "tokens": test.tokens,
                        "own": round(own.mean(), 3),
                        "another": round(other.mean(), 3),
                        **other.above(own),
                    }
                    say(json.dumps(row))
                    yield row


@dataclass(frozen=True, slots=True)
class Points:
    """What a regression is fitted on."""

    embeddings: Tensor
    """`(points, in_dim)`."""
    token_ids: list[tuple[int, ...]]
    """Of each point's text, in the language model's vocabulary."""

    def joined(self, other: "Points") -> "Points":
        """The points of both."""
        embeddings = torch.cat([self.embeddings, other.embeddings])
        return Points(embeddings, self.token_ids + other.token_ids)


@dataclass(frozen=True, slots=True)
class Fitting:
    """Passages and pieces to fit on, and the language model's input embeddings."""

    points: Mapping[str, Points]
    table: Tensor
    """`(vocab, hidden)`."""

    @classmethod
    def of(cls, parts: RunParts, count: int, pieces: int, fits: Sequence[str]) -> "Fitting":
        """Read the first passages of the training split, and embed their pieces if needed."""
        say("embedding the passages and pieces to fit on")
        rows = parts.restating.splits.train[:count]
        whole = points_of(parts, rows, 1)
        points = {"passages": whole}
        if {"pieces", "both"} & set(fits):
            points["pieces"] = points_of(parts, rows, pieces)
            points["both"] = whole.joined(points["pieces"])
        layer = parts.language.model.get_input_embeddings()
        with torch.inference_mode():
            table = layer(torch.arange(layer.get_parameter("weight").shape[0])).float()
        return cls(points, table.clone())

    def targets(self, fit: str, power: float) -> Tensor:
        """The weighted mean embedding of each point's tokens; idf is that of whole passages."""
        counted = self.points["passages"].token_ids
        weights = inverse_document_frequency(counted, len(self.table)) ** power
        ids = self.points[fit].token_ids
        return torch.stack([weighted_mean_embedding(each, self.table, weights) for each in ids])

    def map(self, fit: str, targets: Tensor, ridge: float, scale: float) -> LinearMap:
        """The warm start fitted on these points."""
        return fit_ridge(self.points[fit].embeddings, targets, ridge=ridge, scale=scale)


def points_of(parts: RunParts, rows: Sequence[IndexRow], pieces: int) -> Points:
    """Passages cut into so many pieces, each with the title in front."""
    passages = [row.passage for row in rows]
    found = parts.restating.embed(rows, [pieces] * len(rows))
    texts = [
        piece_of(passage, text).titled_text
        for passage in passages
        for text in (cut_into_pieces(passage.text, pieces) if pieces > 1 else [passage.text])
    ]
    encode = parts.restating.wordings.encoder.encode
    embeddings = torch.from_numpy(np.concatenate(found).astype(np.float32, copy=False))
    return Points(embeddings, [tuple(encode([Quoted(text)]).token_ids) for text in texts])


class Test:
    """The same passages restated from so many soft tokens each."""

    def __init__(self, parts: RunParts, rows: Sequence[IndexRow], tokens: int) -> None:
        """Encode the examples, once for all warm starts."""
        self.tokens = tokens
        self._objective = parts.objective
        plan = fixed_plan(len(rows), tokens)
        collate = Collator(parts.pad_id)
        self._batches = {}
        for condition in (Condition.RIGHT, Condition.NONE, Condition.WRONG):
            examples = ParaphraseExamples(
                rows, plan, parts.restating.embed, parts.restating.wordings, condition=condition
            )
            self._batches[condition] = list(DataLoader(examples, batch_size=16, collate_fn=collate))

    @torch.inference_mode()
    def losses(self, condition: Condition) -> "Losses":
        """The loss of each passage with the projector as it is now."""
        scored = [
            token_losses(self._objective.reader, **batch) for batch in self._batches[condition]
        ]
        rows = [len(batch["labels"]) for batch in self._batches[condition]]
        pairs = list(zip(scored, rows, strict=True))
        return Losses(
            torch.cat([each.sum_by_row(count) for each, count in pairs]).double().numpy(),
            torch.cat([each.tokens_by_row(count) for each, count in pairs]).double().numpy(),
        )


@dataclass(frozen=True, slots=True)
class Losses:
    """Summed loss and tokens of each passage, `(passages,)` both."""

    sums: NDArray[np.float64]
    tokens: NDArray[np.float64]

    def mean(self) -> float:
        """Nats a token."""
        return float(self.sums.sum() / self.tokens.sum())

    def above(self, lower: "Losses") -> dict[str, object]:
        """By how much they exceed others of the same passages, with its interval (bootstrap)."""
        drawn = np.random.default_rng(0).integers(len(self.sums), size=(RESAMPLES, len(self.sums)))
        gaps = (self.sums - lower.sums)[drawn].sum(axis=1) / self.tokens[drawn].sum(axis=1)
        ends = [round(float(end), 3) for end in np.percentile(gaps, [2.5, 97.5])]
        return {"gap": round(self.mean() - lower.mean(), 3), "interval_95": ends}


if __name__ == "__main__":
    main()
