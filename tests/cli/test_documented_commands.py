"""Every command in the README and the docs is one that the program knows."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xorag.cli.main import VERBS, build_app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^\$ (?:\.venv/bin/)?xorag (.+)$|`xorag ([^`]+)`", re.MULTILINE)


def commands() -> Iterator[object]:
    """Commands of all pages, with the page as their name."""
    for page in PAGES:
        for found in COMMAND.finditer(page.read_text(encoding="utf-8").replace("\\\n", " ")):
            text = (found[1] or found[2]).split(" | ")[0].split(" > ")[0]
            yield pytest.param(text, id=f"{page.name}: {text}")


@pytest.mark.parametrize("text", list(commands()))
def test_a_documented_command_names_a_verb_and_options_that_exist(text: str) -> None:
    words = shlex.split(text.replace("…", ""))
    if words[0].startswith("-") or words[0].isupper():
        pytest.skip("names no verb")
    verb = next((name for name in VERBS if words[: len(name.split())] == name.split()), None)
    assert verb is not None, f"no verb in {text!r}"

    shown = CliRunner().invoke(
        build_app(verb.split()), [*verb.split(), "--help"], env={"COLUMNS": "200"}
    )

    options = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)} - {"--debug"}
    missing = [option for option in options if not re.search(rf"{option}\b", shown.output)]
    assert shown.exit_code == 0
    assert missing == []
