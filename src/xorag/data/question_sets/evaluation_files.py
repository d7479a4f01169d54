"""The evaluation files of Open-RAG, Self-RAG and xRAG, told by their keys."""

from xorag.data.fields import Fields
from xorag.data.question_sets.choices import read_arc
from xorag.data.question_sets.long_answers import asqa_steps
from xorag.data.question_sets.outcome import NoAnswer, answered, filled
from xorag.data.questions import LabelledPassage, Question, Task, question_from_fields
from xorag.data.verdicts import verdict
from xorag.errors import SourceError

QUESTION_KEYS = ("question", "instruction", "claim")
ANSWER_KEYS = ("answers", "answer", "output")
PASSAGE_KEYS = ("ctxs", "top_contexts", "docs")
ID_KEYS = ("id", "_id", "q_id", "qid", "question_id", "sample_id")

_SUPPORT_KEY = "is_supporting"
_DISTANT_KEYS = ("has_answer", "hasanswer")


def read_evaluation_row(row: Fields, identity: str) -> Question | NoAnswer:
    """A row of the shared schema, of Open-RAG's, Self-RAG's or xRAG's files.

    Rows with `passages` are of the shared schema, those with `answerKey` of ARC. Where all
    answers are verdicts (`true`, `SUPPORTS`, ...) the question is a claim.

    Raises:
        SourceError: If it is none of these, or malformed.
    """
    if "passages" in row:
        return answered(question_from_fields(row))
    found = row.rows(_first(row, PASSAGE_KEYS) or PASSAGE_KEYS[0])
    passages = tuple(_passage(item) for item in found)
    if "answerKey" in row:
        return read_arc(row, identity, passages)
    question = _first(row, QUESTION_KEYS)
    if question is None:
        known = ", ".join(row.values) or "none"
        raise SourceError(
            f"it is no question: it has none of {', '.join(QUESTION_KEYS)}, only the keys {known}"
        )
    is_distant = any(key in item for item in found for key in _DISTANT_KEYS)
    return _question(
        row, identity, row.text(question), passages, support="distant" if is_distant else ""
    )


def _question(
    row: Fields,
    identity: str,
    question: str,
    passages: tuple[LabelledPassage, ...],
    *,
    support: str,
) -> Question | NoAnswer:
    # A key may be there and empty, as `answers` is beside a long `answer`.
    lists = (filled(row.texts(key)) for key in ANSWER_KEYS)
    answers = next((answers for answers in lists if answers), ())
    verdicts = [verdict(answer) for answer in answers]
    steps = asqa_steps(row)
    task: Task = "long" if steps else "qa"
    label = None
    if answers and None not in verdicts:
        task, label = "claim", verdicts[0]
        answers = filled(answer for answer in verdicts if answer is not None)
    return answered(
        Question(
            id=identity,
            question=question,
            answers=answers,
            passages=passages,
            task=task,
            label=label,
            source=row.optional_text("source"),
            kind=row.optional_text("type"),
            support=support,
            decomposition=steps,
        )
    )


def _passage(item: Fields) -> LabelledPassage:
    key = _first(item, (_SUPPORT_KEY, *_DISTANT_KEYS))
    return LabelledPassage(
        title=item.optional_text("title"),
        text=item.text("text"),
        is_supporting=item.optional_flag(key) if key else None,
    )


def _first(row: Fields, keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if key in row), None)
