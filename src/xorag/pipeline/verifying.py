"""Verifying answers: what each says is looked up, and what is not found is read once more.

A language model that reads a soft token, or skims a text, may name a number, a date or a name that
stands in no passage. Then the passage that shares most with the question and the answer is put into
the prompt as text, and the question is answered once more. The rules are our own; that an answer is
compared with evidence and revised is from RARR (Gao et al., 2023, arXiv 2210.08726).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from xorag.generation.prompting import Context
from xorag.pipeline.checking import checked_strings, most_promising
from xorag.pipeline.verifying_options import Verifying
from xorag.pipeline.watching import Answers, Onlooker
from xorag.types import Answer, Cost, Form, SecondReading, Seconds, Verification

REASON = "read again as text: a string of the first answer stands in no passage"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A first answer with a string that stands in no passage."""

    place: int
    """Of its question."""
    answer: Answer
    context: tuple[Context, ...]
    """Its passages, with one more of them as text."""
    passage_id: str
    """Of that one."""


ReadAgain = Callable[[Sequence[Doubt], Onlooker], object]
"""Answers the questions of some doubts once more; the onlooker is told by the place of a doubt."""


class Verifier:
    """Looks up the answers of one call as they come, and keeps back those to be read again."""

    def __init__(
        self, onlooker: Onlooker, verifying: Verifying, contexts: Mapping[int, tuple[Context, ...]]
    ) -> None:
        """Verify for an onlooker.

        Args:
            onlooker: Hears of each answer once it is final, and of its text in one piece, since it
                may be another than was written first.
            verifying: What the call asks for.
            contexts: The passages by the place of the question, there before its first answer is.
        """
        self._outer = onlooker
        self._verifying = verifying
        self._contexts = contexts
        self._answers = Answers(onlooker)
        self._doubts: list[Doubt] = []
        self.onlooker = replace(onlooker, on_answer=self._hear, on_text=None)
        """To be told of the first answers."""

    def finish(self, read_again: ReadAgain) -> list[Answer]:
        """Read again what is in doubt, and give all answers in the order of the questions."""
        doubts = [doubt for doubt in self._doubts if self._outer.wants(doubt.place)]
        for doubt in self._doubts:
            if doubt not in doubts:
                self._tell(doubt.place, doubt.answer)
        if doubts:
            onlooker = Onlooker(
                on_answer=lambda row, answer: self._hear_again(doubts[row], answer),
                is_wanted=lambda row: self._outer.wants(doubts[row].place),
            )
            read_again(doubts, onlooker)
        return self._answers.in_order()

    def _hear(self, place: int, answer: Answer) -> None:
        """Take a first answer, and pass it on where nothing can be gained by another one."""
        looked_up = _looked_up(answer)
        doubt = _doubt(place, looked_up, self._contexts.get(place, ()))
        if doubt is None:
            self._tell(place, looked_up)
        else:
            self._doubts.append(doubt)

    def _hear_again(self, doubt: Doubt, answer: Answer) -> None:
        self._tell(doubt.place, _joined(doubt, _looked_up(answer)))

    def _tell(self, place: int, answer: Answer) -> None:
        final = _withheld(answer) if self._verifying.abstain else answer
        if self._outer.on_text is not None and final.answer and self._outer.wants(place):
            self._outer.on_text(place, final.answer)
        self._answers.add(place, final)


def _looked_up(answer: Answer) -> Answer:
    """The answer with what was found of it in its evidence, and the time that took."""
    start = time.perf_counter()
    checked = checked_strings(answer.answer, [item.passage for item in answer.evidence])
    elapsed = time.perf_counter() - start
    seconds = replace(answer.cost.seconds, total=answer.cost.seconds.total + elapsed)
    cost = replace(answer.cost, seconds=seconds)
    return replace(answer, cost=cost, verification=Verification(checked))


def _doubt(place: int, answer: Answer, context: tuple[Context, ...]) -> Doubt | None:
    """What shall be read again; None where all is found, or all passages were text already."""
    if answer.verification is None or not answer.verification.unverified:
        return None
    unread = [at for at, item in enumerate(context) if item.form is not Form.TEXT]
    if not unread:
        return None
    passages = [context[at].hit.passage for at in unread]
    at = unread[most_promising(answer.question, answer.answer, passages)]
    as_text = Context(context[at].hit, Form.TEXT, reason=REASON)
    changed = (*context[:at], as_text, *context[at + 1 :])
    return Doubt(place, answer, changed, context[at].hit.passage.id)


def _joined(doubt: Doubt, second: Answer) -> Answer:
    """The second answer, or the first where the second is empty; the gate was asked once."""
    first, cost = doubt.answer, second.cost
    kept = second if second.answer.strip() or second.abstained else first
    reading = SecondReading(
        doubt.passage_id,
        first.answer,
        first.verification.unverified if first.verification else (),
        cost.prompt_tokens,
        cost.generated_tokens,
        cost.seconds.total,
    )
    checked = kept.verification.checked if kept.verification else ()
    return replace(
        kept,
        evidence=second.evidence,
        gate=first.gate,
        cost=_sum(first.cost, cost),
        verification=Verification(checked, reading),
    )


def _sum(first: Cost, second: Cost) -> Cost:
    """What two readings cost; as text the passages would have been read once."""
    one, other = first.seconds, second.seconds
    return Cost(
        first.prompt_tokens + second.prompt_tokens,
        first.passage_tokens_as_text,
        first.passage_tokens_used + second.passage_tokens_used,
        first.generated_tokens + second.generated_tokens,
        Seconds(
            one.encode + other.encode,
            one.search + other.search,
            one.generate + other.generate,
            one.total + other.total,
        ),
    )


def _withheld(answer: Answer) -> Answer:
    """No answer in place of one in which something is unverified."""
    found = answer.verification
    if found is None or not found.unverified:
        return answer
    taken_back = replace(found, withheld=answer.answer)
    return replace(answer, answer="", confidence=None, abstained=True, verification=taken_back)
