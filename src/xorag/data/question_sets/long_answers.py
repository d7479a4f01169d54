"""Questions that want whole sentences: TruthfulQA and ASQA."""

from xorag.data.fields import Fields
from xorag.data.question_sets.outcome import NoAnswer, answered, filled
from xorag.data.questions import LabelledPassage, Question, QuestionStep


def read_truthfulqa(row: Fields, identity: str) -> Question | NoAnswer:
    """TruthfulQA (Lin et al., 2022), `generation`: the best, correct and incorrect answers."""
    return answered(
        Question(
            id=identity,
            question=row.text("question"),
            answers=filled([row.optional_text("best_answer"), *row.texts("correct_answers")]),
            passages=(),
            task="long",
            incorrect_answers=filled(row.texts("incorrect_answers")),
            kind=row.optional_text("category"),
        )
    )


def read_asqa(row: Fields, identity: str) -> Question | NoAnswer:
    """ASQA (Stelmakh et al., 2022): `annotations` with long answers and their `knowledge`.

    Each reading of the ambiguous question becomes a step with its short answers.
    """
    annotations = row.rows("annotations")
    knowledge = [piece for annotation in annotations for piece in annotation.rows("knowledge")]
    passages = dict.fromkeys(
        LabelledPassage(piece.optional_text("wikipage"), piece.text("content"), is_supporting=True)
        for piece in knowledge
        if piece.optional_text("content").strip()
    )
    return answered(
        Question(
            id=identity,
            question=row.text("ambiguous_question"),
            answers=filled(annotation.optional_text("long_answer") for annotation in annotations),
            passages=tuple(passages),
            task="long",
            decomposition=asqa_steps(row),
        )
    )


def asqa_steps(row: Fields) -> tuple[QuestionStep, ...]:
    """What an ambiguous question may mean, with the short answers to each meaning."""
    return tuple(
        QuestionStep(pair.text("question"), filled(pair.texts("short_answers")))
        for pair in row.rows("qa_pairs")
    )
