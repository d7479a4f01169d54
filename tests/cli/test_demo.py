"""`xorag demo` on a tiny system, and its questions against the real sample."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.tiny_world import DOCUMENTS, World, make_world
from xorag.cli import demo
from xorag.cli.main import main
from xorag.data.readers import read_documents
from xorag.errors import ModelNotFoundError
from xorag.runtime.packages import PackagedFile
from xorag.runtime.sources import sample_corpus_path
from xorag.types import Document

SUBJECTS = ("Mount Kilimanjaro", "Valentina Tereshkova", "Murasaki Shikibu", "Moai", "Haiku")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def corpus(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny corpus and models in the place of those that xorag comes with."""
    path = tmp_path / "corpus.json"
    path.write_text(json.dumps({d.id: {"title": d.title, "extract": d.text} for d in DOCUMENTS}))
    monkeypatch.setenv("XORAG_CACHE", str(tmp_path / "cache"))
    parts = {"corpus": path, "language model": world.model, "encoder": world.encoder}
    monkeypatch.setattr(PackagedFile, "find", lambda self: parts[self.role])
    return path


def run(world: World, *words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--projector", str(world.projector), *words])
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("corpus")
def test_each_question_is_answered_in_each_way(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, "--json")

    document = json.loads(capsys.readouterr().out)
    asked = [(answer["mode"], answer["question"]) for answer in document["answers"]]
    assert code == 0
    assert document["passages"] == len(DOCUMENTS)
    modes = ("closed", "text", "xrag", "xrag")
    assert asked == [(m, q) for m in modes for q in demo.QUESTIONS]
    forms = {
        answer["evidence"][0]["form"] for answer in document["answers"][-len(demo.QUESTIONS) :]
    }
    assert forms == {"sentences"}


@pytest.mark.usefixtures("corpus")
def test_people_see_the_ways_side_by_side(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(world, "-k", "2")

    shown = capsys.readouterr().out
    assert code == 0
    assert all(question in shown for question in demo.QUESTIONS)
    assert shown.count("\n  closed ") == shown.count("\n  xrag ") == len(demo.QUESTIONS)
    assert shown.count("\n  sentences ") == len(demo.QUESTIONS)
    assert "one soft token each" in shown
    assert "xorag demo --all" in shown


@pytest.mark.usefixtures("corpus")
def test_a_larger_demo_adds_to_the_index_and_a_smaller_one_takes_nothing_away(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for words in (["--articles", "2"], ["--all"]):
        run(world, "--json", *words)
        counts.append(json.loads(capsys.readouterr().out)["passages"])
    monkeypatch.setattr(demo, "_progress", None)  # nothing is indexed any more

    assert run(world, "--json", "--articles", "2") == 0
    counts.append(json.loads(capsys.readouterr().out)["passages"])
    assert counts == [2, len(DOCUMENTS), len(DOCUMENTS)]


@pytest.mark.parametrize("words", [["--articles", "0"], ["-k", "0"]])
def test_a_number_that_makes_no_sense_is_refused(
    words: list[str], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(world, *words) == 2
    assert "must be at least 1, got 0" in capsys.readouterr().err


@given(st.permutations(range(20)))
def test_the_sample_does_not_depend_on_the_order_of_the_corpus(order: list[int]) -> None:
    documents = [Document(f"d{number}", "", "text") for number in order]

    ids = [document.id for document in demo.in_sample_order(documents)]

    assert ids == [
        document.id
        for document in demo.in_sample_order([Document(f"d{n}", "", "text") for n in range(20)])
    ]


def test_the_sample_holds_what_the_questions_are_about() -> None:
    try:
        corpus = sample_corpus_path()
    except ModelNotFoundError as error:
        pytest.skip(str(error))

    sample = demo.in_sample_order(read_documents([corpus]))[:1000]

    assert {document.title for document in sample} >= set(SUBJECTS)
