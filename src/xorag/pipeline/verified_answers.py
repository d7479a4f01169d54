"""The answers of each way to answer, verified where the call wants it."""

from collections.abc import Sequence
from dataclasses import replace

from xorag.generation.prompting import Context
from xorag.pipeline.answers import Asked
from xorag.pipeline.openrag import Find, Found, OpenRag
from xorag.pipeline.options import Asking
from xorag.pipeline.verifying import Doubt, Verifier
from xorag.pipeline.watching import Onlooker
from xorag.pipeline.writing import Writer
from xorag.types import Answer, GateKind, Seconds

_NOTHING = Seconds(0.0, 0.0, 0.0, 0.0)


def written(
    writer: Writer, asked: Sequence[Asked], before: Seconds, asking: Asking, onlooker: Onlooker
) -> list[Answer]:
    """What `Writer.write` answers, verified; takes and raises what it does."""
    if asking.verifying is None:
        return writer.write(asked, before, asking, onlooker)
    contexts = {place: item.context for place, item in enumerate(asked)}
    verifier = Verifier(onlooker, asking.verifying, contexts)
    writer.write(asked, before, asking, verifier.onlooker)

    def read_again(doubts: Sequence[Doubt], inner: Onlooker) -> None:
        again = [
            writer.worded(asked[doubt.place].question, doubt.context, asking) for doubt in doubts
        ]
        writer.write(again, _NOTHING, asking, inner)

    return verifier.finish(read_again)


def judged(
    openrag: OpenRag, questions: Sequence[str], asking: Asking, find: Find, onlooker: Onlooker
) -> list[Answer]:
    """What `OpenRag.answer` answers, verified; takes and raises what it does."""
    if asking.verifying is None:
        return openrag.answer(questions, asking, find, onlooker)
    contexts: dict[int, tuple[Context, ...]] = {}

    def find_first(places: Sequence[int]) -> Found:
        found = find(places)
        contexts.update(zip(places, found.contexts, strict=True))
        return found

    verifier = Verifier(onlooker, asking.verifying, contexts)
    openrag.answer(questions, asking, find_first, verifier.onlooker)
    # What was retrieved once is read again, whatever the gate would say now.
    always = replace(asking.judging, gate=GateKind.ALWAYS, threshold=None)

    def read_again(doubts: Sequence[Doubt], inner: Onlooker) -> None:
        openrag.answer(
            [questions[doubt.place] for doubt in doubts],
            replace(asking, judging=always),
            lambda rows: Found([doubts[row].context for row in rows]),
            inner,
        )

    return verifier.finish(read_again)
