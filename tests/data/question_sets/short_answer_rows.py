"""Two or three rows, made up, of each set of questions with short answers.

The columns and their types are those of the hub's data set cards.
"""

from collections.abc import Mapping
from typing import Any

from datasets import Sequence

from tests.data.question_sets.copied_set import FLAG, NUMBER, TEXT, TEXTS, Copy

_TRIVIA_ANSWER = {
    "aliases": TEXTS,
    "normalized_aliases": TEXTS,
    "matched_wiki_entity_name": TEXT,
    "normalized_matched_wiki_entity_name": TEXT,
    "normalized_value": TEXT,
    "type": TEXT,
    "value": TEXT,
}
_NO_PAGES: dict[str, list[str]] = {"title": [], "wiki_context": []}


def _trivia_answer(value: str, *aliases: str) -> dict[str, Any]:
    return {
        **dict.fromkeys(_TRIVIA_ANSWER, ""),
        "value": value,
        "aliases": list(aliases),
        "normalized_aliases": [],
    }


_HOTPOT = {
    "id": TEXT,
    "question": TEXT,
    "answer": TEXT,
    "type": TEXT,
    "supporting_facts": Sequence({"title": TEXT, "sent_id": NUMBER}),
    "context": Sequence({"title": TEXT, "sentences": TEXTS}),
}
_HOTPOT_ROW = {
    "id": "5a8b",
    "question": "Were they of one nation?",
    "answer": "yes",
    "type": "comparison",
    "supporting_facts": {"title": ["Ed", "Scott"], "sent_id": [0, 1]},
    "context": {
        "title": ["Ed", "Tyler", "Scott"],
        "sentences": [["Ed is here."], ["No."], ["Scott came.", " He stayed."]],
    },
}

SHORT_ANSWER_SETS: Mapping[str, Copy] = {
    "nq": Copy(
        {"question": TEXT, "answer": TEXTS},
        [
            {"question": "who wrote the notes", "answer": ["Ada", "Ada Lovelace"]},
            {"question": "who nobody knows", "answer": []},
        ],
        "nq_open",
        "validation",
    ),
    "triviaqa": Copy(
        {
            "question": TEXT,
            "question_id": TEXT,
            "question_source": TEXT,
            "entity_pages": Sequence({"title": TEXT, "wiki_context": TEXT}),
            "search_results": Sequence({"title": TEXT, "rank": NUMBER, "search_context": TEXT}),
            "answer": _TRIVIA_ANSWER,
        },
        [
            {
                "question": "Which gas makes one laugh?",
                "question_id": "tc_1",
                "question_source": "http://example.org",
                "entity_pages": {"title": ["Nitrous oxide"], "wiki_context": ["It is a gas."]},
                "search_results": {"title": [], "rank": [], "search_context": []},
                "answer": _trivia_answer("Nitrous oxide", "N2O", "Nitrous oxide"),
            },
            {
                "question": "What is hidden in the test split?",
                "question_id": "tc_2",
                "question_source": "",
                "entity_pages": _NO_PAGES,
                "search_results": {"title": [], "rank": [], "search_context": []},
                "answer": _trivia_answer("<unk>"),
            },
        ],
        "rc",
        "validation",
    ),
    "webquestions": Copy(
        {"url": TEXT, "question": TEXT, "answers": TEXTS},
        [{"url": "u", "question": "what did he do?", "answers": ["Lawyer", "Farmer"]}],
        "default",
        "test",
    ),
    "popqa": Copy(
        {"id": NUMBER, "prop": TEXT, "question": TEXT, "possible_answers": TEXT},
        [
            {
                "id": 4222362,
                "prop": "occupation",
                "question": "What is George's occupation?",
                "possible_answers": '["politician", "political leader"]',
            }
        ],
        "default",
        "test",
    ),
    "squad": Copy(
        {
            "id": TEXT,
            "title": TEXT,
            "context": TEXT,
            "question": TEXT,
            "answers": Sequence({"text": TEXT, "answer_start": NUMBER}),
        },
        [
            {
                "id": "56be4db0",
                "title": "Super_Bowl_50",
                "context": "Denver won.",
                "question": " Who won?",
                "answers": {"text": ["Denver", "Denver"], "answer_start": [0, 0]},
            }
        ],
        "plain_text",
        "validation",
    ),
    "hotpotqa": Copy(
        {**_HOTPOT, "level": TEXT}, [{**_HOTPOT_ROW, "level": "hard"}], "distractor", "validation"
    ),
    "2wikimultihopqa": Copy(_HOTPOT, [_HOTPOT_ROW], "default", "validation"),
    "musique": Copy(
        {
            "id": TEXT,
            "paragraphs": [
                {"idx": NUMBER, "title": TEXT, "paragraph_text": TEXT, "is_supporting": FLAG}
            ],
            "question": TEXT,
            "question_decomposition": [
                {"id": NUMBER, "question": TEXT, "answer": TEXT, "paragraph_support_idx": NUMBER}
            ],
            "answer": TEXT,
            "answer_aliases": TEXTS,
            "answerable": FLAG,
        },
        [
            {
                "id": f"2hop__{number}",
                "paragraphs": [
                    {"idx": 0, "title": "A", "paragraph_text": "a.", "is_supporting": False},
                    {"idx": 1, "title": "B", "paragraph_text": "b.", "is_supporting": True},
                ],
                "question": "Seat of the county of B?",
                "question_decomposition": [
                    {"id": 1, "question": "B >> county", "answer": "C", "paragraph_support_idx": 1},
                    {"id": 2, "question": "#1 >> seat", "answer": "S", "paragraph_support_idx": 1},
                ],
                "answer": "S",
                "answer_aliases": ["S City"],
                "answerable": number == 1,
            }
            for number in (1, 2)
        ],
        "default",
        "validation",
    ),
}
