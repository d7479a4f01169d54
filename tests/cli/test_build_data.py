"""`xorag build-data instructions` as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import RunXorag
from tests.data.instruction_rows import passage, question, write_questions
from tests.retrieval.tiny_encoders import save_encoder
from xorag.cli.main import main
from xorag.data.instructions.reading import read_instructions
from xorag.data.training_corpus import content_id
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.types import Document

Call = Callable[..., tuple[int, str, str]]
GOLD = passage("Emma is a novel by Jane Austen.", supports=True, title="Emma")
LISTED = Document(content_id("Sea", "The novel sea."), "Sea", "The novel sea.")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with questions, an index, and a list of what is kept out."""
    folder = tmp_path_factory.mktemp("world")
    encoder = Encoder.open(str(save_encoder(folder)), device="cpu")
    documents = [Document(f"d{n}", f"T{n}", f"A novel of war number{n}x.") for n in range(30)]
    answer = Document("answer", "Bath", "Jane Austen wrote a novel in Bath.")
    build_index([*documents, answer, LISTED], folder / "index", encoder)
    rows = [question(f"Who wrote novel {n}?", ["Jane Austen"], GOLD, number=n) for n in range(40)]
    write_questions(folder / "nq.jsonl.gz", *rows)
    (folder / "keep_out.txt").write_text(LISTED.id + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the program in this process: code, stdout, stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["build-data", "instructions", *map(str, words)])
        out, err = capsys.readouterr()
        return int(str(stopped.value.code or 0)), out, err

    return run


def test_examples_are_written_and_counted(call: Call, world: Path, tmp_path: Path) -> None:
    code, out, err = call(world / "nq.jsonl.gz", "--out", tmp_path / "out")

    assert (code, err) == (0, "")
    assert "40 examples" in out
    assert "nq" in out
    examples = list(read_instructions(tmp_path / "out"))
    assert len(examples) == 40
    assert {example.passages for example in examples} == {(GOLD,)}


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_distractors_come_from_an_index_without_answers_and_without_what_is_kept_out(
    call: Call, world: Path, tmp_path: Path, mode: str
) -> None:
    code, out, _ = call(
        *(world / "nq.jsonl.gz", "--out", tmp_path / "out", "--json", "--passages", "1..6"),
        *("--index", world / "index", "--retrieve", mode, "--depth", 32, "--device", "cpu"),
        *("--keep-out", world / "keep_out.txt"),
    )

    card = json.loads(out)
    examples = list(read_instructions(tmp_path / "out"))
    shown = {p.text for e in examples for p in e.passages if p.is_supporting is False}
    assert code == 0
    assert set(card["passages"]) == {str(n) for n in range(1, 7)}
    assert all(GOLD in example.passages for example in examples)
    assert len(shown) > 10
    assert all(text.startswith("A novel of war") for text in shown)
    assert card["made"]["options"]["retrieval"]["mode"] == mode
    assert set(card["sets"][0]["dropped_passages"]) == {"holds_an_answer", "keep_out"}


def test_questions_without_passages_get_retrieved_ones_that_hold_the_answer(
    call: Call, world: Path, tmp_path: Path
) -> None:
    asked = question("Which novel of Bath did Jane Austen write?", ["in Bath"])
    file = write_questions(tmp_path / "webquestions.jsonl", asked)

    code, _, _ = call(
        file, "--out", tmp_path / "out", "--index", world / "index", "--passages", "3"
    )

    (example,) = read_instructions(tmp_path / "out")
    assert code == 0
    assert len(example.passages) == 3
    assert [p.title for p in example.passages if p.is_supporting] == ["Bath"]


def test_the_card_holds_the_command_that_made_it(xorag: RunXorag, tmp_path: Path) -> None:
    write_questions(tmp_path / "a set.jsonl", question("Who?", ["Austen"], GOLD))

    ran = xorag("build-data", "instructions", "a set.jsonl", "--out", "out", "--seed", "7")

    card = json.loads((tmp_path / "out" / "data-card.json").read_text(encoding="utf-8"))
    assert ran.returncode == 0
    assert card["made"]["command"] == (
        "xorag build-data instructions 'a set.jsonl' --out out --seed 7"
    )
    assert card["made"]["seed"] == 7


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["--passages", "0"], 2, "numbers of passages must be like 1..10"),
        (["--without-gold", "2"], 2, "from 0 to 1"),
        (["--limit", "0"], 2, "limit must be at least 1"),
        (["--retrieve", "bm25"], 2, "name it with --index"),
        (["--index", "nowhere"], 1, "no index at"),
        (["--index", "INDEX", "--depth", "0"], 2, "at least 1"),
        (["--keep-out", "nowhere.txt"], 1, "nowhere.txt cannot be read"),
        (["--reserve", "nowhere"], 2, "no question set 'nowhere'"),
        (["--reserve", "HERE"], 1, "is a folder without"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(
    call: Call, world: Path, tmp_path: Path, words: list[str], code: int, complaint: str
) -> None:
    places = {"INDEX": world / "index", "HERE": tmp_path}
    given = [places.get(word, word) for word in words]

    failed, out, err = call(world / "nq.jsonl.gz", "--out", tmp_path / "out", *given)

    assert (failed, out) == (code, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert complaint in err
    assert not (tmp_path / "out").exists()
