"""Questions that one passage answers: NQ, TriviaQA, WebQuestions, PopQA and SQuAD."""

import json

from xorag.data.fields import Fields, inner
from xorag.data.question_sets.outcome import NoAnswer, answered, filled
from xorag.data.questions import LabelledPassage, Question
from xorag.errors import SourceError

_UNKNOWN = "<unk>"
"""TriviaQA's answer to the questions of its test split."""


def read_nq(row: Fields, identity: str) -> Question | NoAnswer:
    """NQ-open (Lee et al., 2019): `question`, and `answer`, a list."""
    return _closed_book(row, identity, filled(row.texts("answer")))


def read_webquestions(row: Fields, identity: str) -> Question | NoAnswer:
    """WebQuestions (Berant et al., 2013): `question`, and `answers`, a list."""
    return _closed_book(row, identity, filled(row.texts("answers")))


def read_popqa(row: Fields, identity: str) -> Question | NoAnswer:
    """PopQA (Mallen et al., 2023): `possible_answers` is JSON inside a text."""
    value = row.values.get("possible_answers")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise SourceError(f"its 'possible_answers' is not valid JSON ({error})") from error
    answers = Fields({"possible_answers": value}).texts("possible_answers")
    return _closed_book(row, identity, filled(answers), kind=row.optional_text("prop"))


def read_triviaqa(row: Fields, identity: str) -> Question | NoAnswer:
    """TriviaQA (Joshi et al., 2017): `answer` holds a `value` and its `aliases`.

    Its evidence is whole pages, unlabelled; the `nocontext` configurations have none.
    """
    answer = inner(row.values.get("answer") or {}, "answer")
    value = answer.optional_text("value")
    pages = [*_pages(row, "entity_pages", "wiki_context")]
    pages += _pages(row, "search_results", "search_context")
    return answered(
        Question(
            id=identity,
            question=row.text("question"),
            answers=filled([value if value != _UNKNOWN else "", *answer.texts("aliases")]),
            passages=tuple(pages),
        )
    )


def read_squad(row: Fields, identity: str) -> Question | NoAnswer:
    """SQuAD (Rajpurkar et al., 2016): `context`, and `answers` with `text`."""
    title = row.optional_text("title").replace("_", " ")
    return answered(
        Question(
            id=identity,
            question=row.text("question").strip(),
            answers=filled(answer.text("text") for answer in row.rows("answers")),
            passages=(LabelledPassage(title, row.text("context"), is_supporting=True),),
        )
    )


def _closed_book(
    row: Fields, identity: str, answers: tuple[str, ...], *, kind: str = ""
) -> Question | NoAnswer:
    return answered(Question(identity, row.text("question"), answers, (), kind=kind))


def _pages(row: Fields, key: str, text_key: str) -> list[LabelledPassage]:
    return [
        LabelledPassage(page.optional_text("title"), page.text(text_key), is_supporting=None)
        for page in row.rows(key)
        if page.optional_text(text_key).strip()
    ]
