"""A tiny language model, and an index of enough passages to split."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.tiny_world import World, make_world
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.pipeline import Pipeline
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.training.projector import train_projector
from xorag.types import Document

WORDS = [
    "emma",
    "jane",
    "paris",
    "berlin",
    "river",
    "mountain",
    "sea",
    "author",
    "book",
    "king",
    "queen",
    "war",
    "peace",
    "year",
]


@dataclass(frozen=True)
class TrainingWorld:
    """Where the parts are."""

    index: Path
    model: Path
    world: World
    """What answers questions, with an index of its own."""

    def recipe(self, out: Path, **train: object) -> ProjectorRecipe:
        """A recipe of a few steps."""
        options = {"batch_size": 4, "learning_rate": 0.01, "trackers": (), "validate_every": 4}
        return ProjectorRecipe.model_validate(
            {
                "out": out,
                "model": {"language_model": str(self.model), "dtype": "float32"},
                "passages": {
                    "index": self.index,
                    "validation": 4,
                    "report": 6,
                    "max_tokens": 150,
                },
                "train": {**options, "save_every": 2, "max_steps": 6, **train},
            }
        )


@pytest.fixture(scope="session")
def training_world(tmp_path_factory: pytest.TempPathFactory) -> TrainingWorld:
    folder = tmp_path_factory.mktemp("training")
    world = make_world(folder)
    documents = [
        Document(f"d{i}", WORDS[i % 14], f"The {WORDS[i % 14]} of {WORDS[(i * 5 + i // 14) % 14]}.")
        for i in range(60)
    ]
    encoder = Encoder.open(str(world.encoder), device="cpu")
    build_index(documents, folder / "training-index", encoder)
    return TrainingWorld(folder / "training-index", world.model, world)


@pytest.fixture(scope="session")
def stage_one(training_world: TrainingWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A projector to go on from."""
    out = tmp_path_factory.mktemp("stage-one") / "run"
    return train_projector(training_world.recipe(out, max_steps=2), device="cpu").projector


@pytest.fixture(scope="session")
def pipeline(training_world: TrainingWorld) -> Pipeline:
    """What answers questions with the same tiny model."""
    world = training_world.world
    return Pipeline.open(
        world.index, model=str(world.model), projector=world.projector, dtype="float32"
    )
