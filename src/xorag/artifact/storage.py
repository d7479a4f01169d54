"""What a disk can refuse, turned into one kind of error.

Knows nothing of artifacts.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from xorag.errors import StorageError

REFUSALS: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOSPC: "the disk is full; free some space or choose a directory on another disk",
        errno.EDQUOT: "your disk quota is used up; free some space or choose another directory",
        errno.EROFS: "the file system is read-only; choose another directory",
        errno.EACCES: "permission is denied; choose a directory that you may write to",
        errno.EPERM: "the operation is not permitted; choose a directory that you may write to",
        errno.EEXIST: "a file of that name is in the way; choose another directory",
        errno.EISDIR: "a directory of that name is in the way; move it or choose another place",
        errno.ENOTDIR: "a part of the path is a file, not a directory; choose another directory",
    }
)
_RUST_ERRNO = re.compile(r"\(os error (\d+)\)")


@contextmanager
def translate_os_errors(path: Path | str) -> Iterator[None]:
    """Turn a disk's refusal inside the block into a StorageError that names `path`.

    Libraries written in Rust (safetensors, Lance) raise other classes, whose text ends in
    `(os error 28)`: these are known by that.

    Raises:
        StorageError: If the disk is full, over quota, read-only or refuses access.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        raise StorageError(f"cannot write {str(path)!r}: {refused}") from error


def refusal(error: BaseException) -> str | None:
    """What the disk refused and what to do, or None if the error is none of the disk's."""
    return REFUSALS.get(_errno_of(error) or 0)


def fsync_path(path: Path) -> None:
    """Wait until a file, or the entries of a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _errno_of(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _RUST_ERRNO.search(str(error))
    return int(found.group(1)) if found else None
