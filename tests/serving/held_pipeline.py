"""A pipeline without a model, which a test can hold while it answers."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Unpack

from xorag.errors import PromptTooLongError
from xorag.generation.protocol import IsWanted, OnText
from xorag.pipeline.options import AskOptions, checked
from xorag.pipeline.watching import OnAnswer, OnPassages
from xorag.types import Answer, Cost, Evidence, Form, Mode, Passage, Seconds

TOO_LONG = "too long"
"""A batch that holds this question fails."""
BROKEN = "broken"
"""As does one that holds this, with an error that nobody expects."""


@dataclass
class HeldPipeline:
    """Answers at once unless it is held; notes its batches, and what was given up."""

    batches: list[list[str]] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_go_on.set()

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
        if TOO_LONG in questions:
            raise PromptTooLongError("the prompt has 9999 tokens, but the model reads 99")
        if BROKEN in questions:
            raise KeyError("a secret path /home/somebody")
        self.batches.append(list(questions))
        answers = [answer_to(question, checked(**options).mode) for question in questions]
        tell_passages, tell = on_passages or _ignore, on_text or _ignore
        wants = is_wanted or (lambda _: True)
        for i, answer in enumerate(answers):
            tell_passages(i, answer.evidence)
            tell(i, answer.answer[:5])
        while not self.may_go_on.is_set() and any(map(wants, range(len(questions)))):
            time.sleep(0.01)
        self.given_up += [question for i, question in enumerate(questions) if not wants(i)]
        for i, answer in enumerate(answers):
            tell(i, answer.answer[5:])
            (on_answer or _ignore)(i, answer)
        return answers


def _ignore(_place: int, _told: object) -> None:
    """Do nothing."""


def answer_to(question: str, mode: Mode) -> Answer:
    """The answer that a held pipeline gives."""
    passage = Passage("emma#0", "emma", "Emma", "Emma is a novel that Jane Austen wrote.", 0)
    cost = Cost(20, 12, 1, 6, Seconds(0.1, 0.1, 0.3, 0.5))
    evidence = (Evidence(passage, 0.9, Form.TOKEN, 1, 12),)
    return Answer(question, mode, f"It says: {question}", evidence, cost, 0.5)
