"""Runs from a recipe to a reader, with real parts."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import TrainingWorld
from tests.training.tiny_readers import reader_recipe, write_rows
from xorag.artifact.store import read_manifest
from xorag.config.reader_recipe import ReaderRecipe
from xorag.errors import ConfigError, ExpertError, TrainingError, UsageError
from xorag.generation.reader.opening import open_reader
from xorag.training import reader as reader_module
from xorag.training.progress import OnMessage, TrainingProgress
from xorag.training.reader import train_reader
from xorag.training.reader_objective import ReaderObjective
from xorag.training.reader_parts import ReaderRunParts, build_reader_parts

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "reflections.jsonl")


def test_a_run_ends_in_a_reader_that_says_how_it_was_made(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    seen: list[TrainingProgress] = []
    said: list[str] = []
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run")

    report = train_reader(recipe, device="cpu", on_progress=seen.append, on_message=said.append)

    manifest = read_manifest(report.reader, kind="reader")
    assert manifest.metrics["scores"]["relevance"]["auc"] == report.scores["relevance"].auc
    assert manifest.recipe["lora"]["rank"] == 2
    assert manifest.settings["layout"] == "openrag"
    assert (report.steps, report.examples, report.rows) == (6, 24, 72 - 6 - 9)
    assert set(seen[-1].validation) == {"held_out"}
    assert [layer.layer for layer in report.experts] == [0, 1]
    assert sum(line.startswith("experts: ") for line in said) >= 2


def test_what_is_saved_computes_what_was_trained(
    training_world: TrainingWorld, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[ReaderRunParts] = []

    def build(recipe: ReaderRecipe, device: str | None, say: OnMessage) -> ReaderRunParts:
        kept.append(build_reader_parts(recipe, device, say))
        return kept[-1]

    monkeypatch.setattr(reader_module, "build_reader_parts", build)
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run")
    report = train_reader(recipe, device="cpu")

    opened = open_reader(report.reader, device=CPU, dtype=torch.float32)

    ids = torch.tensor([[5, 6, 7, *kept[0].vocabulary.ordered_ids]])
    kept[0].language.model.train(mode=False)
    with torch.inference_mode():
        trained = kept[0].language.model(ids).logits
        read = opened.language.model(ids).logits
    assert torch.allclose(trained, read, atol=0.02)  # it is saved in half precision
    assert not torch.allclose(trained[..., :100], trained[..., 100:200], atol=0.02)


def test_training_learns_to_judge(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    recipe = reader_recipe(
        training_world.model,
        rows,
        tmp_path / "run",
        train__max_steps=90,
        train__epochs=8,
        train__save_every=200,
        train__validate_every=200,
    )

    report = train_reader(recipe, device="cpu")

    relevance = report.scores["relevance"]
    assert relevance.auc is not None
    assert relevance.auc > 0.9
    assert report.scores["utility"].accuracy > 0.8


def test_only_the_small_part_trains_and_all_of_it(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    parts = build_reader_parts(
        reader_recipe(training_world.model, rows, tmp_path / "run"), "cpu", print
    )
    example = parts.collate(parts.splits.train[:8])
    objective: ReaderObjective = parts.objective
    objective.train()
    frozen = {n: p.clone() for n, p in objective.named_parameters() if not p.requires_grad}
    trained = [p for p in objective.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1)

    for _ in range(3):
        optimizer.zero_grad()
        objective(**example)["loss"].backward()
        optimizer.step()

    named = dict(objective.named_parameters())
    assert all(torch.equal(named[name], tensor) for name, tensor in frozen.items())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in trained)
    assert set(objective.state_dict()) == {n for n, p in named.items() if p.requires_grad}


def test_before_the_first_step_the_reader_is_the_dense_model(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    parts = build_reader_parts(
        reader_recipe(training_world.model, rows, tmp_path / "run"), "cpu", print
    )
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    dense = AutoModelForCausalLM.from_pretrained(training_world.model)
    ids = torch.tensor([[5, 6, 7, 9, 12]])

    with torch.inference_mode():
        logits = parts.language.model(ids).logits

        old = dense(ids).logits
    assert torch.allclose(logits[..., : old.shape[-1]], old, atol=1e-5)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint(
    training_world: TrainingWorld, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run")
    read = ReaderObjective._logits

    def spoil(self: ReaderObjective, *arguments: torch.Tensor) -> torch.Tensor:
        is_late = self.training and self.tokens_seen > 700
        return read(self, *arguments) * (float("nan") if is_late else 1.0)

    monkeypatch.setattr(ReaderObjective, "_logits", spoil)
    with pytest.raises(TrainingError, match="loss became nan"):
        train_reader(recipe, device="cpu")

    (checkpoint,) = (tmp_path / "run").glob("checkpoint-*")
    saved = load_file(checkpoint / "model.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in saved.values())
    assert not (tmp_path / "run" / "reader").exists()


def test_gradients_that_are_no_numbers_stop_the_run_before_they_are_used(
    training_world: TrainingWorld, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run")
    forward = ReaderObjective.forward

    def spoil(
        self: ReaderObjective,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> dict[str, torch.Tensor]:
        found = forward(self, input_ids, attention_mask, labels, num_items_in_batch)
        if self.training:
            found["loss"].register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: gradient * float("inf")
            )
        return found

    monkeypatch.setattr(ReaderObjective, "forward", spoil)

    with pytest.raises(TrainingError, match="gradients of step 1"):
        train_reader(recipe, device="cpu")


def test_frozen_weights_in_half_precision_train_in_full(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run", model__dtype="bfloat16")
    parts = build_reader_parts(recipe, "cpu", print)

    parts.objective.train()
    loss = parts.objective(**parts.collate(parts.splits.train[:2]))["loss"]
    loss.backward()

    trained = [p for p in parts.objective.parameters() if p.requires_grad]
    assert {p.dtype for p in trained} == {torch.float32}
    assert {p.grad.dtype for p in trained if p.grad is not None} == {torch.float32}
    assert parts.language.model.dtype is torch.bfloat16
    assert torch.isfinite(loss)


def test_gradient_checkpointing_changes_no_gradient(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    found = []
    for is_on in (False, True):
        recipe = reader_recipe(
            training_world.model, rows, tmp_path / "run", model__gradient_checkpointing=is_on
        )
        parts = build_reader_parts(recipe, "cpu", print)
        parts.objective.train()
        parts.objective(**parts.collate(parts.splits.train[:4]))["loss"].backward()
        found.append([p.grad for p in parts.objective.parameters() if p.grad is not None])

    plain, again = found
    assert len(plain) == len(again)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(plain, again, strict=True))


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"lora__targets": ("no_such",)}, ConfigError, "no_such"),
        ({"experts__layers": (7,)}, ExpertError, "layers 0 to 1"),
        ({"model__quantization": "nf4"}, UsageError, "CUDA"),
    ],
)
def test_what_does_not_fit_the_model_is_refused_before_anything_is_written(
    training_world: TrainingWorld,
    rows: Path,
    tmp_path: Path,
    changes: dict[str, object],
    error: type[Exception],
    match: str,
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run", **changes)

    with pytest.raises(error, match=match):
        train_reader(recipe, device="cpu")

    assert not (tmp_path / "run").exists()


def test_more_chosen_experts_than_there_are_is_refused(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="top_k"):
        reader_recipe(tmp_path, rows, tmp_path / "run", experts__top_k=5)
