"""Rows that a tiny model can learn from, and recipes of a few steps."""

import json
from pathlib import Path
from typing import Any

from tests.training.conftest import WORDS
from xorag.config.reader_recipe import ReaderRecipe


def write_rows(path: Path, questions: int = 24) -> Path:
    """Each question closed, with its passage and with one that does not help."""
    rows: list[dict[str, Any]] = []
    for i in range(questions):
        word = WORDS[i % 14]
        outputs = [
            f"[No Retrieval]{word}[Utility:5]",
            f"[Retrieval]<paragraph>{word}\nKing {i} is the {word}.</paragraph>[Relevant]{word}"
            "[Fully supported][Utility:5]",
            "[Retrieval]<paragraph>Sea\nThe sea is wide.</paragraph>[Irrelevant]I don't know"
            "[No support / Contradictory][Utility:1]",
        ]
        rows += [
            {
                "id": f"{i}-{at}",
                "instruction": "",
                "conversation": [{"input": f"Who is king {i}?", "output": output}],
                "corpus": "",
            }
            for at, output in enumerate(outputs)
        ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def reader_recipe(model: Path, rows: Path, out: Path, **changes: object) -> ReaderRecipe:
    """A recipe of a few steps; changes are written `section__option=value`."""
    table: dict[str, Any] = {
        "out": out,
        "model": {"language_model": str(model), "dtype": "float32"},
        "examples": {"rows": [rows], "validation": 6, "report": 9, "max_tokens": 300},
        "lora": {"rank": 2},
        "experts": {"count": 4, "width": 4, "top_k": 2},
        "train": {
            "batch_size": 4,
            "learning_rate": 0.01,
            "trackers": (),
            "validate_every": 4,
            "save_every": 2,
            "max_steps": 6,
        },
    }
    for key, value in changes.items():
        section, name = key.split("__")
        table[section][name] = value
    return ReaderRecipe.model_validate(table)
