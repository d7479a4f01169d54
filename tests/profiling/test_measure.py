"""A whole profile of a tiny system: what is counted, timed and compared."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.pipeline.tiny_world import DOCUMENTS, World, make_world
from xorag.errors import ProjectorMismatchError, PromptTooLongError, UsageError
from xorag.profiling.cells import Grid
from xorag.profiling.document import Profile, as_json, names_of
from xorag.profiling.measure import Request, measure
from xorag.profiling.meter import Part
from xorag.profiling.parts import TRAINED, UNTRAINED, Names
from xorag.profiling.results import CellCost, PartCost, Scope, check_of
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.types import Mode

CPU = torch.device("cpu")
GRID = Grid(k=(1, 2), batch=(2,), new_tokens=(3,), tokens_per_passage=(1, 2))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def request(world: World, grid: Grid = GRID, *, rounds: int = 0) -> Request:
    names = Names(str(world.model), str(world.encoder), world.projector)
    return Request(grid, names, passage_tokens=60, rounds=rounds)


def run(wanted: Request, device: torch.device = CPU) -> Profile:
    return measure(wanted, device=device, dtype=torch.float32, threads=1)


@pytest.fixture(scope="module")
def counted(world: World) -> Profile:
    return run(request(world))


@pytest.fixture(scope="module")
def timed(world: World) -> Profile:
    return run(request(world, Grid(k=(1,), batch=(2,), new_tokens=(3,)), rounds=3))


def cost_of(measured: Profile, label: str) -> CellCost:
    return next(cost for cost in measured.costs if cost.cell.label == label)


def part_of(cost: CellCost, part: Part) -> PartCost:
    return next(found for found in cost.parts if found.part is part)


def test_every_part_is_counted_as_the_formulas_say(counted: Profile) -> None:
    check = check_of(counted.costs)

    assert check.agrees
    assert all(part_of(cost, Part.PREFILL).flops > 0 for cost in counted.costs)
    assert all(part_of(cost, Part.DECODE).flops > 0 for cost in counted.costs)


@pytest.mark.parametrize(
    ("label", "parts"),
    [
        ("closed", set()),
        ("text k=1", {Part.ENCODE_QUERY}),
        ("xrag k=1", {Part.ENCODE_QUERY, Part.PROJECT}),
        ("xrag k=1 x2", {Part.ENCODE_QUERY, Part.PROJECT, Part.ENCODE_PIECES}),
    ],
)
def test_the_encoder_and_the_projector_are_parts_of_their_own(
    label: str, parts: set[Part], counted: Profile
) -> None:
    cost = cost_of(counted, label)

    assert {part.part for part in cost.parts if part.flops} == parts | {Part.PREFILL, Part.DECODE}
    assert cost.flops(Scope.ALL) == sum(part.flops for part in cost.parts)
    without = cost.flops(Scope.WITHOUT_ENCODER)
    encoding = (Part.ENCODE_QUERY, Part.ENCODE_PIECES)
    assert cost.flops() - without == sum(part_of(cost, part).flops for part in encoding)


def test_soft_tokens_are_those_asked_for(counted: Profile) -> None:
    batch = 2

    assert cost_of(counted, "xrag k=1").soft_tokens == batch
    assert cost_of(counted, "xrag k=2 x2").soft_tokens == batch * 2 * 2
    assert cost_of(counted, "text k=2").soft_tokens == 0


def test_passages_have_the_length_asked_for(counted: Profile) -> None:
    tokens = cost_of(counted, "text k=2").passage_tokens

    assert tokens is not None
    assert 60 <= tokens < 66


def test_text_is_divided_by_soft_tokens_of_the_same_questions(counted: Profile) -> None:
    text, xrag = cost_of(counted, "text k=2"), cost_of(counted, "xrag k=2")

    found = next(
        item
        for item in counted.comparisons
        if (item.setting.k, item.setting.tokens_per_passage) == (2, 1)
    )

    assert len(counted.comparisons) == 4
    assert found.tokens == text.prompt_tokens / xrag.prompt_tokens
    by_scope = {ratio.scope: ratio.flops for ratio in found.scopes}
    assert by_scope[Scope.ALL] == text.flops() / xrag.flops()
    assert by_scope[Scope.ALL] < by_scope[Scope.PREFILL]
    q = cost_of(counted, "xrag k=1").prompt_tokens - 1
    assert found.question_tokens == q
    assert found.formula == pytest.approx((q + 360) / (q + 2))
    # What parts the passages from each other is in the prompts, but not in the formula.
    assert found.formula_of_these == pytest.approx(found.tokens, rel=0.05)


def test_one_passage_makes_the_prompt_that_the_formula_says(counted: Profile) -> None:
    found = next(item for item in counted.comparisons if item.setting.k == 1)

    assert found.setting.tokens_per_passage == 1
    assert found.tokens == pytest.approx(found.formula_of_these)


def test_answers_are_as_long_as_asked_for(world: World) -> None:
    longer = run(request(world, Grid(modes=(Mode.CLOSED,), new_tokens=(1, 9))))

    one, nine = longer.costs

    assert part_of(one, Part.DECODE).flops == 0
    assert part_of(nine, Part.DECODE).flops > 0
    assert part_of(one, Part.PREFILL).flops == part_of(nine, Part.PREFILL).flops


def test_time_is_measured_in_rounds_and_adds_up(timed: Profile) -> None:
    for cost in timed.costs:
        seconds = cost.seconds(Scope.PREFILL)
        assert seconds is not None
        assert seconds.count == len(cost.rounds) == 3
        assert min(cost.round_seconds(Scope.LANGUAGE_MODEL)) > 0
        pairs = zip(cost.round_seconds(), cost.round_seconds(Scope.WITHOUT_ENCODER), strict=True)
        assert all(whole >= part for whole, part in pairs)
        assert cost.tokens_per_second is not None
        assert cost.decoded_per_second is not None


def test_rates_are_tokens_over_seconds(timed: Profile) -> None:
    cost = replace(timed.costs[0], rounds=(dict.fromkeys(Part, 0.5),))

    assert cost.tokens_per_second is not None
    assert cost.tokens_per_second.median == pytest.approx(2 * 3 / (len(Part) * 0.5))
    assert cost.decoded_per_second is not None
    assert cost.decoded_per_second.median == pytest.approx(2 * 2 / 0.5)


def test_the_json_form_holds_all_that_was_measured(timed: Profile, counted: Profile) -> None:
    document = json.loads(json.dumps(as_json(timed), allow_nan=False))

    assert [cell["mode"] for cell in document["cells"]] == ["closed", "text", "xrag"]
    assert document["check"]["agrees"] is True
    assert document["published"]["flops"] == 3.53
    assert document["comparisons"][0]["text_over_xrag"]["prefill"]["seconds"]["count"] == 3
    assert document["machine"]["threads"] == 1
    assert document["models"]["projector"]["name"] == TRAINED
    assert as_json(counted)["cells"][0]["seconds"]["all"] is None


def test_names_tell_cells_apart(world: World) -> None:
    grid = Grid(modes=(Mode.CLOSED,), batch=(1, 2), new_tokens=(1, 2))

    names = names_of(run(request(world, grid)).costs)

    assert len(set(names)) == 4


def test_an_untrained_projector_stands_in_where_none_fits(world: World) -> None:
    wanted = request(world, Grid(modes=(Mode.XRAG,), k=(1,), new_tokens=(1,)))

    stood_in = run(replace(wanted, names=replace(wanted.names, projector=None)))

    assert stood_in.models["projector"].name == UNTRAINED
    assert part_of(stood_in.costs[0], Part.PROJECT).flops > 0


def test_a_named_projector_that_does_not_fit_is_refused(world: World) -> None:
    wanted = request(world)

    with pytest.raises(ProjectorMismatchError):
        run(replace(wanted, names=replace(wanted.names, projector=world.raw_projector)))


def test_passages_and_bytes_come_from_an_index(world: World, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(
        '{"id": "1", "question": "Who wrote Emma?", "answers": ["Jane Austen"], "passages": []}\n',
        encoding="utf-8",
    )
    names = Names(model=str(world.model), projector=world.projector)
    grid = Grid(modes=(Mode.TEXT, Mode.XRAG), k=(2,), new_tokens=(1,))

    found = run(Request(grid, names, index=world.index, questions=questions, rounds=0))

    assert "found for each question" in found.material
    assert found.index.is_measured
    assert found.index.passages == len(DOCUMENTS)
    assert found.index.columns["embedding"] == 32 * 2
    assert found.index.on_disk is not None
    assert found.index.on_disk > sum(found.index.columns.values())
    texts = sum(len(document.text.encode()) for document in DOCUMENTS) / len(DOCUMENTS)
    assert texts <= found.index.columns["text"] < texts + 16


def test_stored_pieces_are_not_encoded_again(world: World, tmp_path: Path) -> None:
    encoder = Encoder.open(str(world.encoder), device="cpu")
    build_index(DOCUMENTS, tmp_path / "index", encoder, IngestOptions(pieces=2))
    names = Names(model=str(world.model), projector=world.projector)
    grid = Grid(modes=(Mode.XRAG,), k=(1,), new_tokens=(1,), tokens_per_passage=(2, 3))

    stored, fresh = run(Request(grid, names, index=tmp_path / "index", rounds=0)).costs

    assert part_of(stored, Part.ENCODE_PIECES).flops == 0
    assert part_of(stored, Part.PROJECT).flops > 0
    assert part_of(fresh, Part.ENCODE_PIECES).flops > 0


def test_more_passages_than_an_index_has_are_refused(world: World) -> None:
    with pytest.raises(UsageError, match="k is 9, but the index"):
        run(replace(request(world, Grid(k=(9,))), index=world.index))


def test_a_prompt_that_is_too_long_is_refused(world: World) -> None:
    with pytest.raises(PromptTooLongError):
        run(request(world, Grid(modes=(Mode.TEXT,), k=(10,))))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_cuda_all_is_measured_too(world: World) -> None:
    found = run(request(world, rounds=3), torch.device("cuda"))

    assert check_of(found.costs).agrees
    assert all(cost.peak and cost.peak.bytes for cost in found.costs)
    assert all(cost.seconds() for cost in found.costs)
