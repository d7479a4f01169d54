"""Claims to be judged: FEVER, PubHealth and FactKG."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from xorag.data.fields import Fields
from xorag.data.question_sets.outcome import NoAnswer
from xorag.data.questions import LabelledPassage, Question, SupportingFact
from xorag.data.rows import BadRow, Row
from xorag.data.verdicts import verdict
from xorag.errors import SourceError

_PUBHEALTH_LABELS = ("false", "mixture", "true", "unproven")
"""What the numbers of the hub's copy stand for."""

_FEVER_MARKS: Mapping[str, str] = MappingProxyType(
    {
        "_": " ",
        "-LRB-": "(",
        "-RRB-": ")",
        "-LSB-": "[",
        "-RSB-": "]",
        "-COLON-": ":",
    }
)
_EVIDENCE = "evidence"
_URL, _SENTENCE = "evidence_wiki_url", "evidence_sentence_id"


@dataclass(frozen=True, slots=True)
class _Evidence:
    fact: SupportingFact
    text: str


def read_fever(row: Fields, identity: str) -> Question | NoAnswer:
    """FEVER (Thorne et al., 2018): SUPPORTS and REFUTES; NOT ENOUGH INFO is left out.

    `evidence` is read as the authors' files nest it (annotation, evidence, page, sentence),
    which gives the facts but not their text, and as pairs of page and sentence or triples
    of page, sentence and text, which give passages.
    """
    items = (_evidence(item) for item in _innermost(row.items(_EVIDENCE)))
    found = [item for item in items if item is not None]
    texts: dict[str, list[str]] = {}
    for item in found:
        texts.setdefault(item.fact.title, []).extend([item.text] if item.text else [])
    passages = tuple(
        LabelledPassage(title, " ".join(dict.fromkeys(sentences)), is_supporting=True)
        for title, sentences in texts.items()
        if sentences
    )
    facts = tuple(dict.fromkeys(item.fact for item in found))
    return _claim(row, identity, row.optional_text("label"), passages, facts)


def gather_evidence(rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """Join the rows of one claim that stand together, a row for each piece of evidence."""
    for _, group in groupby(rows, _claim_key):
        first, *others = group
        if isinstance(first, BadRow):
            yield from (first, *others)
            continue
        evidence = [item for row in (first, *others) for item in _evidence_of_row(row)]
        yield Row(first.place, first.number, {**first.fields, _EVIDENCE: evidence})


def read_pubhealth(row: Fields, identity: str) -> Question | NoAnswer:
    """PubHealth (Kotonya and Toni, 2020): true and false; mixture and unproven are left out.

    The article that judged the claim (`main_text`, `explanation`) gives the verdict away, so
    it is no passage.
    """
    label = row.values.get("label")
    if isinstance(label, int) and not isinstance(label, bool):
        label = _PUBHEALTH_LABELS[label] if 0 <= label < len(_PUBHEALTH_LABELS) else None
    return _claim(row, identity, Fields({"label": label}).optional_text("label"))


def read_factkg(row: Fields, identity: str) -> Question | NoAnswer:
    """FactKG (Kim et al., 2023): `Label` is a list of one truth value.

    An object of claims and their facts, as the authors' pickles hold, has the claim as key,
    which is the row's `id` then; xRAG's copy has `question` and `answer`.
    """
    label = next((key for key in ("Label", "label", "answer") if key in row), None)
    labels = row.texts(label) if label is not None else []
    return _claim(row, identity, labels[0] if labels else "")


def _claim(
    row: Fields,
    identity: str,
    label: str,
    passages: tuple[LabelledPassage, ...] = (),
    facts: tuple[SupportingFact, ...] = (),
) -> Question | NoAnswer:
    answer = verdict(label)
    if answer is None:
        return NoAnswer(f"label {label!r}" if label else "no label")
    key = next((key for key in ("claim", "question", "id") if key in row), "claim")
    return Question(
        id=identity,
        question=row.text(key).strip(),
        answers=(answer,),
        passages=passages,
        task="claim",
        label=answer,
        supporting_facts=facts,
    )


def _claim_key(row: Row | BadRow) -> object:
    if isinstance(row, BadRow):
        return row.place
    key = row.fields.get("original_id")
    return row.fields.get("id") if key is None else key


def _evidence_of_row(row: Row | BadRow) -> list[object]:
    if isinstance(row, BadRow):
        return []
    fields = Fields(row.fields)
    if _EVIDENCE in fields:
        return fields.items(_EVIDENCE)
    return [[fields.text(_URL), fields.values.get(_SENTENCE)]] if _URL in fields else []


def _innermost(items: list[object]) -> Iterator[list[object]]:
    for item in items:
        if not isinstance(item, list):
            raise SourceError("its 'evidence' must hold lists")
        if item and isinstance(item[0], list):
            yield from _innermost(item)
        else:
            yield item


def _evidence(item: list[object]) -> _Evidence | None:
    match item:
        case [_, _, str(page), sentence] | [str(page), sentence]:
            text = ""
        case [str(page), sentence, str(text)]:
            pass
        case [_, _, None, None]:
            return None
        case _:
            raise SourceError("its 'evidence' must hold page and sentence, with or without text")
    number = _sentence_number(sentence)
    if not page or number is None:
        return None
    for mark, plain in _FEVER_MARKS.items():
        page = page.replace(mark, plain)
    return _Evidence(SupportingFact(page, number), text)


def _sentence_number(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    # A claim without evidence has an empty page and sentence -1 on the hub.
    return value if isinstance(value, int) and value >= 0 else None
