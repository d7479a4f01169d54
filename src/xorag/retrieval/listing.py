"""The documents of an index, a page at a time.

Knows nothing of what they say or of search.
"""

from collections import Counter
from dataclasses import dataclass

from xorag.retrieval import schema
from xorag.retrieval.index import PassageIndex, in_list


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as a list shows it."""

    id: str
    title: str
    passages: int


def list_documents(index: PassageIndex, *, offset: int, limit: int) -> list[ListedDocument]:
    """Some documents, in the order of the table, which a write may change.

    Args:
        index: Where they are.
        offset: How many are passed over.
        limit: The most that are listed.
    """
    found = (
        index.table.search()
        .where("position = 0")
        .select([schema.DOCUMENT, "title"])
        .offset(offset)
        .limit(limit)
        .to_arrow()
    )
    ids, titles = found[schema.DOCUMENT].to_pylist(), found["title"].to_pylist()
    counts = _passage_counts(index, ids)
    return [
        ListedDocument(name, title, counts[name]) for name, title in zip(ids, titles, strict=True)
    ]


def _passage_counts(index: PassageIndex, document_ids: list[str]) -> Counter[str]:
    if not document_ids:
        return Counter()
    of_these = index.table.search().where(in_list(schema.DOCUMENT, document_ids))
    rows = of_these.select([schema.DOCUMENT]).to_batches()
    return Counter(name for batch in rows for name in batch[schema.DOCUMENT].to_pylist())
