"""How this process keeps, and looks through, its memory.

By default glibc gives large blocks back to the system, and each step of training takes them
anew, page by page. On a virtual machine that took a third of a step (`docs/log.md`). And Python
looks for garbage again and again while large libraries are imported, which make none. Knows
nothing of what the memory is for.
"""

import ctypes
import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, and ask torch for huge pages.

    Call it before torch allocates for the first time. The price is that memory once used is
    not returned before the process ends.

    Returns:
        Whether the C library took the settings; others than glibc do not know them.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if not sys.platform.startswith("linux"):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except AttributeError:  # musl
        return False
    taken = bool(set_option(_M_MMAP_MAX, 0)) and bool(set_option(_M_TRIM_THRESHOLD, _NEVER))
    logger.debug("freed memory is kept", extra={"taken": taken})
    return taken


def give_back_freed_memory() -> bool:
    """Return to the system what `keep_freed_memory` has kept, once.

    Kept memory breaks up where sizes vary from step to step, and then grows without end: a run
    with batches of many lengths took 19 GB after 190 steps. Given back now and then, the pages
    that are still needed come again in the next step.

    Returns:
        Whether there was anything to return; other C libraries than glibc do not know how.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:  # musl
        return False
    return bool(trim(0))


@contextmanager
def collection_paused() -> Iterator[None]:
    """Look for no reference cycles inside the block, nor among what it made after it.

    For importing libraries and opening models: what these make stays until the process ends, and
    looking through it again and again takes a quarter of the time that they take. For programs,
    which open things once: cycles that the block leaves behind are never freed.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
