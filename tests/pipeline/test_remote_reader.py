"""A merged reader that computes on a server answers and judges as in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.generation.vllm.stub_server import Stub, serving
from tests.pipeline.tiny_reader import merge_tiny_reader, save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.errors import (
    CalibrationMismatchError,
    GenerationServerError,
    ReaderMismatchError,
    UsageError,
)
from xorag.generation.calibration_artifact import (
    Calibration,
    reader_fingerprint,
    save_calibration,
)
from xorag.generation.reader.opening import open_reader
from xorag.pipeline import Pipeline
from xorag.reflection.gates import Gate
from xorag.types import Answer, GateKind, Mode

QUESTIONS = ["Who wrote Emma?", "What is the capital of Germany?", "Which river is in Paris?"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def parted(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny")


@pytest.fixture(scope="module")
def merged(parted: Path) -> Path:
    return merge_tiny_reader(parted)


@pytest.fixture(scope="module")
def stub(merged: Path) -> Iterator[Stub]:
    language = open_reader(merged, device=CPU, dtype=torch.float32).language
    with serving(Stub(language.model, language.tokenizer)) as stub:
        yield stub


def _open(world: World, reader: Path, url: str | None, calibration: Path | None = None) -> Pipeline:
    return Pipeline.open(
        world.index,
        projector=world.projector,
        reader=reader,
        calibration=calibration,
        generator="vllm" if url else "transformers",
        base_url=url,
        device="cpu",
        dtype="float32",
    )


def _ask(pipeline: Pipeline, *, form: str, mode: Mode = Mode.OPENRAG) -> list[Answer]:
    gate = "always" if mode is Mode.OPENRAG else None
    return pipeline.ask_many(QUESTIONS, mode=mode, form=form, gate=gate, k=3, max_new_tokens=12)


@pytest.mark.parametrize("form", ["text", "token"])
def test_openrag_answers_and_judges_as_here(
    world: World, merged: Path, stub: Stub, form: str
) -> None:
    here = _ask(_open(world, merged, None), form=form)

    there = _ask(_open(world, merged, stub.url), form=form)

    assert [a.answer for a in there] == [a.answer for a in here]
    assert [a.cost.prompt_tokens for a in there] == [a.cost.prompt_tokens for a in here]
    for one, other in zip(there, here, strict=True):
        judged = [(e.critique.score, e.critique.relevance) for e in one.evidence if e.critique]
        expected = [(e.critique.score, e.critique.relevance) for e in other.evidence if e.critique]
        assert len(judged) == 3
        for values, known in zip(judged, expected, strict=True):
            assert values == pytest.approx(known, abs=1e-3)


def test_the_other_modes_read_with_the_reader_too(world: World, merged: Path, stub: Stub) -> None:
    here = _ask(_open(world, merged, None), form="token", mode=Mode.XRAG)

    there = _ask(_open(world, merged, stub.url), form="token", mode=Mode.XRAG)

    assert [a.answer for a in there] == [a.answer for a in here]


def test_a_gate_s_calibration_without_a_reader_is_refused(world: World, tmp_path: Path) -> None:
    kept = _calibrate(tmp_path / "calibration", "of some reader")

    with pytest.raises(UsageError, match="a calibration belongs to a reader"):
        Pipeline.open(model=str(world.model), calibration=kept)


def _calibrate(folder: Path, fingerprint: str) -> Path:
    gate = Gate(GateKind.TOKEN, 0.25)
    kept = Calibration(gate, "tiny", fingerprint, 10, 3, 12, 0.5, 0.5)
    save_calibration(folder, kept, None, {})
    return folder


def test_a_calibration_of_the_reader_is_known_without_its_whole_model(
    world: World, merged: Path, stub: Stub, tmp_path: Path
) -> None:
    whole = open_reader(merged, device=CPU, dtype=torch.float32)
    fingerprint = reader_fingerprint(whole.language.model, whole.vocabulary.ordered_ids)

    pipeline = _open(world, merged, stub.url, _calibrate(tmp_path / "calibration", fingerprint))

    assert pipeline.openrag is not None
    assert pipeline.openrag.calibration is not None
    assert pipeline.openrag.calibration.gate.threshold == 0.25


def test_a_calibration_of_another_reader_is_refused(
    world: World, merged: Path, stub: Stub, tmp_path: Path
) -> None:
    other = _calibrate(tmp_path / "calibration", "0123456789abcdef")

    with pytest.raises(CalibrationMismatchError, match="was made for the reader"):
        _open(world, merged, stub.url, other)


def test_a_reader_that_is_not_merged_is_told_what_to_do(world: World, parted: Path) -> None:
    with pytest.raises(ReaderMismatchError, match="merge it with `xorag merge"):
        _open(world, parted, "http://127.0.0.1:9")


def test_a_calibration_without_a_reader_is_refused_on_a_server(
    world: World, tmp_path: Path
) -> None:
    of_gate = _calibrate(tmp_path / "calibration", "0123456789abcdef")

    with pytest.raises(UsageError, match="name its reader"):
        Pipeline.open(
            world.index,
            model=str(world.model),
            calibration=of_gate,
            generator="vllm",
            base_url="http://127.0.0.1:9",
        )


def test_a_server_of_a_model_without_reflection_tokens_is_refused(
    world: World, merged: Path
) -> None:
    plain = Pipeline.open(world.index, model=str(world.model), device="cpu", dtype="float32")
    tokenizer = plain.builder.encoder.tokenizer
    whole = open_reader(merged, device=CPU, dtype=torch.float32)

    with (
        serving(Stub(whole.language.model, tokenizer)) as stub,
        pytest.raises(GenerationServerError, match="other tokens of a text"),
    ):
        _ask(_open(world, merged, stub.url), form="text")


def test_a_server_of_another_reader_is_refused_before_soft_tokens(
    world: World, merged: Path, tmp_path: Path
) -> None:
    save_tiny_reader(world, tmp_path / "other", seed=7)
    other = open_reader(tmp_path / "other", device=CPU, dtype=torch.float32).language

    with (
        serving(Stub(other.model, other.tokenizer)) as stub,
        pytest.raises(GenerationServerError, match="other embeddings"),
    ):
        _ask(_open(world, merged, stub.url), form="token")
