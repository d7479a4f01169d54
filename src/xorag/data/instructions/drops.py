"""Why a row gives no example, and why a passage is not shown in one."""

from enum import StrEnum


class RowDrop(StrEnum):
    """Why a row gave no example; the first reason that applies counts."""

    SKIPPED = "no_known_answer_or_repeated_id"
    """It was left out while its set was read."""
    DEV = "dev_row"
    """It is kept for reporting."""
    DEV_QUESTION = "same_question_as_a_dev_row"
    TASK = "task_not_built"
    """It offers choices, wants a long answer, or its claim is neither true nor false."""
    NO_ANSWER = "no_answer"
    """It has no question or no answer, and none is invented."""
    NO_SUPPORT = "no_supporting_passage"
    RESERVED = "supporting_passage_reserved"
    """A passage that it needs supports a dev row, or is on the list of those to keep out."""
    ANSWER_NOT_IN_PASSAGES = "answer_not_in_supporting_passages"
    TOO_MANY = "more_supporting_passages_than_allowed"
    REPEATED = "repeated"
    """An earlier row asks the same and has the same passages."""


class PassageDrop(StrEnum):
    """Why a retrieved passage was not shown as a distractor."""

    HOLDS_ANSWER = "holds_an_answer"
    SAME_PAGE = "from_the_page_of_a_supporting_passage"
    """A question of yes or no, or a claim, may be settled by any part of the page."""
