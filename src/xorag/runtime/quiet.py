"""Keeping the progress bars and notices of libraries off a user's terminal.

Knows nothing of which models are loaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging as transformers_logging


@contextmanager
def quiet_transformers(*, keep_bars: bool = False) -> Iterator[None]:
    """Silence transformers' warnings and progress bars inside the block, then put them back.

    Args:
        keep_bars: Leave the bars as they are, where a download may take minutes.
    """
    verbosity = transformers_logging.get_verbosity()
    had_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    if not keep_bars:
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if had_bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
