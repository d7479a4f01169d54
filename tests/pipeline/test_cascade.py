"""Mode cascade: which passages are judged, which are read, and what the answer says of both."""

from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import HIDDEN, World
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.errors import ArtifactError, ReaderMismatchError, UsageError
from xorag.generation.calibration_artifact import reader_fingerprint
from xorag.generation.reader.opening import open_reader
from xorag.generation.token_judge_artifact import TokenJudgeSettings, judge_manifest
from xorag.pipeline import Pipeline
from xorag.pipeline.selecting import best_places
from xorag.types import Form, Hit, Passage

QUESTION = "Who wrote Emma?"
TEXTS = ("Emma is a novel by Jane Austen.", "Paris is the capital.", "Berlin.", "Ale is a drink.")
PASSAGES = [Passage(f"p{i}", "", f"T{i}", text, 0) for i, text in enumerate(TEXTS)]


def save_tiny_judge(world: World, reader: Path, folder: Path, *, weight: float = 0.0) -> Path:
    """Write a random projector for judging that belongs to a reader."""
    opened = open_reader(reader, device=torch.device("cpu"), dtype=torch.float32)
    fingerprint = reader_fingerprint(opened.language.model, opened.vocabulary.ordered_ids)
    encoder = load_projector(world.projector).manifest.encoder
    assert encoder is not None
    torch.manual_seed(4)
    projector = Projector(encoder.dimensions, HIDDEN)
    settings = TokenJudgeSettings(fingerprint, with_title=True, similarity_weight=weight)
    save_projector(folder, projector, judge_manifest(opened, encoder, settings))
    return folder


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny")


