"""Two pipelines as one: a reader answers where it judges, the model it was made of elsewhere.

A reader's weights are other ones, which no projector's adapters and no prompt of the other modes
were made for.
"""

from collections.abc import Sequence
from typing import Unpack

from xorag.generation.protocol import IsWanted, OnText
from xorag.pipeline.options import AskOptions
from xorag.pipeline.watching import OnAnswer, OnPassages
from xorag.serving.answering import AnswersMany
from xorag.types import Answer
from xorag.types.readings import JUDGED_MODES


class ByMode:
    """Asks the pipeline that the mode of the questions is for; an `AnswersMany`."""

    def __init__(self, plain: AnswersMany, judging: AnswersMany) -> None:
        """Join two.

        Args:
            plain: Answers in the modes closed, text and xrag.
            judging: Answers in the modes openrag and cascade.
        """
        self._plain = plain
        self._judging = judging

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
        """Answer questions of one mode, and tell of each what happens."""
        is_judged = options.get("mode") in JUDGED_MODES
        return (self._judging if is_judged else self._plain).ask_many(
            questions,
            on_answer=on_answer,
            on_passages=on_passages,
            on_text=on_text,
            is_wanted=is_wanted,
            **options,
        )
