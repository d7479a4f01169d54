"""Questions that several passages answer together: HotpotQA, 2WikiMultihopQA and MuSiQue."""

import json

from xorag.data.fields import Fields
from xorag.data.question_sets.outcome import NoAnswer, answered, filled
from xorag.data.questions import LabelledPassage, Question, QuestionStep, SupportingFact
from xorag.errors import SourceError

_SENTENCE_KEYS = ("sentences", "content")


def read_hotpotqa(row: Fields, identity: str) -> Question | NoAnswer:
    """HotpotQA (Yang et al., 2018) and 2WikiMultihopQA (Ho et al., 2020).

    `context` and `supporting_facts` are read as the hub has them (an object of columns),
    as the authors' files have them (lists of pairs), and as JSON inside a text.
    """
    facts = tuple(
        SupportingFact(fact.text("title"), fact.number("sent_id"))
        for fact in _pairs(row, "supporting_facts", ("title", "sent_id"))
    )
    titles = {fact.title for fact in facts}
    passages = [
        LabelledPassage(page.text("title"), _text(page), _label(page.text("title"), titles))
        for page in _pairs(row, "context", ("title", "sentences"))
    ]
    return answered(
        Question(
            id=identity,
            question=row.text("question"),
            answers=filled(row.texts("answer")),
            passages=tuple(passages),
            supporting_facts=facts,
            kind=row.optional_text("type"),
        )
    )


def read_musique(row: Fields, identity: str) -> Question | NoAnswer:
    """MuSiQue (Trivedi et al., 2022): labelled `paragraphs`, and the steps to the answer."""
    if row.optional_flag("answerable") is False:
        return NoAnswer("not answerable from its paragraphs")
    return answered(
        Question(
            id=identity,
            question=row.text("question"),
            answers=filled([row.optional_text("answer"), *row.texts("answer_aliases")]),
            passages=tuple(
                LabelledPassage(
                    paragraph.optional_text("title"),
                    paragraph.text("paragraph_text"),
                    paragraph.optional_flag("is_supporting"),
                )
                for paragraph in row.rows("paragraphs")
            ),
            kind=row.optional_text("id").partition("__")[0],
            decomposition=tuple(
                QuestionStep(step.text("question"), filled(step.texts("answer")))
                for step in row.rows("question_decomposition")
            ),
        )
    )


def _pairs(row: Fields, key: str, names: tuple[str, str]) -> list[Fields]:
    value = row.values.get(key)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise SourceError(f"its {key!r} is not valid JSON ({error})") from error
    if isinstance(value, list) and all(isinstance(item, list) for item in value):
        if any(len(item) != len(names) for item in value):
            raise SourceError(f"its {key!r} must hold pairs of {' and '.join(names)}")
        return [Fields(dict(zip(names, item, strict=True))) for item in value]
    return Fields({key: value}).rows(key)


def _text(page: Fields) -> str:
    key = next((key for key in _SENTENCE_KEYS if key in page), _SENTENCE_KEYS[0])
    # HotpotQA's sentences begin with their space, 2WikiMultihopQA's do not.
    return " ".join(sentence.strip() for sentence in page.texts(key) if sentence.strip())


def _label(title: str, supporting: set[str]) -> bool | None:
    return title in supporting if supporting else None
