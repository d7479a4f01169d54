"""Recipes of distillation over made-up questions."""

import json
from pathlib import Path
from typing import Any

from tests.training.conftest import WORDS, TrainingWorld
from xorag.config.distill_recipe import DistillRecipe


def write_examples(path: Path, count: int = 40) -> Path:
    """Questions about kings, with two passages each, and one about nothing to read."""
    rows: list[dict[str, Any]] = [
        {
            "id": f"q{i}",
            "messages": [
                {"role": "user", "content": f"Who is king {i}? Answer shortly."},
                {"role": "assistant", "content": f"The {WORDS[i % 14]}"},
            ],
            "task_type": "qa",
            "question": f"Who is king {i}?",
            "passages": [
                {
                    "title": "Kings",
                    "text": f"King {i} is the {WORDS[i % 14]}.",
                    "is_supporting": True,
                },
                {"title": "Sea", "text": "The sea is wide. The river is long."},
            ],
        }
        for i in range(count)
    ]
    rows.append({**rows[0], "id": "nothing", "passages": []})
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def restating_of(world: TrainingWorld, **changes: object) -> dict[str, Any]:
    """The section of a recipe that restates passages beside."""
    return {"index": world.index, "validation": 4, "report": 6, "max_tokens": 150, **changes}


def recipe_of(
    world: TrainingWorld, stage_one: Path, folder: Path, **changes: object
) -> DistillRecipe:
    examples = write_examples(folder / "examples.jsonl")
    table: dict[str, Any] = {
        "out": folder / "run",
        "start_from": stage_one,
        "model": {"language_model": str(world.model), "dtype": "float32"},
        "examples": {
            "instructions": [examples],
            "rates": [1, 2],
            "validation": 4,
            "report": 6,
            "max_tokens": 400,
        },
        "train": {
            "batch_size": 4,
            "learning_rate": 0.01,
            "trackers": (),
            "validate_every": 4,
            "save_every": 2,
            "max_steps": 4,
        },
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            table.setdefault(section, {})[name] = value
        else:
            table[section] = value
    return DistillRecipe.model_validate(table)
