"""Language models that help to label training rows: asked without passages, and as a critic.

Knows nothing of rows and labels.
"""

from collections.abc import Callable, Sequence

from xorag.data.questions import LabelledPassage, Question
from xorag.data.reflections.closed_book import AskClosed, OnAnswer
from xorag.data.reflections.critic import Critic, Doubt
from xorag.pipeline.flow import Pipeline
from xorag.types import Answer, Mode, Passage

ANSWER_TOKENS = 12
VERDICT_TOKENS = 4

OpenPipeline = Callable[[], Pipeline]
"""Opens a language model when it is first asked."""


def closed_asker(open_pipeline: OpenPipeline) -> AskClosed:
    """A model that answers questions from its own knowledge, each as its task wants."""

    def ask(questions: Sequence[Question], on_answer: OnAnswer) -> None:
        pipeline = open_pipeline()
        for task in sorted({question.task for question in questions}):
            places = [at for at, question in enumerate(questions) if question.task == task]
            pipeline.ask_many(
                [questions[at].question for at in places],
                mode=Mode.CLOSED,
                task=task,
                max_new_tokens=ANSWER_TOKENS,
                on_answer=_at(places, on_answer),
            )

    return ask


def model_critic(open_pipeline: OpenPipeline) -> Critic:
    """A model that says yes or no about passages, which it reads as text."""

    def criticise(doubts: Sequence[Doubt]) -> list[str]:
        if not doubts:
            return []
        answers = open_pipeline().ask_many(
            [doubt.question for doubt in doubts],
            passages=[[_passage(passage) for passage in doubt.passages] for doubt in doubts],
            mode=Mode.TEXT,
            max_new_tokens=VERDICT_TOKENS,
        )
        return [answer.answer for answer in answers]

    return criticise


def _at(places: Sequence[int], on_answer: OnAnswer) -> Callable[[int, Answer], None]:
    return lambda at, answer: on_answer(places[at], answer.answer)


def _passage(passage: LabelledPassage) -> Passage:
    return Passage("", "", passage.title, passage.text, 0)
