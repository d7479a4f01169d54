"""How the program begins and ends."""

import gc
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.untraced import untraced_environment
from xorag.cli import main as cli
from xorag.cli.start import main

LIGHT = ("typer", "rich", "numpy", "torch")
SLOW_TYPER = """
print("importing", flush=True)
import time
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    """Give back to the collector what the program froze at its end."""
    yield
    gc.unfreeze()


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of POSIX")
def test_ctrl_c_while_the_first_library_is_imported_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(SLOW_TYPER, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", "from xorag.cli.start import main; main()"],
        env={**untraced_environment(), "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert errors == "Error: interrupted; run the same command again to go on or start over\n"


def test_nothing_that_takes_time_is_imported_before_an_interrupt_can_be_told() -> None:
    code = f"import sys, xorag.cli.start; print([n for n in {LIGHT} if n in sys.modules])"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"


def test_the_program_ends_with_the_exit_code_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["xorag", "modles"])

    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 2


def test_at_its_end_nothing_is_left_for_python_to_look_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "main", lambda: None)

    main()

    assert gc.get_freeze_count() > len(gc.get_objects())
