"""Saying of any failure to read an index that it is one, whatever Lance raises over its files."""

from collections.abc import Iterator
from contextlib import contextmanager

from xorag.errors import ArtifactError, XoragError

_PANIC = "PanicException"
"""What Lance's own language raises over files that it cannot make sense of; no `Exception`."""


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Read an index of that name inside the block.

    Raises:
        ArtifactError: If it cannot be read.
    """
    try:
        yield
    except XoragError:
        raise
    except BaseException as error:
        is_panic = type(error).__name__ == _PANIC
        if not is_panic and not isinstance(error, OSError | RuntimeError | ValueError):
            raise
        raise ArtifactError(
            f"the index at {name!r} cannot be read now ({type(error).__name__}); "
            "restore it, or build it again with `xorag index`"
        ) from error
