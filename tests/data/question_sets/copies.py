"""Copies of the hub's question sets, written as the hub keeps them."""

from collections.abc import Mapping
from pathlib import Path

import datasets

from tests.data.question_sets.claim_and_choice_rows import CLAIM_AND_CHOICE_SETS
from tests.data.question_sets.copied_set import Copy
from tests.data.question_sets.short_answer_rows import SHORT_ANSWER_SETS

COPIES: Mapping[str, Copy] = {**SHORT_ANSWER_SETS, **CLAIM_AND_CHOICE_SETS}


def write_file(folder: Path, name: str) -> Path:
    """Write the rows of a set as one Parquet file."""
    copy = COPIES[name]
    path = folder / f"{name}.parquet"
    table = datasets.Dataset.from_list(copy.rows, features=datasets.Features(copy.features))
    table.to_parquet(str(path))
    return path


def write_folder(folder: Path, name: str) -> Path:
    """Write the rows of a set as a folder with a card, as a download from the hub."""
    copy = COPIES[name]
    target = folder / "downloaded"
    (target / copy.config).mkdir(parents=True)
    path = write_file(folder, name)
    path.rename(target / copy.config / f"{copy.split}-00000-of-00001.parquet")
    (target / "README.md").write_text(
        f"---\nconfigs:\n- config_name: {copy.config}\n  data_files:\n"
        f"  - split: {copy.split}\n    path: {copy.config}/{copy.split}-*\n---\n# Card\n"
    )
    return target
