"""Checks that a pipeline has the parts that a call needs, each with what to do where it lacks."""

from collections.abc import Sequence

from xorag.errors import IndexNotFoundError, ProjectorMismatchError, UsageError
from xorag.generation.prompting import WITHOUT_SOFT_TOKENS
from xorag.pipeline.cascade import Cascade
from xorag.pipeline.openrag import OpenRag
from xorag.retrieval.timed import TimedRetriever
from xorag.runtime.sources import default_index_path
from xorag.types import Passage, Reading


def require_asked(questions: Sequence[str], passages: Sequence[Sequence[Passage]] | None) -> None:
    """Check that each question says something, and that given passages pair up with them.

    Raises:
        UsageError: If one of them is empty, or the numbers differ.
    """
    if empty := [question for question in questions if not question.strip()]:
        raise UsageError(f"the question is empty, got {empty[0]!r}; ask something")
    if passages is not None and len(passages) != len(questions):
        raise UsageError(
            f"passages were given for {len(passages)} questions, but {len(questions)} are "
            "asked; give a list of passages for each question"
        )


def needed_retriever(retriever: TimedRetriever | None) -> TimedRetriever:
    """What finds passages.

    Raises:
        IndexNotFoundError: If there is none.
    """
    if retriever is None:
        raise IndexNotFoundError(
            f"there is no index at {str(default_index_path())!r}, the demo's place; name one "
            "with --index, make the demo's with `make demo`, or use mode 'closed'"
        )
    return retriever


def needed_reader(openrag: OpenRag | None) -> OpenRag:
    """What answers in mode openrag.

    Raises:
        UsageError: If there is none.
    """
    if openrag is None:
        raise UsageError(
            "mode 'openrag' needs a reader, and none is open; name one with --reader (in Python, "
            "Pipeline.open(reader=...)), or use another mode"
        )
    return openrag


def needed_cascade(cascade: Cascade | None) -> Cascade:
    """What judges soft tokens in mode cascade.

    Raises:
        UsageError: If there is none.
    """
    if cascade is None:
        raise UsageError(
            "mode 'cascade' needs a reader in this process that judges soft tokens, and none is "
            "open; name one with --reader (in Python, Pipeline.open(reader=...)), and what "
            "`xorag train judge` made for it with --judge, or use another mode"
        )
    return cascade


def require_projector(reading: Reading | None, *, has_projector: bool) -> None:
    """Refuse soft tokens where nothing reads them.

    Raises:
        ProjectorMismatchError: If there is no projector.
    """
    if reading and reading.form not in WITHOUT_SOFT_TOKENS and not has_projector:
        raise ProjectorMismatchError(
            "no projector fits this language model and index; name one with --projector, "
            "train one with `xorag train projector`, or use mode 'text'"
        )
