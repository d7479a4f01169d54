"""The tutorial runs from top to bottom as a reader runs it, and its stored outputs are clean."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from docs.tutorial_page import MARK, cells_as_markdown, on_page_markdown
from tests.untraced import untraced_environment
from xorag.runtime.packages import PACKAGED

DOCS = Path(__file__).parent.parent / "docs"
NOTEBOOK = DOCS / "tutorial.ipynb"
ABSENT = [file.how_to_install for file in PACKAGED.values() if file.find() is None]
SECONDS_PER_CELL = 600  # many times what one takes, for busy machines
LARGEST_BYTES = 200_000


@pytest.fixture
def stored() -> NotebookNode:
    notebook: NotebookNode = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.skipif(bool(ABSENT), reason=f"needs the packaged models: {'; '.join(ABSENT)}")
def test_the_tutorial_runs_without_an_error(stored: NotebookNode, tmp_path: Path) -> None:
    client = NotebookClient(
        stored,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )

    # Untraced, since tracing would double the time and the verbs are tested elsewhere.
    run = client.execute(env=untraced_environment() | {"IPYTHONDIR": str(tmp_path / "ipython")})

    assert [cell.execution_count for cell in code_cells(run)] == list(
        range(1, len(code_cells(run)) + 1)
    )
    assert all(cell.outputs for cell in code_cells(run))
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "ipython"])


def test_the_stored_outputs_are_of_one_whole_run(stored: NotebookNode) -> None:
    cells = code_cells(stored)

    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {output.output_type for cell in cells for output in cell.outputs} <= {
        "stream",
        "display_data",
        "execute_result",
    }


def test_the_notebook_holds_no_private_path_no_terminal_codes_and_no_warnings() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")

    assert not re.search(r"/(tmp|home|root|work|Users)/|\\u001b|[Ww]arning:", text)
    assert len(text) < LARGEST_BYTES


def test_links_of_the_notebook_lead_to_pages_that_exist(stored: NotebookNode) -> None:
    text = "\n".join(cell.source for cell in stored.cells if cell.cell_type == "markdown")

    links = re.findall(r"\]\(([^)#]+)\)", text)

    assert links
    assert [link for link in links if not (DOCS / link).is_file()] == []


def test_the_page_of_the_site_shows_every_cell_and_output(stored: NotebookNode) -> None:
    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")

    shown = on_page_markdown(page, page=None)

    titles = re.findall("^# .*", re.sub("(?ms)^```.*?^```", "", shown), re.MULTILINE)
    assert MARK not in shown
    assert titles == ["# Tutorial"]
    for cell in stored.cells[1:]:
        assert cell.source in shown
    for output in (output for cell in code_cells(stored) for output in cell.outputs):
        assert (output.get("text") or output.data.get("image/png")).rstrip() in shown


def test_other_pages_stay_as_they_are() -> None:
    assert on_page_markdown("# Quickstart\n") == "# Quickstart\n"


def test_a_value_without_a_picture_is_shown_as_text(tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    output = {"output_type": "execute_result", "data": {"text/plain": ["42"]}}
    cell = {"cell_type": "code", "source": ["6 * 7"], "outputs": [output]}
    path.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")

    assert cells_as_markdown(path) == "```python\n6 * 7\n```\n\n```text\n42\n```\n"
