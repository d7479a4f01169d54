"""Whether answers are verified: keywords of `Pipeline.ask`, checked.

Knows nothing of models or passages.
"""

from dataclasses import dataclass
from typing import TypedDict

from xorag.errors import UsageError
from xorag.types import Mode


class VerifyingOptions(TypedDict, total=False):
    """The keywords for answers that are looked up in their evidence."""

    verify: bool
    """Whether each number, date and name of an answer is looked up in the full text of its
    passages; where one is not found, the question is read once more with a passage as text."""
    abstain_unverified: bool
    """Whether an answer is withheld in which something is still not found."""


@dataclass(frozen=True, slots=True)
class Verifying:
    """Checked options of verifying."""

    abstain: bool = False


def checked_verifying(mode: Mode, options: VerifyingOptions) -> Verifying | None:
    """Check the options of verifying; None where answers are not verified.

    Raises:
        UsageError: If the mode reads no passages, or answers are to be withheld and not verified.
    """
    verify, abstain = options.get("verify", False), options.get("abstain_unverified", False)
    if abstain and not verify:
        raise UsageError(
            "abstain_unverified withholds answers that were not verified, but nothing verifies "
            "them; give verify too"
        )
    if not verify:
        return None
    if mode is Mode.CLOSED:
        raise UsageError(
            "mode 'closed' reads no passage in which an answer could be verified; leave verify "
            "out, or use another mode"
        )
    return Verifying(abstain)
