"""The whole of xorag in one place: retrieve, put passages into the prompt, generate, answer.

    from xorag import Pipeline
    pipeline = Pipeline.open(index="my-index")
    print(pipeline.ask("Who wrote Emma?", mode="xrag").answer)

`flow.py` is that flow, a function a step: read it first.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xorag.pipeline.flow import Pipeline

__all__ = ["Pipeline"]


def __getattr__(name: str) -> object:
    """Import `Pipeline` when it is first asked for, so that options are checked without torch."""
    if name == "Pipeline":
        from xorag.pipeline.flow import Pipeline  # noqa: PLC0415 - the point of this function

        return Pipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