@pytest.fixture(scope="module")
def judge(world: World, reader: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_judge(world, reader, tmp_path_factory.mktemp("judge") / "judge")


@pytest.fixture(scope="module")
def pipeline(world: World, reader: Path, judge: Path) -> Pipeline:
    return Pipeline.open(world.index, reader=reader, judge=judge, dtype="float32", device="cpu")


def test_the_passages_that_are_read_are_those_judged_most_relevant(pipeline: Pipeline) -> None:
    assert pipeline.cascade is not None
    assert pipeline.embedder is not None
    rows = pipeline.embedder.embed(PASSAGES, [1] * len(PASSAGES)).embeddings
    hits = [Hit(passage, 0.0, row[0]) for passage, row in zip(PASSAGES, rows, strict=True)]
    (judged,) = pipeline.cascade.judge.judge([QUESTION], [hits])

    answer = pipeline.ask(QUESTION, passages=PASSAGES, mode="cascade", keep=2)

    read = [item.passage for item in answer.evidence if item.form is Form.TEXT]
    assert read == [PASSAGES[at] for at in best_places(judged.relevances, 2)]


def test_a_passage_is_judged_alike_alone_and_among_others(pipeline: Pipeline) -> None:
    assert pipeline.cascade is not None
    assert pipeline.embedder is not None
    rows = pipeline.embedder.embed(PASSAGES, [1] * len(PASSAGES)).embeddings
    hits = [Hit(passage, 0.0, row[0]) for passage, row in zip(PASSAGES, rows, strict=True)]

    together = pipeline.cascade.judge.judge([QUESTION, "Where?"], [hits, hits[:1]])[0]
    alone = [pipeline.cascade.judge.judge([QUESTION], [[hit]])[0] for hit in hits]

    assert together.relevances == pytest.approx([one.relevances[0] for one in alone], abs=1e-5)


def test_what_is_left_out_is_named_with_its_tokens_and_the_reason(pipeline: Pipeline) -> None:
    answer = pipeline.ask(QUESTION, passages=PASSAGES, mode="cascade", keep=1)

    read, *left = answer.evidence
    assert (read.form, len(left)) == (Form.TEXT, 3)
    assert all(item.form is Form.TOKEN and item.tokens > 0 for item in left)
    assert all("not among the best 1" in item.reason for item in left)
    assert "among the best 1 of 4" in read.reason


def test_what_judging_reads_counts_among_the_prompt_tokens(pipeline: Pipeline) -> None:
    kept = [
        item.passage
        for item in pipeline.ask(QUESTION, passages=PASSAGES, mode="cascade", keep=2).evidence[:2]
    ]

    alone = pipeline.ask(QUESTION, passages=kept, mode="openrag", gate="always")
    whole = pipeline.ask(QUESTION, passages=PASSAGES, mode="cascade", keep=2)

    left = sum(item.tokens for item in whole.evidence[2:])
    assert whole.answer == alone.answer
    assert whole.cost.prompt_tokens > alone.cost.prompt_tokens + left


def test_where_all_passages_are_kept_none_is_judged_first(pipeline: Pipeline) -> None:
    openrag = pipeline.ask(QUESTION, passages=PASSAGES[:2], mode="openrag", gate="always")

    answer = pipeline.ask(QUESTION, passages=PASSAGES[:2], mode="cascade", keep=2)

    assert answer.answer == openrag.answer
    assert answer.cost.prompt_tokens == openrag.cost.prompt_tokens


def test_passages_are_found_in_the_index_and_read_as_sentences(pipeline: Pipeline) -> None:
    answer = pipeline.ask(QUESTION, mode="cascade", k=4, keep=1, form="sentences")

    assert [item.form for item in answer.evidence] == [Form.SENTENCES, *[Form.TOKEN] * 3]
    assert answer.evidence[0].shown


def test_the_reader_answers_in_its_other_mode_as_if_there_were_no_judge(
    world: World, reader: Path, pipeline: Pipeline
) -> None:
    without = Pipeline.open(world.index, reader=reader, dtype="float32", device="cpu")

    plain, judged = (
        each.ask(QUESTION, passages=PASSAGES, mode="openrag", gate="always")
        for each in (without, pipeline)
    )

    assert [item.critique for item in plain.evidence] == [item.critique for item in judged.evidence]


def test_similarity_counts_where_training_gave_it_a_weight(
    world: World, reader: Path, tmp_path: Path
) -> None:
    judge = save_tiny_judge(world, reader, tmp_path / "judge", weight=1e6)
    pipeline = Pipeline.open(world.index, reader=reader, judge=judge, dtype="float32", device="cpu")
    assert pipeline.embedder is not None
    rows = pipeline.embedder.embed(PASSAGES, [1] * len(PASSAGES)).embeddings
    asked = pipeline.embedder.embed_questions([QUESTION]).embeddings[0]
    nearest = max(range(len(rows)), key=lambda at: float(rows[at][0] @ asked))

    answer = pipeline.ask(QUESTION, passages=PASSAGES, mode="cascade", keep=1)

    assert answer.evidence[0].passage == PASSAGES[nearest]


def test_a_judge_in_the_readers_folder_is_used(
    world: World, reader: Path, judge: Path, tmp_path: Path
) -> None:
    copied = copytree(reader, tmp_path / "reader")
    copytree(judge, copied / "judge")

    pipeline = Pipeline.open(world.index, reader=copied, dtype="float32", device="cpu")

    assert pipeline.ask(QUESTION, mode="cascade", k=3, keep=1).evidence


def test_a_judge_of_another_reader_is_refused(world: World, judge: Path, tmp_path: Path) -> None:
    other = save_tiny_reader(world, tmp_path / "other", seed=7)

    with pytest.raises(ReaderMismatchError, match="trained for another reader"):
        Pipeline.open(world.index, reader=other, judge=judge, dtype="float32", device="cpu")


def test_a_projector_that_was_not_trained_for_judging_is_refused(
    world: World, reader: Path
) -> None:
    with pytest.raises(ArtifactError, match="not trained for judging"):
        Pipeline.open(world.index, reader=reader, judge=world.projector, device="cpu")


def test_without_a_judge_the_mode_is_refused_with_a_remedy(world: World, reader: Path) -> None:
    pipeline = Pipeline.open(world.index, reader=reader, dtype="float32", device="cpu")

    with pytest.raises(UsageError, match="xorag train judge"):
        pipeline.ask(QUESTION, mode="cascade")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "openrag", "keep": 2}, "mode 'cascade' only"),
        ({"mode": "cascade", "keep": 0}, "at least 1"),
        ({"mode": "cascade", "select": 2}, "give keep"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    pipeline: Pipeline, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        pipeline.ask(QUESTION, **options)
