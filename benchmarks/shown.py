"""How often what is shown of a supporting passage holds an answer. Prints JSON.

    python -m benchmarks.shown --questions ../shared/data/nq.jsonl.gz ../shared/data/squad.jsonl.gz

No model computes anything: sentences and strings are chosen as `--form sentences` and `--form
strings` choose them, by words alone, with the vocabulary of the default language model. Rows that
are not dev rows, whose supporting passage has several sentences and holds an answer. Beside the
rarity by rank that is used stand one counted in the passages of all rows and none at all. Rare
terms are also found by the default encoder's vocabulary: words that it does not hold as a whole.
"""

import argparse
import json
import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from xorag.data.lookup.words import plain
from xorag.data.questions import is_dev, read_questions
from xorag.data.sentences import excerpt, split_sentences
from xorag.data.strings import Rarity
from xorag.evaluation.answers import match
from xorag.evaluation.passages import as_passage
from xorag.generation.control import PromptEncoder, Quoted
from xorag.pipeline.forms.fixed import best_sentences
from xorag.pipeline.forms.rarity import VocabularyRarity
from xorag.pipeline.forms.scoring import scored_sentences
from xorag.pipeline.forms.strings import candidates, fitting_strings
from xorag.runtime.loading import load_tokenizer
from xorag.runtime.sources import encoder_path, language_model_path
from xorag.types import Hit

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Row:
    """A question with its supporting passage."""

    question: str
    answers: tuple[str, ...]
    hit: Hit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", nargs="+", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=250)
    options = parser.parse_args()
    encoder = PromptEncoder(load_tokenizer(language_model_path(None)))
    sets = {path.name.partition(".")[0]: rows(path, options.limit) for path in options.questions}
    rarities: Mapping[str, Rarity] = {
        "vocabulary": VocabularyRarity(encoder),
        "counted": counted([row.hit.passage.text for found in sets.values() for row in found]),
        "none": lambda _word: 1.0,
    }
    of_terms = {**rarities, "encoder": parted_by_encoder(), "none": lambda _word: 0.0}
    report = {
        name: {
            "rows": len(found),
            "sentences": {key: sentences(found, each, encoder) for key, each in rarities.items()},
            "strings": {
                key: strings(found, each, rarities["vocabulary"], encoder)
                for key, each in of_terms.items()
            },
        }
        for name, found in sets.items()
    }
    print(json.dumps({"sets": report}, indent=1))


def rows(path: Path, limit: int) -> list[Row]:
    """The first rows whose supporting passage holds an answer in one of several sentences."""
    found: list[Row] = []
    for question in read_questions(path):
        gold = [passage for passage in question.passages if passage.is_supporting]
        if is_dev(question) or not gold or len(split_sentences(gold[0].text)) < 2:  # noqa: PLR2004 - several
            continue
        if match(gold[0].text, question.answers):
            hit = Hit(as_passage(gold[0]), 0.0)
            found.append(Row(question.question, tuple(question.answers), hit))
        if len(found) == limit:
            break
    return found


def counted(texts: Sequence[str]) -> Rarity:
    """Inverse document frequency as a share of the highest."""
    frequencies = Counter(
        word for text in texts for word in {plain(each) for each in _WORD.findall(text)}
    )
    return lambda word: 1 - math.log(1 + frequencies[plain(word)]) / math.log(1 + len(texts))


def parted_by_encoder() -> Rarity:
    """1 for a word that the default encoder's vocabulary holds in parts only."""
    tokenizer = load_tokenizer(encoder_path(None))

    @lru_cache(maxsize=50_000)
    def rarity(word: str) -> float:
        return float(len(tokenizer(word, add_special_tokens=False)["input_ids"]) > 1)

    return rarity


def sentences(found: Sequence[Row], rarity: Rarity, encoder: PromptEncoder) -> list[object]:
    """By the number of sentences shown: the share that holds an answer, and mean tokens."""
    report: list[object] = []
    for count in (1, 2):
        shown = [
            excerpt(
                row.hit.passage.text,
                best_sentences(scored_sentences(row.question, row.hit, rarity), count),
            )
            for row in found
        ]
        report.append({"count": count, **_held(found, shown, encoder)})
    return report


def strings(
    found: Sequence[Row], of_terms: Rarity, rarity: Rarity, encoder: PromptEncoder
) -> dict[str, object]:
    """The same by the budget of the strings, and what finding all of them takes.

    Args:
        found: Questions with their passages.
        of_terms: Says which words are rare terms.
        rarity: Weighs the words by which sentences are chosen.
        encoder: Counts tokens.
    """
    start = time.process_time()
    of_rows = [candidates(row.question, row.hit.passage, of_terms) for row in found]
    seconds = time.process_time() - start
    everything = ["; ".join(each.text for each in each_row) for each_row in of_rows]
    report: dict[str, object] = {
        "milliseconds_a_passage": round(1000 * seconds / max(1, len(found)), 2),
        "all": _held(found, everything, encoder),
    }
    for budget in (16, 32, 64):
        shown = [
            "; ".join(
                fitting_strings(
                    each,
                    scored_sentences(row.question, row.hit, rarity),
                    budget=budget,
                    count=lambda text: encoder.count([Quoted(text)]),
                )
            )
            for row, each in zip(found, of_rows, strict=True)
        ]
        report[str(budget)] = _held(found, shown, encoder)
    return report


def _held(found: Sequence[Row], shown: Sequence[str], encoder: PromptEncoder) -> dict[str, float]:
    pairs = list(zip(found, shown, strict=True))
    held = sum(match(text, row.answers) for row, text in pairs)
    tokens = sum(encoder.count([Quoted(text)]) for _, text in pairs)
    count = max(1, len(pairs))
    return {"holds": round(held / count, 3), "tokens": round(tokens / count, 1)}


if __name__ == "__main__":
    main()
