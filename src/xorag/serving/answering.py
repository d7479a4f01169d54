"""Answers the questions of a batch together, and each by itself where one spoils the batch.

Knows nothing of lines, threads or HTTP.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, Unpack

from xorag.generation.protocol import IsWanted, OnText
from xorag.pipeline.options import AskOptions
from xorag.pipeline.watching import OnAnswer, OnPassages
from xorag.serving.protocol import Answered, Passages, Piece
from xorag.serving.tickets import Ticket
from xorag.types import Answer, Evidence


class AnswersMany(Protocol):
    """What answers questions; a pipeline does."""

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        on_answer: OnAnswer | None = None,
        on_passages: OnPassages | None = None,
        on_text: OnText | None = None,
        is_wanted: IsWanted | None = None,
        **options: Unpack[AskOptions],
    ) -> list[Answer]:
        """Answer them, and tell of each what happens."""
        ...


def answer_together(
    pipeline: AnswersMany,
    tickets: Sequence[Ticket],
    hold_index: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """Answer the questions of tickets of one group; each hears of its own answer or failure.

    Where the batch fails, as for a prompt that is too long, each that was not answered yet is
    asked again by itself, unless some of its text was told already.

    Args:
        pipeline: What answers.
        tickets: Of questions that are asked with the same options.
        hold_index: Within it, the index stays at one version; entered for questions that search
            more than once.
    """
    wanted = [ticket for ticket in tickets if ticket.is_wanted()]
    if not wanted:
        return
    try:
        with hold_index() if _searches_again(wanted[0]) else nullcontext():
            _ask(pipeline, wanted)
    except Exception as error:  # noqa: BLE001 - whatever it is, the one who asked hears of it
        unanswered = [ticket for ticket in wanted if not ticket.is_done]
        for ticket in unanswered:
            if len(wanted) == 1 or ticket.has_text:
                ticket.tell(error)
            else:
                answer_together(pipeline, [ticket], hold_index)


def _searches_again(ticket: Ticket) -> bool:
    request = ticket.work.question
    return request is not None and request.options.get("hops", 1) > 1


def _ask(pipeline: AnswersMany, tickets: Sequence[Ticket]) -> None:
    requests = [ticket.work.question for ticket in tickets]
    asked = [request for request in requests if request is not None]

    def tell_passages(place: int, evidence: Sequence[Evidence]) -> None:
        tickets[place].tell(Passages(tuple(evidence)))

    def tell_text(place: int, piece: str) -> None:
        tickets[place].tell(Piece(piece))

    def tell_answer(place: int, answer: Answer) -> None:
        tickets[place].tell(Answered(answer))

    pipeline.ask_many(
        [request.question for request in asked],
        on_passages=tell_passages,
        on_text=tell_text,
        on_answer=tell_answer,
        is_wanted=lambda place: tickets[place].is_wanted(),
        **asked[0].options,
    )
