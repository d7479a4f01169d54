"""A pipeline that reads answers out of passages, and questions to ask it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xorag.data.questions import LabelledPassage, Question
from xorag.types import Answer, Cost, Evidence, Form, Mode, Passage, Seconds


@dataclass
class FakePipeline:
    """Answers with the last word of the first passage, or with `guess` where it reads none."""

    guess: str = "nothing"
    found: Sequence[Passage] = ()
    """What it retrieves for every question."""
    fails_after: int | None = None
    confidence: float = 0.5
    calls: list[list[str]] = field(default_factory=list)
    """The questions of each call."""
    tasks: list[object] = field(default_factory=list)

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        passages: Sequence[Sequence[Passage]] | None = None,
        on_answer: Callable[[int, Answer], object] | None = None,
        **options: object,
    ) -> list[Answer]:
        self.calls.append(list(questions))
        self.tasks.append(options["task"])
        answers = []
        for place, question in enumerate(questions):
            if self.fails_after == sum(map(len, self.calls[:-1])) + place:
                raise RuntimeError("the machine caught fire")
            read = self._read(Mode(str(options["mode"])), passages, place)
            answers.append(self._answer(question, Mode(str(options["mode"])), read))
            if on_answer is not None:
                on_answer(place, answers[-1])
        return answers

    def _read(
        self, mode: Mode, passages: Sequence[Sequence[Passage]] | None, place: int
    ) -> Sequence[Passage]:
        if mode is Mode.CLOSED:
            return ()
        return self.found if passages is None else passages[place]

    def _answer(self, question: str, mode: Mode, read: Sequence[Passage]) -> Answer:
        text = read[0].text.split()[-1].strip(".") if read else self.guess
        form = Form.TOKEN if mode is Mode.XRAG else Form.TEXT
        tokens = 1 if mode is Mode.XRAG else 20
        cost = Cost(10 + tokens * len(read), 20, tokens, 1, Seconds(0.0, 0.0, 0.5, 0.5))
        evidence = tuple(Evidence(passage, 0.0, form, tokens, 20) for passage in read)
        return Answer(question, mode, text, evidence, cost, confidence=self.confidence)


def capital(place: int, **changes: object) -> Question:
    """A question whose supporting passage ends with the answer, and another passage before it."""
    fields: dict[str, object] = {
        "id": f"q{place}",
        "question": f"What is the capital of land {place}?",
        "answers": (f"City{place}",),
        "passages": (
            LabelledPassage("Other", f"A land {place} lies by the sea.", is_supporting=False),
            LabelledPassage(
                "Land", f"The capital of the whole land {place} is City{place}.", is_supporting=True
            ),
        ),
    }
    return Question(**{**fields, **changes})  # type: ignore[arg-type]


def capitals(count: int) -> tuple[Question, ...]:
    """So many of them."""
    return tuple(capital(place) for place in range(count))
