"""xRAG's evaluation folders: questions, and beside them what a retriever found for each.

`SET/test.jsonl` holds a question a line, `SET/retrieval/RETRIEVER/test.jsonl` its `topk`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from xorag.data.json_lines import read_json_lines
from xorag.data.question_sets.outcome import RowSource
from xorag.data.rows import BadRow, Row, kind_of, shorten
from xorag.errors import SourceError

RETRIEVAL = "retrieval"
DEFAULT_SPLIT = "test"


@dataclass(frozen=True, slots=True)
class XragFiles:
    """The two files that belong together."""

    questions: Path
    retrieved: Path | None
    """None: nothing was retrieved."""


def find_xrag_files(path: Path, split: str | None = None) -> XragFiles | None:
    """The files that a path stands for, if it is of such a folder.

    Args:
        path: The folder of a set, one retriever's folder in it, or a file of either.
        split: `test` by default; a file names its own.

    Raises:
        SourceError: If several retrievers were used, and the path is not that of one.
    """
    if path.is_dir():
        path /= f"{split or DEFAULT_SPLIT}.jsonl"
    folder = path.resolve().parent
    if folder.parent.name == RETRIEVAL:
        questions = folder.parent.parent / path.name
        return XragFiles(questions, path) if questions.is_file() and path.is_file() else None
    if not path.is_file() or path.suffix != ".jsonl":
        return None
    found = sorted(folder.glob(f"{RETRIEVAL}/*/{path.name}"))
    if len(found) > 1:
        names = ", ".join(file.parent.name for file in found)
        raise SourceError(
            f"{path} was given passages by several retrievers ({names}); name the folder of one,"
            f" such as {found[0].parent}"
        )
    return XragFiles(path, found[0] if found else None)


def xrag_rows(files: XragFiles) -> RowSource:
    """The questions, with what was retrieved for each as `ctxs`, best first."""
    if files.retrieved is None:
        return RowSource(str(files.questions), read_json_lines(files.questions))
    return RowSource(str(files.questions), _joined(files.questions, files.retrieved))


def _joined(questions: Path, retrieved: Path) -> Iterator[Row | BadRow]:
    pairs = zip_longest(read_json_lines(questions), read_json_lines(retrieved))
    for question, found in pairs:
        if question is None or found is None:
            longer, shorter = (questions, retrieved) if found is None else (retrieved, questions)
            raise SourceError(
                f"{longer} holds more rows than {shorter}, but they must go together line by line;"
                " retrieve again"
            )
        if isinstance(found, BadRow):
            raise SourceError(f"{retrieved}, {found.place}: {found.reason}; retrieve again")
        if isinstance(question, BadRow):
            yield question
            continue
        _require_same_question(retrieved, question, found)
        passages = _topk(retrieved, found)
        yield replace(question, fields={**question.fields, "ctxs": passages})


def _require_same_question(path: Path, question: Row, found: Row) -> None:
    asked, answered = question.fields.get("question"), found.fields.get("question")
    if answered is not None and answered != asked:
        raise SourceError(
            f"{path}, {found.place}: it was retrieved for {shorten(str(answered))!r}, but the"
            f" question there is {shorten(str(asked))!r}; retrieve again"
        )


def _topk(path: Path, row: Row) -> list[object]:
    topk = row.fields.get("topk")
    if not isinstance(topk, list):
        raise SourceError(
            f"{path}, {row.place}: its 'topk' must be a list, not {kind_of(topk)}; retrieve again"
        )
    return topk
