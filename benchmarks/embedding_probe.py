"""What a passage's embedding still knows of its answers, by a linear probe. Prints JSON.

    python -m benchmarks.embedding_probe --index runs/corpus --questions ../shared/data/nq.jsonl.gz

A ridge regression maps an embedding to which tokens of the language model's vocabulary stand in
the text (Hoerl and Kennard, 1970); tokens are ranked by how far their prediction lies above their
base rate, in standard deviations. Reported is the share of dev questions one of whose answers has
*all* its tokens among the first so many of the supporting passage's embeddings, for one embedding
a passage and for pieces (a token's best rank over the pieces counts), and beside it the same with
the passage of another question. A linear map is all that a projector's linear path is, so this is
about what it could carry; a deeper one may read more. Fitted on passages of the training split.

With `--words`, the same for the mean of a piece's word embeddings (docs/concepts/word-means.md), by
powers of the words' idf: tokens are ranked by the product of the mean, less that of all texts, with
their own embedding, whitened by the table's covariance. Nothing is fitted there.

With `--unnormalised`, embeddings keep the length that the encoder gives them before it scales them
to 1. Their mean length is printed; `--ridge` times its square penalises a map as much as before.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from benchmarks.measure import machine
from xorag.artifact.manifest import EncoderSpec
from xorag.compression.warm_start import inverse_document_frequency, weighted_mean_embedding
from xorag.data.pieces import cut_into_pieces
from xorag.data.question_sets.reading import question_set_name, read_question_set
from xorag.data.questions import Question, is_dev
from xorag.evaluation.passages import as_passage, given_passages
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.retrieval.plain_encoder import open_plain_encoder
from xorag.retrieval.scoring import Embeddings
from xorag.runtime.device import limit_threads
from xorag.runtime.sources import language_model_path
from xorag.training.splits import PassageSplitter, rows_of
from xorag.types import FloatArray, Passage

TOP = (10, 100, 1000)
IDF_PASSAGES = 8000
SHRINKAGE = 0.05
"""Of the covariance towards that of a ball."""
SPARE_DATA = Path("../shared/data")


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear map from embeddings to tokens."""

    mean: FloatArray
    slope: FloatArray
    base: FloatArray
    """Share of texts that hold each token, `(vocab,)`."""

    def ranks(self, embeddings: FloatArray) -> FloatArray:
        """The best rank of each token over these embeddings, from 0, `(vocab,)`."""
        spread = np.sqrt(np.maximum(self.base * (1 - self.base), 1e-9))
        return best_ranks(((embeddings - self.mean) @ self.slope) / spread)


class Unnormalised:
    """An encoder without its last step, for passages alone."""

    def __init__(self, spec: EncoderSpec) -> None:
        """Open the encoder of an index, which must be a plain one."""
        self.spec = spec
        raw = {"normalized": False, "query_prompt": spec.passage_prompt}
        plain = open_plain_encoder(spec.model_copy(update=raw), "cpu")
        if plain is None:
            raise SystemExit(f"{spec.name!r} is no plain encoder; leave out --unnormalised")
        self._plain = plain
        self.encode_queries = self.encode_passages
        self.count_tokens = plain.count_tokens

    def encode_passages(self, texts: Sequence[str]) -> Embeddings:
        """Embed passages as they are, `(texts, dimensions)`."""
        return self._plain.encode_queries(texts)


def best_ranks(scores: FloatArray) -> FloatArray:
    """The best rank of each token over some rows of scores, from 0, `(vocab,)`."""
    order = np.argsort(-scores, axis=1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(order.shape[1])[None, :], axis=1)
    best: FloatArray = ranks.min(axis=0)
    return best


