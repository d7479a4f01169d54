"""Distillation with low-rank adapters: what is trained, kept, gone on from and refused."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from tests.training.conftest import TrainingWorld
from tests.training.distilling import recipe_of, restating_of
from xorag.compression.adapters import LowRankAdapters
from xorag.compression.projector_artifact import load_projector
from xorag.config.distill_recipe import DistillRecipe
from xorag.errors import ConfigError, ProjectorMismatchError
from xorag.pipeline import Pipeline
from xorag.training.distill import DistillReport, train_distill
from xorag.training.distill_parts import build_distill_parts
from xorag.training.progress import TrainingProgress
from xorag.training.projector import train_projector

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning"),
    pytest.mark.skipif(find_spec("peft") is None, reason="peft, of xorag[train], is away"),
]
QUESTION = "Who is king 3?"


def adapters_in(projector: Path) -> LowRankAdapters:
    found = load_projector(projector).adapters
    assert found is not None
    return found


@pytest.fixture(scope="module")
def report(
    training_world: TrainingWorld, stage_one: Path, tmp_path_factory: pytest.TempPathFactory
) -> DistillReport:
    folder = tmp_path_factory.mktemp("adapted")
    recipe = recipe_of(
        training_world,
        stage_one,
        folder,
        lora__rank=2,
        restating=restating_of(training_world),
        train__learning_rate=0.05,
    )
    return train_distill(recipe, device="cpu")


def test_trained_adapters_are_kept_with_the_projector(report: DistillReport) -> None:
    kept = adapters_in(report.projector)

    assert (kept.rank, kept.alpha, report.adapter_rank) == (2, 16.0, 2)
    assert all(layer.up.any() for layer in kept.layers.values())
    assert not (report.projector.parent / "language-model").exists()


def test_a_pipeline_that_names_the_projector_reads_soft_tokens_with_them(
    training_world: TrainingWorld, report: DistillReport, stage_one: Path
) -> None:
    made, begun = (
        Pipeline.open(
            training_world.index,
            model=str(training_world.model),
            projector=projector,
            dtype="float32",
            device="cpu",
        )
        for projector in (report.projector, stage_one)
    )

    closed, text, xrag = (
        [pipeline.ask(QUESTION, mode=mode, max_new_tokens=6) for pipeline in (made, begun)]
        for mode in ("closed", "text", "xrag")
    )

    assert closed[0].confidence == closed[1].confidence
    assert text[0].confidence == text[1].confidence
    assert xrag[0].confidence != xrag[1].confidence


def test_text_is_reported_as_the_model_reads_it_without_adapters(
    training_world: TrainingWorld, report: DistillReport, stage_one: Path, tmp_path: Path
) -> None:
    plain = train_distill(
        recipe_of(training_world, stage_one, tmp_path, train__max_steps=1), device="cpu"
    )

    assert report.losses_by_rate[1].text == plain.losses_by_rate[1].text
    assert report.losses_by_rate[1].right != pytest.approx(plain.losses_by_rate[1].right, abs=1e-2)


def test_what_is_reported_is_what_the_kept_projector_reaches(
    training_world: TrainingWorld, report: DistillReport, tmp_path: Path
) -> None:
    recipe = recipe_of(
        training_world,
        report.projector,
        tmp_path,
        lora__rank=2,
        restating=restating_of(training_world),
        train__max_steps=1,
        train__learning_rate=1e-12,
    )

    again = train_distill(recipe, device="cpu")

    for rate, losses in report.losses_by_rate.items():  # kept in half precision
        assert again.losses_by_rate[rate].right == pytest.approx(losses.right, abs=0.02)
        assert again.losses_by_rate[rate].none == pytest.approx(losses.none, abs=0.02)
    restated, before = again.restating_losses_by_rate[1], report.restating_losses_by_rate[1]
    assert restated.right == pytest.approx(before.right, abs=0.02)


def test_a_run_with_adapters_that_was_stopped_goes_on_and_a_finished_one_reports_again(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    recipes: list[DistillRecipe] = []
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
        recipes.append(recipe_of(training_world, stage_one, tmp_path / name, lora__rank=2))
    whole = train_distill(recipes[0], device="cpu")

    class StopError(Exception):
        """Stands for a kill between two steps."""

    def stop(state: TrainingProgress) -> None:
        if state.step == 3:
            raise StopError

    with pytest.raises(StopError):
        train_distill(recipes[1], device="cpu", on_progress=stop)
    resumed = train_distill(recipes[1], device="cpu")
    once_more = train_distill(recipes[1], device="cpu")

    expected = adapters_in(whole.projector).layers
    for found in (resumed, once_more):
        assert found.steps == 4
        for name, layer in adapters_in(found.projector).layers.items():
            assert torch.allclose(layer.up, expected[name].up, atol=1e-3)
            assert torch.allclose(layer.down, expected[name].down, atol=1e-3)
    assert once_more.losses_by_rate == resumed.losses_by_rate


def test_checkpoints_name_adapters_as_transformers_does(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(training_world, stage_one, tmp_path, lora__rank=2)

    parts = build_distill_parts(recipe, "cpu", lambda _: None)

    state = parts.objective.state_dict()
    prefix = "reader.language_model.model.layers.0.self_attn.q_proj"
    assert f"{prefix}.lora_A.default.weight" in state
    assert f"{prefix}.lora_B.default.weight" in state
    assert f"{prefix}.base_layer.weight" not in state


def test_adapters_are_gone_on_from_in_their_own_shape_only(
    training_world: TrainingWorld, report: DistillReport, tmp_path: Path
) -> None:
    begun = adapters_in(report.projector)

    recipe = recipe_of(training_world, report.projector, tmp_path, lora__rank=2)
    parts = build_distill_parts(recipe, "cpu", lambda _: None)

    for name, layer in begun.layers.items():
        inside = parts.language.model.get_submodule(f"{name}.lora_B.default")
        assert torch.equal(inside.get_parameter("weight"), layer.up)


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, "asks for none; set lora.rank=2, lora.alpha=16"),
        ({"lora__rank": 4}, "asks for rank 4, alpha 16"),
        ({"lora__rank": 2, "lora__alpha": 4}, "asks for rank 2, alpha 4"),
        ({"lora__rank": 2, "lora__targets": ("q_proj",)}, r"in \('q_proj',\)"),
    ],
)
def test_other_adapters_than_those_of_the_start_are_refused(
    changes: dict[str, object],
    asked: str,
    training_world: TrainingWorld,
    report: DistillReport,
    tmp_path: Path,
) -> None:
    recipe = recipe_of(training_world, report.projector, tmp_path, **changes)

    with pytest.raises(ProjectorMismatchError, match=asked):
        build_distill_parts(recipe, "cpu", lambda _: None)


def test_the_first_stage_does_not_go_on_from_a_projector_with_adapters(
    training_world: TrainingWorld, report: DistillReport, tmp_path: Path
) -> None:
    recipe = training_world.recipe(tmp_path / "run", max_steps=1)
    further = recipe.projector.model_copy(update={"start_from": report.projector})

    with pytest.raises(
        ProjectorMismatchError, match="does not train; go on with `xorag train distill`"
    ):
        train_projector(recipe.model_copy(update={"projector": further}), device="cpu")


@pytest.mark.parametrize(
    ("targets", "reason"),
    [(("no_such",), "no_such"), (("embed_tokens",), "embed_tokens.*is not linear")],
)
def test_layers_that_get_no_adapter_are_named(
    targets: tuple[str, ...],
    reason: str,
    training_world: TrainingWorld,
    stage_one: Path,
    tmp_path: Path,
) -> None:
    recipe = recipe_of(training_world, stage_one, tmp_path, lora__rank=2, lora__targets=targets)

    with pytest.raises(ConfigError, match=reason):
        build_distill_parts(recipe, "cpu", lambda _: None)
