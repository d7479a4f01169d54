"""The directory of an evaluation as `xorag eval --out` writes it, made up but of its real shape."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xorag.evaluation.calibration import expected_calibration_error
from xorag.evaluation.resilience import resilience_and_boost
from xorag.evaluation.statistics import bootstrap_interval, paired_test, verdict

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MadeMode:
    """How a mode does in the made-up evaluation."""

    label: str
    form: str | None
    tokens_per_passage: int | None
    gain: float
    """Chance of a right answer, less that of closed book."""


MODES = (
    MadeMode("closed", None, None, 0.0),
    MadeMode("text", "text", None, 0.45),
    MadeMode("xrag", "token", 1, 0.10),
    MadeMode("xrag-x4", "token", 4, 0.22),
    MadeMode("xrag-x8", "token", 8, 0.30),
)
SETS: Mapping[str, float] = {"nq": 0.06, "popqa": 0.08, "triviaqa_distant": 0.3, "pubhealth": 0.55}
"""Chance of a right answer in closed book."""

SUBJECTS = (
    ("Emma", "Jane Austen", "a novel about a young woman who arranges the lives of her neighbours"),
    ("Kepler-22b", "the Kepler telescope", "a planet that orbits within its star's habitable zone"),
    ("Ouagadougou", "Burkina Faso", "the largest city and the seat of the country's government"),
    ("The Planets", "Gustav Holst", "a suite in seven movements, written between 1914 and 1917"),
    ("Penicillin", "Alexander Fleming", "a group of antibiotics first found in a mould"),
    ("Bauhaus", "Walter Gropius", "a school that joined crafts and the fine arts"),
)


def make_results(
    directory: Path, *, sets: Mapping[str, float] = SETS, modes: Sequence[MadeMode] = MODES,
    questions: int = 60, first_question: str | None = None,
) -> Path:  # fmt: skip
    """Write an evaluation; the first question of each set may be given."""
    directory.mkdir(parents=True, exist_ok=True)
    summaries = []
    for name, chance in sets.items():
        lines = {mode.label: _lines(name, mode, chance, questions) for mode in modes}
        for label, answered in lines.items():
            if first_question is not None:
                answered[0]["question"] = first_question
            write_lines(directory / name / f"{label}.jsonl", answered)
        summaries.append(_summarise(name, modes, lines))
    write_json(directory / "eval.json", _settings(sets, questions))
    write_json(directory / "summary.json", {"settings": {"seed": 0}, "sets": summaries})
    return directory


def write_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write one document."""
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def metric_of(set_name: str) -> str:
    """The main metric of a made-up set."""
    return "accuracy" if set_name == "pubhealth" else "match"


def _lines(set_name: str, mode: MadeMode, chance: float, count: int) -> list[Line]:
    random_ = random.Random(f"{set_name} {mode.label}")
    return [_line(set_name, mode, number, chance + mode.gain, random_) for number in range(count)]


def _line(
    set_name: str, mode: MadeMode, number: int, chance: float, random_: random.Random
) -> Line:
    title, answer, description = SUBJECTS[number % len(SUBJECTS)]
    is_right = random_.random() < chance
    confidence = random_.betavariate(5, 2) if is_right else random_.betavariate(3, 4)
    tokens = {"text": 150 + number % 40, "token": mode.tokens_per_passage, None: 0}[mode.form]
    text = f"{title} is {description}. It is connected with {answer}, says source {number}. " * 3
    return {
        "id": f"{set_name}-{number:04}",
        "question": f"Who or what is {title} connected with, in the words of source {number}?",
        "task": "qa",
        "answers": [answer, answer.upper()],
        "prediction": answer if is_right else "I am not sure, but it may be Paris.",
        "confidence": round(confidence, 4),
        "scores": {metric_of(set_name): float(is_right), "f1": 0.9 * is_right + 0.1, "em": 0.0},
        "prompt_tokens": 38 + (tokens or 0),
        "passage_tokens_as_text": 160,
        "passage_tokens_used": tokens,
        "generated_tokens": 8,
        "seconds": 0.21 + 0.002 * (tokens or 0),
        "evidence": [] if mode.form is None else [
            {"id": f"p{number}", "title": title, "text": text.strip(), "form": mode.form,
             "tokens": tokens, "score": 0.71, "is_supporting": number % 5 > 0, "gold_id": None}
        ],
        "gold_ids": None,
    }  # fmt: skip


def _summarise(
    name: str, modes: Sequence[MadeMode], lines: Mapping[str, Sequence[Line]]
) -> dict[str, Any]:
    return {
        "set": name,
        "questions": len(lines[modes[0].label]),
        "retrieval": {"recall@1": 0.61, "mrr": 0.7012} if name == "nq" else None,
        "conditions": [_condition(name, mode, lines) for mode in modes],
    }


def _condition(name: str, mode: MadeMode, lines: Mapping[str, Sequence[Line]]) -> dict[str, Any]:
    main = metric_of(name)
    own = [line["scores"][main] for line in lines[mode.label]]
    closed = [line["scores"][main] for line in lines["closed"]] if "closed" in lines else own
    is_closed = mode.label == "closed" or "closed" not in lines
    test = None if is_closed else paired_test(own, closed)
    effect = None if is_closed else resilience_and_boost(closed, own)
    confidences = [line["confidence"] for line in lines[mode.label]]
    return {
        "label": mode.label,
        "mode": mode.label.partition("-")[0],
        "k": 0 if mode.form is None else 1,
        "tokens_per_passage": mode.tokens_per_passage,
        "n": len(own),
        "metrics": {name: _interval(lines[mode.label], name) for name in ("em", "f1", main)},
        "resilience": effect and effect.resilience,
        "boost": effect and effect.boost,
        "against_closed": test and {main: asdict(test)},
        "verdict": test and str(verdict(test)),
        "ece": expected_calibration_error(confidences, own),
        "prompt_tokens": sum(line["prompt_tokens"] for line in lines[mode.label]) / len(own),
        "seconds": sum(line["seconds"] for line in lines[mode.label]) / len(own),
    }  # fmt: skip


def _interval(lines: Sequence[Line], metric: str) -> dict[str, Any]:
    return asdict(bootstrap_interval([line["scores"][metric] for line in lines]))


def _settings(sets: Mapping[str, float], questions: int) -> dict[str, Any]:
    return {
        "format": 1,
        "settings": {"passages": "given", "k": 1, "rows": "dev", "limit": questions, "seed": 0,
                     "max_new_tokens": 20},
        "models": {"model": "smollm2-135m-instruct", "encoder": "all-minilm-l6-v2",
                   "projector": "smollm2-135m-minilm-l6", "projector_sha256": "9f" * 32,
                   "index": None, "index_sha256": None, "layout": "chatml", "dtype": "float32",
                   "device": "cpu"},
        "sets": [{"name": name, "source": f"../shared/data/{name}.jsonl.gz", "sha256": "ab" * 32,
                  "row_count": 900, "question_count": questions} for name in sets],
        "versions": {"xorag": "0.1.0", "torch": "2.8.0", "transformers": "5.23.0"},
    }  # fmt: skip
