"""The frontier from question files to tables, in a tiny world."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.frontier.__main__ import main
from benchmarks.frontier.answering import Batches
from benchmarks.frontier.conditions import chosen
from benchmarks.frontier.pool_retriever import EmbeddedPool, PoolRetriever
from benchmarks.frontier.pools import Shard, make_pools, read_wanted
from benchmarks.frontier.records import read_records
from tests.benchmarks.pools import passage, question, write_questions
from tests.pipeline.tiny_world import World
from xorag.retrieval.timed import TimedEmbeddings, TimedHits
from xorag.types import Answer, Cost, FloatArray, Hit, Mode, Passage, Seconds


class Found:
    """A search that finds the same for every question."""

    def __init__(self, *texts: str) -> None:
        self._hits = [Hit(passage(text), 0.5) for text in texts]

    def open(self) -> None:
        """Nothing to do."""

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        """All of it."""
        assert pieces == 1
        return TimedHits([self._hits[:k] for _ in questions])


class Ones:
    """Embeds every piece as ones."""

    def embed(self, passages: Sequence[Passage], counts: Sequence[int]) -> TimedEmbeddings:
        """As many rows as were asked for."""
        rows: list[FloatArray] = [np.ones((count, 2), np.float32) for count in counts]
        assert len(rows) == len(passages)
        return TimedEmbeddings(rows, 1.0)

    def embed_questions(self, questions: Sequence[str]) -> TimedEmbeddings:
        """A row each."""
        return TimedEmbeddings([np.ones(2, np.float32) for _ in questions], 1.0)


def compute(seconds: float) -> None:
    """Keep the processor busy."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_question_with_one_passage_gets_nine_that_hold_no_answer() -> None:
    gold = question("France", passages=1)
    wrong = [f"city number {number}" for number in range(12)]
    search = Found("one holds the answer", gold.passages[0].text, *wrong)

    (pool,) = make_pools({"nq": [gold]}, search, seed=0)

    assert {each.text for each in pool.passages} == {gold.passages[0].text, *wrong[:9]}
    assert len(pool.passages) == 10


def test_a_question_with_ten_passages_keeps_them_in_an_order_of_the_seed() -> None:
    asked = question("France")

    first, second = (make_pools({"x": [asked]}, Found(), seed=seed)[0] for seed in (0, 1))

    assert {each.text for each in first.passages} == {each.text for each in asked.passages}
    assert set(first.passages) == set(second.passages)
    assert first.passages != second.passages


def test_shards_part_the_questions(tmp_path: Path) -> None:
    asked = [question(name) for name in ("France", "Spain", "Peru", "Chad", "Iran", "Mali")]
    source = [str(write_questions(tmp_path / "made.jsonl", asked))]

    shards = [
        read_wanted(source, limit=5, seed=0, shard=Shard(number, 2))["made"] for number in (1, 2)
    ]
    whole = read_wanted(source, limit=5, seed=0, shard=Shard())["made"]

    assert sorted(each.id for shard in shards for each in shard) == sorted(q.id for q in whole)
    assert len(whole) == 5


def test_the_most_similar_passages_are_found_in_the_order_of_the_pool() -> None:
    hits = tuple(Hit(passage(text), score) for text, score in (("a", 0.2), ("b", 0.1), ("c", 0.9)))
    pools = {"?": EmbeddedPool(hits, np.ones(2, np.float32), 0.25)}
    retriever = PoolRetriever(pools, Ones(), stored_pieces=4)

    plain = retriever.find(["?"], k=2)
    with_pieces = retriever.find(["?"], k=1, pieces=0)

    assert [hit.passage.text for hit in plain.hits[0]] == ["a", "c"]
    assert plain.hits[0][0].pieces is None
    assert plain.encode_seconds == 0.25
    assert with_pieces.hits[0][0].pieces is not None
    assert with_pieces.hits[0][0].pieces.shape == (4, 2)


def test_the_answers_of_a_batch_share_its_seconds() -> None:
    kept: list[tuple[int, float]] = []
    answer = Answer("?", Mode.CLOSED, "", (), Cost(0, 0, 0, 0, Seconds(0, 0, 0, 0)))
    batches = Batches(lambda place, _answer, seconds: kept.append((place, seconds)))

    compute(0.2)
    batches.add(0, answer)
    batches.add(1, answer)
    compute(0.1)
    batches.add(2, answer)
    batches.end()

    assert [place for place, _ in kept] == [0, 1, 2]
    assert [seconds for _, seconds in kept] == pytest.approx([0.1, 0.1, 0.1], abs=0.03)


def test_conditions_are_chosen_by_patterns() -> None:
    assert [each.label for each in chosen(["text*", "closed"])] == [
        "closed",
        *("text1", "text3", "text5", "text10"),
    ]
    with pytest.raises(SystemExit, match="no condition 'texts'"):
        chosen(["texts"])


def test_the_frontier_is_asked_once_and_reported(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [question(name) for name in ("France", "Germany")]
    source = write_questions(tmp_path / "made.jsonl", asked)
    labels = ["closed", "text1", "cut32", "bm25-32", "tfidf-32", "pruned32", "token1", "strings1"]
    arguments = [
        *("--index", str(world.index), "--model", str(world.model)),
        *("--projector", str(world.projector), "--dtype", "float32", "--max-new-tokens", "2"),
        *("--questions", str(source), "--out", str(tmp_path / "out"), "--conditions", *labels),
    ]

    main(arguments)
    first = read_records(tmp_path / "out")
    main(arguments)

    assert len(first) == len(asked) * len(labels)
    assert read_records(tmp_path / "out") == first
    found = json.loads((tmp_path / "out" / "frontier.json").read_text())
    assert [point["label"] for point in found["points"]] == labels
    assert found["questions"] == {"made": 2}
    by_label = {each["label"]: each for each in found["points"]}
    assert by_label["closed"]["passage_tokens"] == 0
    assert 0 < by_label["cut32"]["passage_tokens"] <= 32
    assert by_label["token1"]["passage_tokens"] < by_label["text1"]["passage_tokens"] * 10
    assert (tmp_path / "out" / "frontier.svg").stat().st_size > 0
    assert "| `strings1` |" in capsys.readouterr().out
