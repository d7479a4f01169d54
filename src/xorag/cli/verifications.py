"""What verifying found in an answer, as people see it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from xorag.cli import output

if TYPE_CHECKING:
    from xorag.types import Answer

NO_ANSWER_BY_SCORE = "(no answer: every passage's path scores below --abstain-below)"


def why_no_answer(answer: "Answer") -> str:
    """Why an answer was withheld, in a line."""
    found = answer.verification
    if found is None or found.withheld is None:
        return NO_ANSWER_BY_SCORE
    return f"(no answer: {_in_no_passage(found.unverified)} in {found.withheld!r})"


def show_verification(answer: "Answer") -> None:
    """What was looked up, what stands in no passage, and whether a passage was read again."""
    found = answer.verification
    if found is None:
        return
    output.line()
    if not found.checked:
        output.line("verified: the answer holds no number, date or name")
    elif found.unverified:
        output.line(f"unverified: {_in_no_passage(found.unverified)}")
    else:
        output.line(f"verified: the passages hold {_quoted(item.text for item in found.checked)}")
    if (second := found.second_reading) is not None:
        title = next(
            item.passage.title or item.passage.id
            for item in answer.evidence
            if item.passage.id == second.passage_id
        )
        output.line(
            f"read again with {title!r} as text, as no passage holds "
            f"{_quoted(second.first_unverified)} of the first answer {second.first_answer!r}"
        )


def _in_no_passage(strings: Iterable[str]) -> str:
    return f"no passage holds {_quoted(strings)}"


def _quoted(strings: Iterable[str]) -> str:
    return ", ".join(repr(string) for string in strings)
