"""What a disk refuses becomes one StorageError that says what to do."""

import errno
import os
from pathlib import Path

import pytest

from xorag.artifact.store import translate_os_errors
from xorag.errors import StorageError


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_with_the_way_out() -> None:
    message = r"cannot write '/data/index': the disk is full; free"

    with pytest.raises(StorageError, match=message), translate_os_errors(Path("/data/index")):
        Path("/dev/full").write_text("x", encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission is denied"),
        (errno.EPERM, "not permitted"),
    ],
)
def test_every_refusal_has_its_own_words(code: int, words: str) -> None:
    with pytest.raises(StorageError, match=words), translate_os_errors(Path("index")):
        raise OSError(code, os.strerror(code))


def test_a_full_disk_is_known_in_the_words_of_a_rust_library() -> None:
    with pytest.raises(StorageError, match="disk is full"), translate_os_errors(Path("index")):
        raise RuntimeError("LanceError(IO): No space left on device (os error 28), at io.rs:7")


@pytest.mark.parametrize("error", [FileNotFoundError(2, "gone"), ValueError("no"), OSError("odd")])
def test_other_errors_pass_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translate_os_errors(Path("index")):
        raise error

    assert caught.value is error


def test_a_storage_error_is_not_wrapped_twice() -> None:
    first = StorageError("cannot write 'inner': the disk is full")

    with pytest.raises(StorageError, match="'inner'"), translate_os_errors(Path("outer")):
        raise first
