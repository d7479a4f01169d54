"""Teaching a reader to judge soft tokens: the losses, the questions, and a whole run."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.training.conftest import WORDS, TrainingWorld
from xorag.compression.projector_artifact import save_projector
from xorag.config.distill_recipe import LoraOptions
from xorag.config.judge_recipe import JudgeRecipe
from xorag.data.instructions.reading import Instruction, Message
from xorag.data.questions import LabelledPassage
from xorag.errors import ConfigError, ProjectorMismatchError
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.generation.token_judge import TokenJudge
from xorag.generation.token_judge_artifact import (
    TokenJudgeSettings,
    judge_manifest,
    load_token_judge,
    open_token_judge,
)
from xorag.training.adapters import take_adapters
from xorag.training.judge import train_judge
from xorag.training.judge_examples import (
    Candidates,
    JudgeExamples,
    collate_judged,
    draw_order,
    split_candidates,
)
from xorag.training.judge_objective import losses
from xorag.training.judge_parts import JudgeParts, build_judge_parts
from xorag.training.judge_scores import SoftScores, fit_similarity_weight
from xorag.types import Hit, Passage

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")


def instruction(number: int, *, supporting: int = 1, others: int = 3) -> Instruction:
    passages = [
        LabelledPassage(
            f"King {number}", f"King {number} is {WORDS[number % 14]}.", is_supporting=True
        )
        for _ in range(supporting)
    ]
    passages += [
        LabelledPassage(
            f"Queen {at}", f"A {WORDS[(number + at) % 14]} is no king.", is_supporting=False
        )
        for at in range(others)
    ]
    question = f"Who is king {number}?"
    messages = (Message("user", question), Message("assistant", WORDS[number % 14]))
    return Instruction(f"q{number}", messages, "qa", passages=tuple(passages), question=question)


def write_candidates(path: Path, count: int = 24) -> Path:
    rows = []
    for number in range(count):
        made = instruction(number)
        rows.append(
            {
                "id": made.id,
                "messages": [{"role": m.role, "content": m.content} for m in made.messages],
                "task_type": "qa",
                "question": made.question,
                "passages": [
                    {"title": p.title, "text": p.text, "is_supporting": p.is_supporting}
                    for p in made.passages
                ],
            }
        )
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def reader(training_world: TrainingWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_reader(training_world.world, tmp_path_factory.mktemp("reader") / "tiny")


@pytest.fixture(scope="module")
def candidates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_candidates(tmp_path_factory.mktemp("candidates") / "instructions.jsonl")


def recipe(
    world: TrainingWorld, reader: Path, candidates: Path, out: Path, **train: object
) -> JudgeRecipe:
    options = {"batch_size": 4, "learning_rate": 0.01, "trackers": (), "validate_every": 4}
    return JudgeRecipe.model_validate(
        {
            "out": out,
            "start_from": world.world.projector,
            "encoder": str(world.world.encoder),
            "reader": {"source": str(reader), "dtype": "float32"},
            "examples": {
                "files": [candidates],
                "passages": 3,
                "validation": 3,
                "report": 4,
            },
            "lora": {"rank": 2, "targets": ["q_proj", "v_proj"]},
            "train": {**options, "save_every": 2, "max_steps": 4, **train},
        }
    )


@pytest.fixture(scope="module")
def parts(
    training_world: TrainingWorld,
    reader: Path,
    candidates: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> JudgeParts:
    out = tmp_path_factory.mktemp("parts") / "run"
    return build_judge_parts(recipe(training_world, reader, candidates, out), "cpu", lambda _: None)


def test_the_losses_are_those_of_the_formulas() -> None:
    margins = torch.tensor([1.0, -0.5, 0.25, 2.0, 0.0], dtype=torch.float64)
    labels = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0])
    question_of = torch.tensor([0, 0, 0, 1, 1])

    each, together = losses(margins, labels, question_of)

    relevant = -np.mean([math.log(1 / (1 + math.exp(-m))) for m in (1.0, 0.0)])
    others = -np.mean([math.log(1 / (1 + math.exp(m))) for m in (-0.5, 0.25, 2.0)])
    first = -math.log(math.e / (math.e + math.exp(-0.5) + math.exp(0.25)))
    second = -math.log(1 / (1 + math.exp(2.0)))
    assert float(each) == pytest.approx((relevant + others) / 2)
    assert float(together) == pytest.approx((first + second) / 2)


def test_a_question_whose_passages_all_support_leaves_gradients_finite() -> None:
    margins = torch.zeros(3, requires_grad=True)

    each, together = losses(margins, torch.tensor([1.0, 1.0, 0.0]), torch.tensor([0, 0, 1]))
    torch.autograd.backward(each + together)

    assert margins.grad is not None
    assert torch.isfinite(margins.grad).all()


def test_what_is_trained_is_what_judging_computes(parts: JudgeParts, tmp_path: Path) -> None:
    items = parts.splits.train[:3]
    examples = JudgeExamples(
        items, np.arange(3), parts.prompts, parts.embed, passages=3, with_title=True, seed=None
    )
    batch = collate_judged([examples[at] for at in range(3)])
    batch.pop("labels")
    parts.objective.train(mode=False)

    with torch.inference_mode():
        relevances = torch.sigmoid(parts.objective.margins(**batch)).tolist()

    judged = _judge(parts, tmp_path).judge(
        [item.question for item in items],
        [
            [
                Hit(passage, 0.0, row)
                for passage, row in zip(_passages(item), parts.embed(_passages(item)), strict=True)
            ]
            for item in items
        ],
    )
    assert [r for each in judged for r in each.relevances] == pytest.approx(relevances, abs=1e-5)


def _passages(item: Candidates) -> list[Passage]:
    return [Passage("", "", p.title, p.text, 0) for p in item.drawn(3, None)]


def _judge(parts: JudgeParts, folder: Path) -> TokenJudge:
    """The same weights as they are opened for answering; adapters still change nothing."""
    settings = TokenJudgeSettings(parts.fingerprint, with_title=True)
    manifest = judge_manifest(parts.reader, parts.encoder, settings)
    save_projector(folder / "judge", parts.projector, manifest)
    encoder = PromptEncoder(parts.reader.language.tokenizer)
    layout = layout_named("openrag", parts.reader.language.tokenizer)
    saved = load_token_judge(folder / "judge")
    return open_token_judge(saved, parts.reader, encoder, layout, batch_tokens=4096)


def test_no_two_parts_share_what_supports_an_answer(parts: JudgeParts) -> None:
    rows = [instruction(number % 12) for number in range(30)]

    splits = split_candidates(rows, parts.prompts, validation=6, report=6, max_tokens=90)

    groups = [
        {item.supporting[0].text for item in part}
        for part in (splits.train, splits.validation, splits.report)
    ]
    assert not groups[0] & (groups[1] | groups[2])
    assert not groups[1] & groups[2]


def test_questions_that_teach_nothing_are_dropped(parts: JudgeParts) -> None:
    good = [instruction(number) for number in range(9)]
    bad = [instruction(20, supporting=0), instruction(21, others=0)]

    splits = split_candidates([*good, *bad], parts.prompts, validation=2, report=2, max_tokens=90)

    assert splits.dropped == 2


def test_too_few_questions_are_refused(parts: JudgeParts) -> None:
    with pytest.raises(ConfigError, match="usable questions"):
        split_candidates([instruction(1)], parts.prompts, validation=2, report=2, max_tokens=90)


def test_passages_are_drawn_anew_each_time_and_alike_for_a_seed(parts: JudgeParts) -> None:
    items = [Candidates("Who?", "qa", *_both(instruction(3, others=12)))]
    order = draw_order(1, epochs=3, seed=5)

    first, again = (
        JudgeExamples(
            items, order, parts.prompts, parts.embed, passages=4, with_title=False, seed=5
        )
        for _ in range(2)
    )

    assert np.array_equal(first[1].embeddings, again[1].embeddings)
    drawn = {tuple(map(tuple, first[at].embeddings)) for at in range(3)}
    assert len(drawn) > 1
    assert first[0].is_supporting == (True, False, False, False)


def _both(
    made: Instruction,
) -> tuple[tuple[LabelledPassage, ...], tuple[LabelledPassage, ...]]:
    return (
        tuple(p for p in made.passages if p.is_supporting),
        tuple(p for p in made.passages if not p.is_supporting),
    )


def test_similarity_gets_a_weight_where_it_helps_and_none_where_it_misleads() -> None:
    generator = np.random.default_rng(0)
    labels = np.tile([True, False, False, False], 40)
    noise = generator.normal(size=160)
    questions = np.repeat(np.arange(40), 4)
    other = generator.normal(size=160)
    helps = SoftScores(noise + labels, 0.1 * (other + 2 * labels), labels, questions)
    misleads = SoftScores(noise + 2 * labels, other - labels, labels, questions)

    weights = [fit_similarity_weight(scores) for scores in (helps, misleads)]

    assert weights[0] > 1
    assert weights[1] == pytest.approx(0, abs=1e-3)
    assert helps.auc(helps.together(weights[0])) > helps.auc(helps.margins)


def test_a_run_ends_in_a_judge_and_goes_on_after_a_kill(
    training_world: TrainingWorld, reader: Path, candidates: Path, tmp_path: Path
) -> None:
    made = recipe(training_world, reader, candidates, tmp_path / "run")

    report = train_judge(made, device="cpu")
    again = train_judge(made, device="cpu")

    saved = load_token_judge(report.judge)
    assert report == again
    assert saved.projector.adapters is not None
    assert saved.settings.with_title
    assert saved.settings.similarity_weight == pytest.approx(report.similarity_weight)
    assert report.steps == 4
    assert report.questions == 4


def test_a_run_goes_on_from_a_judge_with_its_adapters(
    training_world: TrainingWorld, reader: Path, candidates: Path, tmp_path: Path
) -> None:
    first = train_judge(recipe(training_world, reader, candidates, tmp_path / "run"), device="cpu")
    made = recipe(training_world, reader, candidates, tmp_path / "next")
    made = made.model_copy(update={"start_from": first.judge})

    parts = build_judge_parts(made, "cpu", lambda _: None)

    kept = load_token_judge(first.judge).projector.adapters
    taken = take_adapters(parts.objective.reader.language_model, made.lora)
    assert kept is not None
    assert taken is not None
    assert kept.layers.keys() == taken.layers.keys()
    assert all(
        torch.equal(a, b)
        for name in kept.layers
        for a, b in zip(kept.layers[name].factors, taken.layers[name].factors, strict=True)
    )
    other = made.model_copy(update={"lora": LoraOptions(rank=3, targets=("q_proj", "v_proj"))})
    with pytest.raises(ProjectorMismatchError, match=r"set lora\.rank=2"):
        build_judge_parts(other, "cpu", lambda _: None)
