"""Remembering which ids have come by, for corpora of any size."""

import hashlib
import os
import sqlite3
from pathlib import Path
from types import TracebackType

from xorag.errors import StorageError

_CACHE_KIB = 16 * 1024


class SeenIds:
    """The ids seen so far, kept in a temporary file once they exceed a few megabytes.

    Ids are told apart by 64-bit hashes: among ten million, the chance of a mistake is
    one in a hundred thousand.
    """

    def __init__(self) -> None:
        # An empty name makes a database that lives in memory until its cache is full, then
        # in a file without a name. Documents may be read in a thread of their own.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (id INTEGER PRIMARY KEY, file INTEGER)")
        self._database.execute("CREATE TABLE files (number INTEGER PRIMARY KEY, path TEXT)")
        self._database.execute("BEGIN")
        self._file: tuple[int, Path] | None = None

    def __enter__(self) -> "SeenIds":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, identity: str, path: Path) -> Path | None:
        """Remember an id of a file; return the file that already had it, if any did.

        Raises:
            StorageError: If the disk that holds temporary files is full.
        """
        digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
        key = int.from_bytes(digest, "big", signed=True)
        try:
            return self._add(key, self._number(path))
        except sqlite3.Error as error:
            raise StorageError(
                f"the ids of the corpus could not be kept in a temporary file ({error});"
                " make room on its disk, or name another in TMPDIR"
            ) from error

    def _add(self, key: int, file: int) -> Path | None:
        added = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, file))
        if added.rowcount:
            return None
        (earlier,) = self._database.execute(
            "SELECT path FROM seen JOIN files ON file = number WHERE id = ?", (key,)
        ).fetchone()
        return Path(os.fsdecode(earlier))

    def _number(self, path: Path) -> int:
        if self._file is None or self._file[1] != path:
            added = self._database.execute(
                "INSERT INTO files (path) VALUES (?)", (os.fsencode(path),)
            )
            self._file = (added.lastrowid or 0, path)
        return self._file[0]
