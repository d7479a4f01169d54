"""What a passage's embedding still knows of its answers, by a linear probe. Prints JSON.

    python -m benchmarks.embedding_probe --index runs/corpus --questions ../shared/data/nq.jsonl.gz

A ridge regression maps an embedding to which tokens of the language model's vocabulary stand in
the text (Hoerl and Kennard, 1970); tokens are ranked by how far their prediction lies above their
base rate, in standard deviations. Reported is the share of dev questions one of whose answers has
*all* its tokens among the first so many of the supporting passage's embeddings, for one embedding
a passage and for pieces (a token's best rank over the pieces counts), and beside it the same with
the passage of another question. A linear map is all that a projector's linear path is, so this is
about what it could carry; a deeper one may read more. Fitted on passages of the training split.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from benchmarks.measure import machine
from xorag.data.pieces import cut_into_pieces
from xorag.data.question_sets.reading import question_set_name, read_question_set
from xorag.data.questions import Question, is_dev
from xorag.evaluation.passages import as_passage, given_passages
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.runtime.device import limit_threads
from xorag.runtime.sources import language_model_path
from xorag.training.splits import PassageSplitter, rows_of
from xorag.types import FloatArray, Passage

TOP = (10, 100, 1000)
RIDGE = 1.0
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
        scores = ((embeddings - self.mean) @ self.slope) / spread
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
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    threads = limit_threads(options.threads)
    index = PassageIndex.open(options.index)
    tokenizer = AutoTokenizer.from_pretrained(language_model_path(None))
    pieces = PieceEmbedder(Encoder.from_spec(index.spec, device="cpu"))
    questions = {name: dev_questions(name, options.limit) for name in options.questions}
    found: dict[str, object] = {}
    for count in options.pieces:
        # A passage of c pieces gives c texts to fit on.
        passages = training_passages(index, options)[: max(500, options.fit_passages // count)]
        probe = fit(passages, count, pieces, tokenizer)
        found[f"{count} a passage"] = {
            question_set_name(name): shares(probe, items, count, pieces, tokenizer)
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


def dev_questions(name: str, limit: int) -> list[Question]:
    """The first dev rows that have a supporting passage."""
    rows = (row for row in read_question_set(name) if is_dev(row))
    return [row for row in rows if any(p.is_supporting for p in row.passages)][:limit]


def fit(
    passages: Sequence[Passage],
    count: int,
    pieces: PieceEmbedder,
    tokenizer: PreTrainedTokenizerBase,
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
    inverse = np.linalg.inv(centred.T @ centred + RIDGE * np.eye(x.shape[1]))
    slope = (inverse @ (y.T @ centred).T).astype(np.float32)
    return Probe(x.mean(axis=0), slope, base)


def shares(
    probe: Probe,
    questions: Sequence[Question],
    count: int,
    pieces: PieceEmbedder,
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
