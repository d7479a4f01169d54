"""The documents of an index in Lance, a page at a time.

Knows nothing of what they say or of search.
"""

from collections import Counter

from lancedb.table import Table

from xorag.retrieval import schema
from xorag.retrieval.filters import in_list
from xorag.retrieval.store import ListedDocument


def list_documents(table: Table, *, offset: int, limit: int) -> list[ListedDocument]:
    """Some documents, in the order of the table, which a write may change.

    Args:
        table: Of the index.
        offset: How many are passed over.
        limit: The most that are listed.
    """
    found = (
        table.search()
        .where("position = 0")
        .select([schema.DOCUMENT, "title"])
        .offset(offset)
        .limit(limit)
        .to_arrow()
    )
    ids, titles = found[schema.DOCUMENT].to_pylist(), found["title"].to_pylist()
    counts = _passage_counts(table, ids)
    return [
        ListedDocument(name, title, counts[name]) for name, title in zip(ids, titles, strict=True)
    ]


def _passage_counts(table: Table, document_ids: list[str]) -> Counter[str]:
    if not document_ids:
        return Counter()
    of_these = table.search().where(in_list(schema.DOCUMENT, document_ids))
    rows = of_these.select([schema.DOCUMENT]).to_batches()
    return Counter(name for batch in rows for name in batch[schema.DOCUMENT].to_pylist())
