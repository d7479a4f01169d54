"""Wrong input to the program: one sentence, exit code 1 or 2, and nothing half-written.

Signals and a full disk are tried on real processes, the rest in this one, where it takes a
hundredth of the time. What else a verb or a reader refuses is tested beside it.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.test_pdf_files import _pdf
from tests.pipeline.tiny_world import make_world
from tests.untraced import untraced_environment
from xorag.cli.main import main
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import WEIGHTS_NAME, load_projector, save_projector

XORAG = str(Path(sys.executable).with_name("xorag"))
ASK = ("ask", "Who wrote Emma?", "--index", "index", "--model", "model")
SEARCH = ("search", "Emma", "--index")
INDEX = ("index", "--index", "new", "--encoder", "ENCODER")
LONG = "x" * 400
INTERRUPTED = "Error: interrupted; run the same command again to go on or start over\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a tiny system, and with parts of it that are wrong."""
    folder = tmp_path_factory.mktemp("place")
    world = make_world(folder)
    (folder / "ENCODER").symlink_to(world.encoder)
    (folder / "OTHER").symlink_to(world.other_encoder)
    saved = load_projector(world.projector)
    shape: dict[str, object] = {"settings": {}, "base_model": None, "encoder": None}
    save_projector(folder / "wide", Projector(32, 64), saved.manifest.model_copy(update=shape))
    for name in ("cut", "altered"):
        shutil.copytree(world.projector, folder / name)
    weights = (world.projector / WEIGHTS_NAME).read_bytes()
    (folder / "cut" / WEIGHTS_NAME).write_bytes(weights[:-100])
    (folder / "altered" / WEIGHTS_NAME).write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    shutil.copytree(world.index, folder / "garbled")
    (folder / "garbled" / "manifest.json").write_text('{"kind": "ind')
    (folder / "empty").mkdir()
    (folder / "rows.jsonl").write_text('{"text": "Good."}\n{"text": "Good as well."}\n{"te\n')
    (folder / "ckpt.pth").write_bytes(b"PK\x03\x04 cut short")
    (folder / "mine.toml").write_text('out = "run"\n[passages]\nindex = "none"\n')
    _pdf(folder / "secret.pdf", "Hidden.", password="pass")  # noqa: S106
    return folder


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*INDEX, "gone.txt"), 1, "gone.txt"),
        ((*INDEX, "empty"), 1, "holds nothing to index"),
        ((*INDEX, "secret.pdf"), 1, "secret.pdf: it is encrypted"),
        ((*INDEX, "rows.jsonl"), 1, "rows.jsonl, line 3"),
        ((*SEARCH, "index", "-k", "0"), 2, "k must be at least 1, got 0"),
        ((*SEARCH, "garbled"), 1, "manifest.json' is not valid JSON"),
        ((*SEARCH, "rows.jsonl"), 1, "no index at 'rows.jsonl'"),
        (("ask", " ", *ASK[2:]), 2, "is empty"),
        ((*ASK[:4], "--model", "./none"), 1, "no language model at './none'"),
        ((*ASK, "--projector", "wide"), 1, "width 64"),
        ((*ASK, "--projector", "cut"), 1, "it was cut short or altered"),
        ((*ASK, "--projector", "altered"), 1, "its sha256 differs"),
        ((*ASK, "--projector", "projector", "--encoder", "OTHER"), 1, "leave out --encoder"),
        (("import", "ckpt.pth", "--to", "new"), 1, "cannot be read as weights alone"),
        (("train", "projector", "mine.toml"), 1, "no index at 'none'"),
        (("train", "projector", "mine.toml", "train.stepz=3"), 2, "stepz is not an option"),
        (("config", "show", "none"), 2, "no recipe 'none'"),
    ],
    ids=lambda value: " ".join(value[:9]) if isinstance(value, tuple) else None,
)
def test_wrong_input_gets_one_sentence_and_leaves_nothing(
    words: tuple[str, ...],
    code: int,
    said: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    before = contents(place)

    with pytest.raises(SystemExit) as ended:
        main(words)

    printed = capsys.readouterr()
    _, _, error = printed.err.rpartition("Error: ")
    assert (ended.value.code, printed.out) == (code, "")
    assert said in error
    assert error.count("\n") == 1
    assert contents(place) == before


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks into a process as on Linux")
@pytest.mark.parametrize(
    "words",
    [
        (*ASK, "--projector", "projector", "--max-new-tokens", "400"),
        (*SEARCH, "index"),
        ("import", "ckpt.pth", "--to", "new"),
        ("train", "projector", "mine.toml"),
    ],
    ids=lambda words: words[0],
)
def test_ctrl_c_while_libraries_are_loaded_is_one_sentence(
    words: tuple[str, ...], place: Path
) -> None:
    before = contents(place)
    command = [XORAG, *words]
    with subprocess.Popen(
        command, cwd=place, env=untraced_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_torch(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=300)

    assert process.returncode == 1
    assert errors.endswith(INTERRUPTED)
    assert "Traceback" not in errors
    assert contents(place) == before


def test_a_full_disk_is_said_and_nothing_is_left_on_it(place: Path, small_disk: Path) -> None:
    many = small_disk.parent / "many.jsonl"
    many.write_text("".join(f'{{"text": "River {i}. {LONG}"}}\n' for i in range(1500)))
    index = [XORAG, "index", str(many), "--index", str(small_disk / "ix"), "--encoder", "ENCODER"]

    ended = subprocess.run(
        index, cwd=place, capture_output=True, text=True, timeout=600, check=False
    )

    assert ended.returncode == 1
    assert "the disk is full" in ended.stderr
    assert ended.stderr.rpartition("Error: ")[2].count("\n") == 1
    assert "Traceback" not in ended.stderr
    assert list(small_disk.iterdir()) == []  # nothing was indexed, so nothing is left


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB, where the tests may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small disk needs root on Linux")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S607 - wherever the system has it


def contents(folder: Path) -> dict[str, int]:
    """Sizes of all files, and the folders, below a folder."""
    return {
        str(path.relative_to(folder)): path.stat().st_size if path.is_file() else -1
        for path in sorted(folder.rglob("*"))
        if path.name != ".writer.lock"
    }


def wait_for_torch(process: int) -> None:
    """Wait until a process has begun to import torch, so that it is well on its way."""
    maps = Path("/proc") / str(process) / "maps"
    deadline = time.monotonic() + 300
    while "libtorch" not in maps.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
