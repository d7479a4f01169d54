"""Retrieval-augmented generation in which a language model reads each passage as one soft token."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xorag.pipeline import Pipeline

__all__ = ["Pipeline", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes have any type
    """Import `Pipeline` when it is first asked for, so that `xorag --help` stays fast."""
    if name == "Pipeline":
        from xorag.pipeline import Pipeline  # noqa: PLC0415 - the point of this function

        return Pipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
