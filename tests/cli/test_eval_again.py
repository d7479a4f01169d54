"""`xorag eval` that is refused, repeated, added to or killed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.tiny_evaluation import QUESTIONS, kept, run, words_of, write
from tests.pipeline.tiny_world import World, make_world
from tests.untraced import untraced_environment
from xorag.cli.main import main
from xorag.compression.projector_artifact import load_projector, save_projector

XORAG = str(Path(sys.executable).with_name("xorag"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def nq(tmp_path: Path) -> Path:
    return write(tmp_path / "nq.jsonl", QUESTIONS)


def test_the_same_command_again_answers_nothing_again(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--questions", nq, "--out", tmp_path / "out", "--modes", "closed,text", "--json")
    run(world, *words)
    first, before = capsys.readouterr().out, (tmp_path / "out/nq/text.jsonl").read_bytes()

    assert run(world, *words) == 0

    assert capsys.readouterr().out == first
    assert (tmp_path / "out/nq/text.jsonl").read_bytes() == before


def test_a_mode_can_be_added_and_is_compared_with_what_is_there(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(world, "--questions", nq, "--out", out, "--modes", "closed")
    capsys.readouterr()

    assert run(world, "--questions", nq, "--out", out, "--modes", "text", "--json") == 0

    (summary,) = json.loads(capsys.readouterr().out)["sets"]
    assert [c["verdict"] for c in summary["conditions"]] == [None, "ties with closed book"]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--questions", "gone.jsonl", "--out", "out"), 2, "gone.jsonl"),
        (("--questions", "empty.jsonl", "--out", "out"), 1, "empty.jsonl"),
        (("--questions", "nq.jsonl", "--out", "out", "--modes", "guess"), 2, "no mode 'guess'"),
        (
            ("--questions", "nq.jsonl", "--out", "out", "--gate", "token"),
            2,
            "--gate is for mode 'openrag', which is not asked",
        ),
        (
            ("--questions", "nq.jsonl", "--out", "out", "--hops", "2"),
            2,
            "--hops 2 looks for passages, but they are given",
        ),
        (("--questions", "nq.jsonl", "--out", "out", "-k", "0"), 2, "-k must be at least 1, got 0"),
        (("--questions", "nq.jsonl", "--out", "out", "--limit", "0"), 2, "--limit must be"),
        (
            ("--questions", "nq.jsonl", "--out", "out", "--tokens-per-passage", "1;4"),
            2,
            "must be numbers such as 1,4,8, got '1;4'",
        ),
        (("--questions", "nq.jsonl", "--out", "out", "--batch-tokens", "0"), 2, "--batch-tokens"),
        (("--questions", "nq.jsonl", "--out", "nq.jsonl/out"), 1, "that you may write to"),
        (("--questions", "nq.jsonl", "--out", "."), 2, "holds other files"),
        (
            ("--questions", "nq.jsonl", "--out", "out", "--passages", "retrieved", "--index", "no"),
            1,
            "no index at 'no'",
        ),
        (("--out", "out"), 2, "--questions"),
    ],
    ids=lambda value: " ".join(value[2:]) if isinstance(value, tuple) else None,
)
def test_wrong_input_gets_one_sentence_and_writes_nothing(
    words: tuple[str, ...],
    code: int,
    reason: str,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "nq.jsonl", QUESTIONS)
    write(tmp_path / "empty.jsonl", [])

    assert run(world, *words) == code

    printed = capsys.readouterr()
    _, _, error = printed.err.rpartition("Error: ")
    assert reason in error
    assert (error.count("\n"), printed.out) == (1, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.jsonl", "nq.jsonl"]


def test_soft_tokens_without_a_projector_are_refused_before_anything_is_asked(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", "--questions", nq, "--out", tmp_path / "out", "--model", world.model]

    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))

    assert ended.value.code == 1
    assert "leave out xrag of --modes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_given_passages_need_an_encoder_that_is_named_somewhere(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = load_projector(world.projector)
    nameless = saved.manifest.model_copy(update={"encoder": None})
    save_projector(tmp_path / "nameless", saved.projector, nameless)
    words = ("--questions", nq, "--out", tmp_path / "out", "--projector", tmp_path / "nameless")

    refused = run(world, *words)
    reason = capsys.readouterr().err
    answered = run(world, *words, "--encoder", world.encoder)

    assert (refused, answered) == (2, 0)
    assert "name it with --encoder" in reason


def test_an_evaluation_goes_on_in_the_format_in_which_it_began(
    world: World, nq: Path, tmp_path: Path
) -> None:
    words = ("--questions", nq, "--out", tmp_path / "out", "--modes", "closed")
    run(world, *words, "--dtype", "float16")
    unset = [str(w) for w in ("eval", "--model", world.model, "--projector", world.projector)]

    with pytest.raises(SystemExit) as ended:
        main([*unset, *map(str, words), "--max-new-tokens", "4"])

    assert not ended.value.code
    plan = json.loads((tmp_path / "out" / "eval.json").read_text())
    assert plan["models"]["dtype"] == "float16"


def test_an_evaluation_with_another_seed_is_refused_with_the_way_out(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--questions", nq, "--out", tmp_path / "out", "--modes", "closed")
    run(world, *words)
    capsys.readouterr()

    code = run(world, *words, "--seed", 1)

    assert code == 2
    assert "differs in seed (0 there, 1 now); give another directory" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_program_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    rows = [{**QUESTIONS[0], "id": f"q{i}"} for i in range(400)]
    nq, out = write(tmp_path / "nq.jsonl", rows), tmp_path / "out"
    words = ("--questions", nq, "--out", out, "--modes", "text", "--batch-tokens", 1)
    path = out / "nq" / "text.jsonl"
    with subprocess.Popen(
        [XORAG, *words_of(world, *words)], env=untraced_environment(), stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 240
        while not path.exists() or path.read_bytes().count(b"\n") < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    before = path.read_bytes()

    assert run(world, *words) == 0

    whole = before[: before.rfind(b"\n") + 1]
    assert 3 <= whole.count(b"\n") < 400
    assert path.read_bytes().startswith(whole)
    assert len(kept(out, "text")) == path.read_bytes().count(b"\n") == 400
