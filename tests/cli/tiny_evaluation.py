"""Question files and the program on a tiny system, for the tests of `xorag eval`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.tiny_world import World
from xorag.cli.main import main

Rows = list[dict[str, Any]]
PASSAGES: Rows = [
    {"title": "Emma", "text": "Emma is a novel that Jane Austen wrote.", "is_supporting": True},
    {"title": "Paris", "text": "Paris is the capital of France.", "is_supporting": False},
]
QUESTIONS: Rows = [
    {"id": "q0", "question": "Who wrote Emma?", "answers": ["Jane Austen"], "passages": PASSAGES},
    {"id": "q1", "question": "Who?", "answers": ["Jane"], "passages": PASSAGES[::-1]},
    {
        "id": "q2",
        "question": "Which city is it, at last?",
        "answers": ["Paris"],
        "passages": PASSAGES,
    },
]
CLAIM = {**QUESTIONS[0], "id": "c", "task": "fact_verification", "answers": ["supports"]}
CHOICE: dict[str, Any] = {
    "id": "d",
    "question": "Which?",
    "choices": {"A": "x", "B": "y"},
    "label": "B",
    "answers": ["y"],
    "passages": [],
}


def write(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def words_of(world: World, *words: object) -> list[str]:
    parts = ["--model", world.model, "--projector", world.projector]
    place = ["--dtype", "float32", "--device", "cpu", "--max-new-tokens", 4]
    return list(map(str, ["eval", *parts, *place, *words]))


def run(world: World, *words: object) -> int:
    """Evaluate on the tiny system, and give the exit code."""
    with pytest.raises(SystemExit) as ended:
        main(words_of(world, *words))
    return int(ended.value.code or 0)


def kept(out: Path, label: str, name: str = "nq") -> dict[str, dict[str, Any]]:
    lines = (out / name / f"{label}.jsonl").read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}