def main() -> None:
    """Fit, look for the answers, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--questions", nargs="+", required=True)
    parser.add_argument("--keep-out", type=Path, default=SPARE_DATA / "keep_out.txt")
    parser.add_argument("--pieces", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--fit-passages", type=int, default=8000)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--rows", choices=["dev", "train"], default="dev")
    parser.add_argument("--unnormalised", action="store_true")
    parser.add_argument("--ridge", type=float, default=1.0)
    parser.add_argument("--words", type=float, nargs="*", default=[], metavar="POWER")
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    threads = limit_threads(options.threads)
    index = PassageIndex.open(options.index)
    tokenizer = AutoTokenizer.from_pretrained(language_model_path(None))
    encoder = Unnormalised(index.spec) if options.unnormalised else None
    pieces = PieceEmbedder(encoder or Encoder.from_spec(index.spec, device="cpu"))
    questions = {name: chosen_questions(name, options) for name in options.questions}
    found: dict[str, object] = {}
    for count in options.pieces:
        # A passage of c pieces gives c texts to fit on.
        passages = training_passages(index, options)[: max(500, options.fit_passages // count)]
        probe = fit(passages, count, pieces, tokenizer, ridge=options.ridge)
        found[f"{count} a passage"] = {
            question_set_name(name): shares(probe, items, count, pieces, tokenizer)
            for name, items in questions.items()
        }
    for power, count in product(options.words, options.pieces):
        words = WordProbe.of(training_passages(index, options), power, count, tokenizer)
        found[f"words, idf power {power}, {count} a passage"] = {
            question_set_name(name): shares(words, items, count, words, tokenizer)
            for name, items in questions.items()
        }
    print(json.dumps({"found": found, **machine(threads, "cpu")}, indent=2))


def training_passages(index: PassageIndex, options: argparse.Namespace) -> list[Passage]:
    """Passages that no dev question rests on and that are not kept out."""
    named = [Path(name) for name in options.questions]
    splitter = PassageSplitter(
        validation=2,
        report=2,
        keep_out=options.keep_out,
        questions=[p for p in named if p.exists()],
    )
    return [row.passage for row in splitter.split(rows_of(index)).train]


def chosen_questions(name: str, options: argparse.Namespace) -> list[Question]:
    """The first rows of the wanted kind that have a supporting passage."""
    rows = (row for row in read_question_set(name) if is_dev(row) == (options.rows == "dev"))
    return [row for row in rows if any(p.is_supporting for p in row.passages)][: options.limit]


def fit(
    passages: Sequence[Passage],
    count: int,
    pieces: PieceEmbedder,
    tokenizer: PreTrainedTokenizerBase,
    *,
    ridge: float,
) -> Probe:
    """The ridge regression of which tokens stand in a text on its embedding."""
    embedded = pieces.embed(passages, [count] * len(passages))
    texts = [text for p in passages for text in cut_into_pieces(p.text, count)]
    x = np.concatenate(embedded).astype(np.float64)
    held = [sorted(set(tokenizer(text)["input_ids"])) for text in texts]
    rows = np.repeat(np.arange(len(held)), [len(ids) for ids in held])
    ones = np.ones(len(rows))
    shape = (len(held), len(tokenizer))
    y = csr_matrix((ones, (rows, np.concatenate(held))), shape=shape)
    base = np.asarray(y.mean(axis=0)).ravel()
    centred = x - x.mean(axis=0)
    inverse = np.linalg.inv(centred.T @ centred + ridge * np.eye(x.shape[1]))
    print(f"mean length {np.linalg.norm(x, axis=1).mean():.2f}", file=sys.stderr)
    slope = (inverse @ (y.T @ centred).T).astype(np.float32)
    return Probe(x.mean(axis=0), slope, base)


@dataclass(frozen=True, slots=True)
class WordProbe:
    """Means of word embeddings, and which tokens lie nearest to them."""

    tokenizer: PreTrainedTokenizerBase
    table: Tensor
    weights: Tensor
    nearest: FloatArray
    """Embeddings of all tokens, whitened and of length 1, `(vocab, hidden)`."""
    mean: FloatArray
    """Of the means of all texts, `(hidden,)`."""

    @classmethod
    def of(
        cls,
        passages: Sequence[Passage],
        power: float,
        count: int,
        tokenizer: PreTrainedTokenizerBase,
    ) -> "WordProbe":
        """Weigh the tokens by how rare they are in these passages."""
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(language_model_path(None))
        table = model.get_input_embeddings().get_parameter("weight").detach().float()
        texts = (tokenizer(p.text)["input_ids"] for p in passages[:IDF_PASSAGES])
        weights = inverse_document_frequency(texts, len(table)) ** power
        centred = table - table.mean(dim=0)
        spread = centred.T @ centred / len(table)
        spread += SHRINKAGE * spread.trace() / len(spread) * torch.eye(len(spread))
        nearest = centred @ torch.linalg.inv(spread)
        nearest /= nearest.norm(dim=1, keepdim=True)
        probe = cls(tokenizer, table, weights, nearest.numpy(), np.zeros(table.shape[1]))
        some = probe.embed(passages[:200], [count] * 200)
        return replace(probe, mean=np.concatenate(some).mean(axis=0))

    def embed(self, passages: Sequence[Passage], counts: Sequence[int]) -> list[FloatArray]:
        """The word means of each passage's pieces, `(pieces, hidden)`."""
        return [
            np.stack([self._mean_of(text) for text in cut_into_pieces(passage.text, count)])
            for passage, count in zip(passages, counts, strict=True)
        ]

    def ranks(self, embeddings: FloatArray) -> FloatArray:
        """The best rank of each token over these means, from 0, `(vocab,)`."""
        return best_ranks((embeddings - self.mean) @ self.nearest.T)

    def _mean_of(self, text: str) -> FloatArray:
        ids = list(dict.fromkeys(self.tokenizer(text, add_special_tokens=False)["input_ids"]))
        mean: FloatArray = weighted_mean_embedding(ids, self.table, self.weights).numpy()
        return mean


def shares(
    probe: Probe | WordProbe,
    questions: Sequence[Question],
    count: int,
    pieces: PieceEmbedder | WordProbe,
    tokenizer: PreTrainedTokenizerBase,
) -> dict[str, object]:
    """Shares of questions whose answer is among the first tokens, with the right passage or not."""
    read = [as_passage(given_passages(question, k=1, seed=0)[0]) for question in questions]
    embedded = pieces.embed(read, [count] * len(read))
    ranks = [probe.ranks(rows) for rows in embedded]
    right = np.array([place_of(q, r, tokenizer) for q, r in zip(questions, ranks, strict=True)])
    others = ranks[1:] + ranks[:1]
    wrong = np.array([place_of(q, r, tokenizer) for q, r in zip(questions, others, strict=True)])
    return {
        "questions": len(questions),
        **{f"right, first {top}": round(float((right < top).mean()), 3) for top in TOP},
        **{f"another's, first {top}": round(float((wrong < top).mean()), 3) for top in TOP},
    }


def place_of(question: Question, ranks: FloatArray, tokenizer: PreTrainedTokenizerBase) -> float:
    """The rank of the last-ranked token of the best answer, in its commonest spellings."""
    spelled = [spelling for a in question.answers for spelling in (a, f" {a}", f" {a.title()}")]
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in spelled]
    return min(float(ranks[answer].max()) for answer in ids if answer)


if __name__ == "__main__":
    main()
