"""What the style asks for and no linter can say (shared style, section Tooling)."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
VAGUE_NAMES = {"utils", "util", "common", "helpers", "misc"}
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_FILE_BYTES = 300, 40, 2_000_000

each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))


@each_source
def test_a_file_is_short_has_a_docstring_and_a_telling_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert text.count("\n") <= MAX_FILE_LINES
    assert not text or ast.get_docstring(ast.parse(text))
    assert path.stem not in VAGUE_NAMES


@each_source
def test_a_function_is_one_thought(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    is_verb = "cli" in path.parts and "src" in path.parts

    too_long = {
        function.name: length
        for function in functions(tree)
        if (length := lines_of(function, without_signature=is_verb)) > MAX_FUNCTION_LINES
    }

    assert too_long == {}


def test_text_files_end_with_one_newline() -> None:
    texts = {name: (ROOT / name).read_bytes() for name in tracked() if is_text(ROOT / name)}

    assert [
        n for n, t in texts.items() if t and (not t.endswith(b"\n") or t.endswith(b"\n\n"))
    ] == []


def test_no_large_file_is_tracked() -> None:
    assert [n for n in tracked() if (ROOT / n).stat().st_size > MAX_FILE_BYTES] == []


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a module, however deep."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(
    function: ast.FunctionDef | ast.AsyncFunctionDef, *, without_signature: bool = False
) -> int:
    """Lines of a function less its docstring; a verb's signature is the text of its --help."""
    has_docstring = ast.get_docstring(function) is not None
    body = function.body[1:] if has_docstring else function.body
    if not body:
        return 0
    signature = 0 if without_signature else function.body[0].lineno - function.lineno
    return signature + (body[-1].end_lineno or 0) - body[0].lineno + 1


def tracked() -> list[str]:
    """Names of the files that git tracks, as far as they are there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git the developer uses
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def is_text(path: Path) -> bool:
    """Whether a file holds no NUL byte, as git decides it."""
    return b"\0" not in path.read_bytes()[:8000]
