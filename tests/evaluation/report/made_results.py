"""The directory of an evaluation: answers made up, all else as `xorag eval` writes it."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.overview import summarise
from xorag.evaluation.plan import Condition, Rows, Settings, plan_conditions
from xorag.evaluation.registered import Models, Registered, SetEntry
from xorag.evaluation.results import EvidenceResult, Result
from xorag.types import Mode

LABELS = ("closed", "text", "xrag", "xrag-x4", "xrag-x8")
CONDITIONS = plan_conditions(["closed", "text", "xrag"], k=1, tokens_per_passage=[1, 4, 8])
GAINS = {"closed": 0.0, "text": 0.45, "xrag": 0.10, "xrag-x4": 0.22, "xrag-x8": 0.30}
"""Chance of a right answer, less that of closed book."""
SETS: Mapping[str, float] = {"nq": 0.06, "popqa": 0.08, "triviaqa_distant": 0.3, "pubhealth": 0.55}
"""Chance of a right answer in closed book."""
CLAIMS = "pubhealth"
"""A set of claims, scored by accuracy; the others are of questions, scored by match."""

MODELS = Models(
    model="models/smollm2-135m-instruct",
    encoder="all-minilm-l6-v2",
    projector="smollm2-135m-minilm-l6",
    projector_sha256="9f" * 32,
    index=None,
    index_sha256=None,
    layout="chat",
    dtype="float32",
    device="cpu",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a made-up question is about."""

    title: str
    answer: str
    description: str


SUBJECTS = (
    Subject("Emma", "Jane Austen", "a novel about a woman who arranges her neighbours' lives"),
    Subject("Kepler-22b", "the Kepler telescope", "a planet within its star's habitable zone"),
    Subject("Ouagadougou", "Burkina Faso", "the largest city and the seat of the government"),
    Subject("The Planets", "Gustav Holst", "a suite in seven movements, written from 1914 on"),
    Subject("Penicillin", "Alexander Fleming", "a group of antibiotics first found in a mould"),
    Subject("Bauhaus", "Walter Gropius", "a school that joined crafts and the fine arts"),
)


def make_results(
    path: Path,
    *,
    sets: Mapping[str, float] = SETS,
    conditions: Sequence[Condition] = CONDITIONS,
    questions: int = 60,
    first_question: str | None = None,
) -> Path:
    """Write an evaluation; the first question of each set may be given."""
    directory = EvaluationDirectory(path)
    settings = Settings(rows=Rows.DEV, limit=questions, max_new_tokens=20)
    entries = tuple(_entry(name, questions) for name in sets)
    path.mkdir(parents=True, exist_ok=True)
    asked = directory.register(Registered(settings, MODELS, entries, tuple(conditions)))
    for name, chance in sets.items():
        for condition in conditions:
            results = make_answers(name, condition, chance, questions)
            if first_question is not None:
                results[0] = replace(results[0], question=first_question)
            with directory.results(name, condition.label) as stream:
                for result in results:
                    stream.append(result)
    summarise(directory, asked)
    return path


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write one document."""
    path.write_text(json.dumps(document), encoding="utf-8")


def make_answers(name: str, condition: Condition, chance: float, count: int) -> list[Result]:
    """What one condition answers to each question of a set."""
    generator = random.Random(f"{name} {condition.label}")
    chance += GAINS[condition.label]
    return [_answer(name, condition, number, chance, generator) for number in range(count)]


def _answer(
    name: str, condition: Condition, number: int, chance: float, generator: random.Random
) -> Result:
    subject = SUBJECTS[number % len(SUBJECTS)]
    is_right = generator.random() < chance
    confidence = generator.betavariate(5, 2) if is_right else generator.betavariate(3, 4)
    evidence = _evidence(subject, condition, number)
    used = sum(passage.tokens for passage in evidence)
    scores = {"em": 0.0, "f1": 0.1 + 0.9 * is_right, "match": float(is_right)}
    return Result(
        id=f"{name}-{number:04}",
        question=f"Who or what is {subject.title} connected with, as source {number} has it?",
        task="claim" if name == CLAIMS else "qa",
        answers=(subject.answer, subject.answer.upper()),
        prediction=subject.answer if is_right else "I am not sure, but it may be Paris.",
        confidence=confidence,
        scores={"accuracy": float(is_right)} if name == CLAIMS else scores,
        prompt_tokens=38 + used,
        passage_tokens_as_text=150 if evidence else 0,
        passage_tokens_used=used,
        generated_tokens=8,
        seconds=0.21 + 0.002 * used,
        evidence=evidence,
        gold_ids=(f"p{number // 2 * 2}",) if name == "nq" and evidence else None,
    )


def _evidence(subject: Subject, condition: Condition, number: int) -> tuple[EvidenceResult, ...]:
    if condition.mode is Mode.CLOSED:
        return ()
    sentence = f"{subject.title} is {subject.description}, made by {subject.answer}. "
    return (
        EvidenceResult(
            id=f"p{number}",
            title=subject.title,
            text=f"Source {number} has it so. {sentence * 3}".strip(),
            form="token" if condition.tokens_per_passage else "text",
            tokens=condition.tokens_per_passage or 150 + number % 40,
            score=0.71,
            is_supporting=number % 5 > 0,
        ),
    )


def _entry(name: str, questions: int) -> SetEntry:
    return SetEntry(
        name=name,
        source=f"../shared/data/{name}.jsonl.gz",
        sha256="ab" * 32,
        rows_sha256="cd" * 32,
        row_count=900,
        skipped_count=0,
        question_count=questions,
        with_passages_count=questions,
    )
