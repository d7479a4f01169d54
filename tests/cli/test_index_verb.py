"""`xorag index` as a user calls it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.retrieval.tiny_encoders import save_colbert, save_encoder
from tests.untraced import untraced_environment
from xorag.cli.main import main
from xorag.retrieval.index import PassageIndex

XORAG = Path(sys.executable).with_name("xorag")
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_encoder(tmp_path_factory.mktemp("encoder")))


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run the program in this process, in an empty directory: code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(words)
        out, err = capsys.readouterr()
        return int(str(stopped.value.code or 0)), out, err

    return run


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    write_rows(path, 20)
    return path


def write_rows(path: Path, count: int, *, text: str = "Emma wrote novel") -> None:
    lines = [
        json.dumps({"id": f"d{i}", "title": f"T{i}", "text": f"{text}{i}x."}) for i in range(count)
    ]
    path.write_text("\n".join(lines) + "\n")


def test_documents_are_indexed_and_counted(call: Call, rows: Path, encoder_folder: str) -> None:
    code, out, err = call("index", str(rows), "--index", "ix", "--encoder", encoder_folder)

    assert (code, err) == (0, "")
    assert "documents: 20 added" in out
    assert "passages: 20 encoded in" in out
    assert "20 in the index ix" in out


def test_running_again_encodes_nothing_and_needs_no_encoder_named(
    call: Call, rows: Path, encoder_folder: str
) -> None:
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder)

    code, out, _ = call("index", str(rows), "--index", "ix", "--json")

    report = json.loads(out)
    seconds = report.pop("seconds")
    assert code == 0
    assert seconds > 0
    assert report == {
        "index": "ix",
        "encoder": encoder_folder,
        "added": 0,
        "updated": 0,
        "unchanged": 20,
        "deleted": 0,
        "empty": 0,
        "skipped_rows": 0,
        "passages": 0,
        "total_passages": 20,
        "start_seconds": 0.0,
    }


def test_pieces_are_kept_on_request_and_their_number_stays(
    call: Call, rows: Path, encoder_folder: str
) -> None:
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder, "--pieces", "4")

    again, _, _ = call("index", str(rows), "--index", "ix")
    code, _, err = call("index", str(rows), "--index", "ix", "--pieces", "8")

    assert again == 0
    assert PassageIndex.open(Path("ix")).piece_count == 4
    assert code == 1
    assert "holds 4 pieces a passage, but 8 were asked for; leave out --pieces" in err


def test_a_limit_reads_so_many_documents(call: Call, rows: Path, encoder_folder: str) -> None:
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder, "--limit", "7")

    assert PassageIndex.open(Path("ix")).document_count() == 7


def test_documents_that_left_their_source_are_pruned_on_request(
    call: Call, rows: Path, encoder_folder: str
) -> None:
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder)
    write_rows(rows, 5)

    _, out, _ = call("index", str(rows), "--index", "ix", "--prune")

    assert "5 unchanged, 15 deleted" in out


def test_documents_are_deleted_by_id(call: Call, rows: Path, encoder_folder: str) -> None:
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder)

    _, out, _ = call("index", "--index", "ix", "--delete", "d1", "--delete", "d2")
    _, as_json, _ = call("index", "--index", "ix", "--delete", "d3", "--json")

    assert out == "documents: 2 deleted from the index ix\n"
    assert json.loads(as_json) == {"index": "ix", "deleted": 1}
    assert PassageIndex.open(Path("ix")).document_count() == 17


def test_bad_rows_are_named_by_line_or_left_out_and_counted(
    call: Call, rows: Path, encoder_folder: str
) -> None:
    with rows.open("a") as stream:
        stream.write("{broken\n")
    words = ("index", str(rows), "--index", "ix", "--encoder", encoder_folder)

    code, _, err = call(*words)
    skipped, out, said = call(*words, "--skip-bad")

    assert code == 1
    assert "line 21" in err
    assert "--skip-bad" in err
    assert not Path("other").exists()
    assert skipped == 0
    assert "1 bad rows left out" in out
    assert said.startswith("left out: ")
    assert "line 21" in said


def test_options_of_the_encoder_are_recorded(call: Call, rows: Path, encoder_folder: str) -> None:
    options = ("--encoder-option", "normalize=false", "--encoder-option", "pooling=cls")

    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder, *options)

    spec = PassageIndex.open(Path("ix")).spec
    assert (spec.normalized, spec.pooling) == (False, "cls")
    again, out, _ = call("index", str(rows), "--index", "ix", "--json")
    assert (again, json.loads(out)["unchanged"]) == (0, 20)


def test_a_colbert_checkpoint_makes_an_index_of_its_own(
    call: Call, rows: Path, tmp_path: Path
) -> None:
    colbert = str(save_colbert(tmp_path / "made"))

    code, _, _ = call("index", str(rows), "--index", "ix", "--encoder", colbert, "--multivector")

    assert code == 0
    assert PassageIndex.open(Path("ix")).spec.multivector


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere.jsonl",), 1, "nowhere.jsonl"),
        ((), 1, "no sources were given"),
        (("rows.jsonl", "--limit", "0"), 2, "--limit must be at least 1, got 0"),
        (("rows.jsonl", "--chunk-tokens", "3"), 2, "--chunk-tokens must be at least 16, got 3"),
        (("rows.jsonl", "--pieces", "1"), 2, "--pieces must be 2 to 16, got 1"),
        (("rows.jsonl", "--prune", "--limit", "3"), 2, "does not go with --limit or --skip-bad"),
        (("rows.jsonl", "--delete", "d1"), 2, "--delete takes documents out and reads no sources"),
        (("--delete", "d1"), 1, "no index at 'ix'"),
        (("rows.jsonl", "--encoder-option", "poling=cls"), 2, "'poling=cls' is not one of"),
        (("rows.jsonl", "--encoder", "./none"), 1, "./none"),
        (("empty",), 1, "holds nothing to index"),
        (("rows.jsonl", "--multivector"), 2, "needs a ColBERT checkpoint"),
        (("rows.jsonl", "--device", "abacus"), 2, "'abacus' is no device"),
    ],
)
def test_what_cannot_work_gets_one_sentence_and_leaves_nothing(
    call: Call, words: tuple[str, ...], code: int, said: str
) -> None:
    Path("empty").mkdir()
    before = sorted(Path().iterdir())

    given, out, err = call("index", *words, "--index", "ix")

    assert (given, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_a_folder_with_other_files_is_not_made_an_index(
    call: Call, rows: Path, encoder_folder: str
) -> None:
    words = ("index", str(rows), "--index", ".", "--encoder", encoder_folder)

    code, _, err = call(*words)

    assert code == 2
    assert "holds files, but no index" in err


def test_another_encoder_is_refused_with_the_way_out(
    call: Call, rows: Path, encoder_folder: str, tmp_path: Path
) -> None:
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder)
    other = str(save_encoder(tmp_path / "other", seed=9))

    code, _, err = call("index", str(rows), "--index", "ix", "--encoder", other)

    assert code == 1
    assert f"`xorag index --encoder {other}`" in err


def test_ctrl_c_ends_a_run_in_one_sentence_and_running_again_goes_on(
    tmp_path: Path, encoder_folder: str
) -> None:
    source = tmp_path / "many.jsonl"
    write_rows(source, 40_000, text="Emma wrote the novel of a king in paris. " * 3)
    command = [str(XORAG), "index", str(source), "--index", "ix", "--encoder", encoder_folder]
    with subprocess.Popen(
        command, cwd=tmp_path, env=untraced_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_passages(tmp_path / "ix")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    kept = PassageIndex.open(tmp_path / "ix").passage_count()
    assert process.returncode == 1
    assert "Error: interrupted; run the same command again to go on" in err
    assert "Traceback" not in err
    assert 0 < kept < 40_000
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def wait_for_passages(directory: Path) -> None:
    """Wait until a run in another process has written something."""
    deadline = time.monotonic() + 90
    while (
        not (directory / "manifest.json").exists()
        or not PassageIndex.open(directory).passage_count()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_index_is_readable_by_another_process_at_once(
    call: Call, rows: Path, encoder_folder: str
) -> None:
    call("index", str(rows), "--index", "ix", "--encoder", encoder_folder)

    done = subprocess.run(
        [str(XORAG), "search", "novel3x", "--index", "ix", "--mode", "bm25", "--json"],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout)["hits"][0]["document_id"] == "d3"
