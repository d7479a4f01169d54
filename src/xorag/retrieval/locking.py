"""The lock of an index's one writer, in a folder or in a bucket.

Knows nothing of what is written.
"""

import hashlib
import os
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import lancedb
import pyarrow as pa
from filelock import FileLock, Timeout

from xorag.artifact.folder_place import FolderPlace
from xorag.artifact.places import Place
from xorag.artifact.storage import translate_os_errors
from xorag.errors import WriterBusyError

LOCK_NAME = ".writer.lock"
LOCK_TABLE = "writer"
"""In a bucket the lock is a Lance table, since the store lets one writer alone make it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock of a bucket."""

    host: str
    process: int
    since: str
    token: str = ""
    """Chosen at random, since a process number comes again."""

    def __str__(self) -> str:
        return f"process {self.process} on {self.host!r}, since {self.since},"

    def is_gone(self) -> bool:
        """Whether the process was one of this machine that has ended."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is another user's
            return False
        return False


@contextmanager
def writing_alone(place: Place) -> Iterator[None]:
    """Hold the lock of the writer.

    In a folder the system frees it if the process is killed. In a bucket it stays then, and is
    taken over from the same machine once the process is gone.

    Raises:
        WriterBusyError: If another process is writing.
        StorageError: If the lock cannot be made.
    """
    if isinstance(place, FolderPlace):
        with _file_lock(place.path / LOCK_NAME, place.name):
            yield
        return
    # A lock of this machine's processes first: so that only one takes over what a killed one left.
    digest = hashlib.blake2b(place.uri.encode(), digest_size=8).hexdigest()
    with _file_lock(Path(tempfile.gettempdir()) / f"xorag-{digest}.lock", place.name):
        connection = lancedb.connect(place.uri, storage_options=place.storage_options)
        _claim(connection, place.name)
        try:
            yield
        finally:
            _free(connection)


@contextmanager
def _file_lock(path: Path, name: str) -> Iterator[None]:
    try:
        with translate_os_errors(path.parent), FileLock(path, timeout=0):
            yield
    except Timeout as error:
        raise WriterBusyError(
            f"another process is writing to the index at {name!r}; wait until it is done"
        ) from error


def _claim(connection: lancedb.DBConnection, name: str) -> None:
    """Make the lock, over one whose process was killed on this machine if need be."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    mine = Holder(socket.gethostname(), os.getpid(), now, uuid.uuid4().hex)
    holder = _first(connection, mine)
    if holder is not None and holder != mine and holder.is_gone():
        _free(connection)
        holder = _first(connection, mine)
    if holder != mine:
        raise WriterBusyError(
            f"{holder or 'another process'} is writing to the index at {name!r}; wait until it is "
            f"done, or, if it was killed, delete {name}/{LOCK_TABLE}.lance"
        )


def _first(connection: lancedb.DBConnection, mine: Holder) -> Holder | None:
    """Make the table if there is none, and tell who did; None: it is gone meanwhile.

    Of several that make it at once, Lance lets one write version 1 and others later versions, so
    who is named in version 1 was the first.
    """
    try:
        connection.create_table(LOCK_TABLE, pa.Table.from_pylist([asdict(mine)]))
    except (ValueError, OSError, RuntimeError):
        if not _is_held(connection):
            raise
    try:
        table = connection.open_table(LOCK_TABLE)
        table.checkout(1)
        (row,) = table.to_arrow().to_pylist()
    except (ValueError, OSError, RuntimeError):
        return None
    return Holder(**row)


def _free(connection: lancedb.DBConnection) -> None:
    """Delete the table, which an index that was removed took with it."""
    if _is_held(connection):
        connection.drop_table(LOCK_TABLE)


def _is_held(connection: lancedb.DBConnection) -> bool:
    return LOCK_TABLE in connection.list_tables().tables
