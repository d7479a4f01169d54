"""Some rows, made up, of each set of claims, choices and long answers.

The columns and their types are those of the hub's data set cards.
"""

from collections.abc import Mapping
from typing import Any

from datasets import ClassLabel, List, Sequence, Value

from tests.data.question_sets.copied_set import NUMBER, TEXT, TEXTS, Copy

_FEVER = {
    "id": NUMBER,
    "label": TEXT,
    "claim": TEXT,
    "evidence_annotation_id": NUMBER,
    "evidence_id": NUMBER,
    "evidence_wiki_url": TEXT,
    "evidence_sentence_id": NUMBER,
}


def _fever(identity: int, label: str, claim: str, url: str, sentence: int) -> dict[str, Any]:
    return dict(zip(_FEVER, (identity, label, claim, 1, 1, url, sentence), strict=True))


CLAIM_AND_CHOICE_SETS: Mapping[str, Copy] = {
    "truthfulqa": Copy(
        {
            "type": TEXT,
            "category": TEXT,
            "question": TEXT,
            "best_answer": TEXT,
            "correct_answers": TEXTS,
            "incorrect_answers": TEXTS,
            "source": TEXT,
        },
        [
            {
                "type": "Adversarial",
                "category": "Misconceptions",
                "question": "What if one eats seeds?",
                "best_answer": "They pass through",
                "correct_answers": ["Nothing happens", "They pass through"],
                "incorrect_answers": ["One dies"],
                "source": "u",
            }
        ],
        "generation",
        "validation",
    ),
    "asqa": Copy(
        {
            "ambiguous_question": TEXT,
            "qa_pairs": [
                {"context": TEXT, "question": TEXT, "short_answers": TEXTS, "wikipage": TEXT}
            ],
            "wikipages": [{"title": TEXT, "url": TEXT}],
            "annotations": [
                {"knowledge": [{"content": TEXT, "wikipage": TEXT}], "long_answer": TEXT}
            ],
            "sample_id": Value("int64"),
        },
        [
            {
                "ambiguous_question": "Who has the most goals?",
                "qa_pairs": [
                    {
                        "context": "No context provided",
                        "question": "Who, among men?",
                        "short_answers": ["Daei", "Ali Daei"],
                        "wikipage": None,
                    },
                    {
                        "context": "No context provided",
                        "question": "Who, among women?",
                        "short_answers": ["Sinclair"],
                        "wikipage": "Goals",
                    },
                ],
                "wikipages": [{"title": "Goals", "url": "u"}],
                "annotations": [
                    {
                        "knowledge": [{"content": "Daei has 109.", "wikipage": "Goals"}],
                        "long_answer": f"Daei, or Sinclair ({number}).",
                    }
                    for number in (1, 2)
                ],
                "sample_id": -6681319065529126000,
            }
        ],
        "default",
        "dev",
    ),
    "arc_challenge": Copy(
        {
            "id": TEXT,
            "question": TEXT,
            "choices": Sequence({"text": TEXT, "label": TEXT}),
            "answerKey": TEXT,
        },
        [
            {
                "id": "Mercury_1",
                "question": "What is repeated?",
                "choices": {"text": ["Noise", "A measurement"], "label": ["1", "2"]},
                "answerKey": "2",
            }
        ],
        "ARC-Challenge",
        "test",
    ),
    "fever": Copy(
        _FEVER,
        [
            _fever(7, "SUPPORTS", "Nikolaj worked.", "Nikolaj_Coster-Waldau", 7),
            _fever(7, "SUPPORTS", "Nikolaj worked.", "Fox_-LRB-company-RRB-", 0),
            _fever(8, "NOT ENOUGH INFO", "Nobody knows.", "", -1),
            _fever(9, "REFUTES", "It was not.", "It", 3),
        ],
        "v1.0",
        "labelled_dev",
    ),
    "fever_gold": Copy(
        {
            "claim": TEXT,
            "label": TEXT,
            "evidence": List(TEXTS),
            "id": TEXT,
            "verifiable": TEXT,
            "original_id": NUMBER,
        },
        [
            {
                "claim": "Ada wrote.",
                "label": "SUPPORTS",
                "evidence": [["Ada_Lovelace", "0", "Ada wrote notes ."]],
                "id": str(number),
                "verifiable": "VERIFIABLE",
                "original_id": 11,
            }
            for number in (1, 2)
        ],
        "default",
        "validation",
    ),
    "pubhealth": Copy(
        {
            "claim_id": TEXT,
            "claim": TEXT,
            "date_published": TEXT,
            "explanation": TEXT,
            "main_text": TEXT,
            "label": ClassLabel(names=["false", "mixture", "true", "unproven"]),
        },
        [
            {
                "claim_id": str(label),
                "claim": f"A claim labelled {label}.",
                "date_published": "2020",
                "explanation": "It gives it away.",
                "main_text": "It gives it away at length.",
                "label": label,
            }
            for label in (-1, 0, 1, 2, 3)
        ],
        "default",
        "test",
    ),
}
