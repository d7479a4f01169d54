"""The console that tables, spinners and bars are drawn on.

Knows nothing of what is drawn.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PLAIN_WIDTH = 160


def console(*, is_stderr: bool = False) -> "Console":
    """A console that takes text literally: passages may hold what looks like markup."""
    from rich.console import Console

    stream_is_terminal = (sys.stderr if is_stderr else sys.stdout).isatty()
    return Console(
        stderr=is_stderr,
        markup=False,
        emoji=False,
        highlight=False,
        width=None if stream_is_terminal else _PLAIN_WIDTH,
    )
