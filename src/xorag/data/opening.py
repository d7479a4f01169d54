"""Opening files as streams of bytes, unpacked and counted, and cutting them into lines."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from xorag.errors import SourceError

OnBytes = Callable[[int], None]
"""Told how many more bytes of the sources were read (packed bytes, where a file is gzip)."""

GZIP_MAGIC = b"\x1f\x8b"
MAX_LINE_BYTES = 64 * 2**20
MAX_DOCUMENT_BYTES = 64 * 2**20
_BUFFER_BYTES = 2**18


def ignore_bytes(count: int) -> None:
    """Take no notice of progress."""


class _CountedFile(io.RawIOBase):
    """A file that reports what is read from it."""

    def __init__(self, path: Path, on_bytes: OnBytes) -> None:
        self._file = path.open("rb", buffering=0)
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        count = self._file.readinto(buffer) or 0
        self._on_bytes(count)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def open_source(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacking gzip, which is told by its first bytes.

    Raises:
        SourceError: If the file cannot be read, or its gzip stream is damaged.
    """
    try:
        with io.BufferedReader(_CountedFile(path, on_bytes), _BUFFER_BYTES) as packed:
            if packed.peek(2)[:2] != GZIP_MAGIC:
                yield cast("BinaryIO", packed)
                return
            with gzip.GzipFile(fileobj=packed) as unpacked:
                yield cast("BinaryIO", unpacked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(
            f"{path} is not a whole gzip file ({error}); download or pack it again"
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> SourceError:
    """The error for a path that the system does not let us read."""
    reason = (error.strerror or str(error)).lower()
    remedy = "check the path" if isinstance(error, FileNotFoundError) else "check its permissions"
    return SourceError(f"{path} cannot be read ({reason}); {remedy}")


def read_lines(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their ends.

    Bytes that are not UTF-8 come as lone surrogates, so that one bad line can be
    reported and left out without losing the rest. A byte order mark is dropped.

    Raises:
        SourceError: If the file cannot be read, or a line is too long to be a row.
    """
    with open_source(path, on_bytes) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                raise SourceError(
                    f"line {number} of {path} is longer than {MAX_LINE_BYTES // 2**20} MiB;"
                    " put each row on a line of its own"
                )
            text = line.decode("utf-8", errors="surrogateescape").rstrip("\r\n")
            yield text.removeprefix("\ufeff") if number == 1 else text


def read_bytes(
    path: Path, on_bytes: OnBytes = ignore_bytes, *, limit: int = MAX_DOCUMENT_BYTES
) -> bytes:
    """Read a whole file of bounded size.

    Raises:
        SourceError: If the file cannot be read or holds more than `limit` bytes.
    """
    with open_source(path, on_bytes) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise SourceError(
            f"{path} holds more than {limit // 2**20} MiB, too much to be read at once;"
            " split it, or turn it into JSON Lines with one document a line"
        )
    return content
