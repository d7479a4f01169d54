"""Results go to stdout, all else to stderr, and neither can play tricks on a terminal."""

import io
import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.cli import output
from xorag.cli.progress import Progress


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is put forward by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@given(st.text())
def test_what_is_printed_holds_no_control_characters(text: str) -> None:
    shown = output.printable(text)

    assert all(c in "\n\t" or c.isprintable() or ord(c) >= 160 for c in shown)


def test_escape_sequences_and_markup_in_a_passage_are_only_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.table(("text",), [("\x1b[31mred [/bold] :smile: [link=x]",)])

    assert "[31mred [/bold] :smile: [link=x]" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_survives_any_encoding_of_stdout(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    document = {"answer": "Zürich 🙂 \udc80"}

    output.configure_streams()
    output.print_json(document)
    sys.stdout.flush()

    assert json.loads(written.getvalue().decode(encoding)) == document


def test_json_refuses_what_json_lacks() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.print_json({"score": float("nan")})


def test_log_records_go_to_stderr_with_their_fields(capsys: pytest.CaptureFixture[str]) -> None:
    output.configure_logging()

    logging.getLogger("xorag.test").warning("index built", extra={"passages": 3})
    logging.getLogger("xorag.test").info("not shown")

    assert capsys.readouterr() == ("", "WARNING xorag.test: index built passages=3\n")


def test_debug_shows_what_the_package_logs(capsys: pytest.CaptureFixture[str]) -> None:
    output.configure_logging(is_debug=True)

    logging.getLogger("xorag.test").debug("threads set")
    logging.getLogger("elsewhere").info("not shown")

    assert capsys.readouterr().err == "DEBUG xorag.test: threads set\n"


def test_streamed_pieces_reach_stdout_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    for piece in ("Jane", " Austen"):
        output.stream(piece)
    output.line()

    assert capsys.readouterr().out == "Jane Austen\n"


def test_without_a_terminal_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    with Progress("encoding", total=400, unit="passages", clock=clock) as bar:
        for seconds in (1, 5, 11, 12, 25):
            clock.seconds = seconds
            bar.advance(20)

    assert capsys.readouterr().err.splitlines() == [
        "encoding: 60/400 passages (15 %), 5.45/s, 62 s left",
        "encoding: 100/400 passages (25 %), 4/s, 75 s left",
    ]


def test_progress_of_unknown_length_shows_the_count_and_a_note() -> None:
    clock = Clock()
    with Progress("training", clock=clock) as bar:
        clock.seconds = 2
        bar.update(10, note="loss 2.82")

        assert bar.describe() == "training: 10, 5/s, loss 2.82"
        assert Progress("training").describe() == "training: 0"


def test_on_a_terminal_a_bar_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with output.progress("encoding [b]", total=4, unit="passages") as bar:
        bar.advance(4)
    with output.working("loading the model"):
        pass

    assert "encoding [b]" in terminal.getvalue()
    assert "4/4" in terminal.getvalue()
    assert "loading the model" in terminal.getvalue()


def test_without_a_terminal_work_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with output.working("loading the model"):
        output.say("half done")

    assert capsys.readouterr() == ("", "loading the model\nhalf done\n")


def test_the_rate_of_resumed_work_counts_what_this_run_did_only() -> None:
    clock = Clock()
    with Progress("training", total=1000, unit="steps", clock=clock) as bar:
        clock.seconds = 100
        bar.update(610, before=600)

        assert bar.describe() == "training: 610/1000 steps (61 %), 0.1/s, 3900 s left"
