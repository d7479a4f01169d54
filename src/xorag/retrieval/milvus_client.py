"""A collection of Milvus that holds passages, and how what Milvus says becomes an error of ours.

Knows nothing of searching.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xorag.artifact.manifest import EncoderSpec
from xorag.errors import MissingExtraError, RemoteStorageError
from xorag.retrieval import schema

if TYPE_CHECKING:
    from pymilvus import MilvusClient

KEY = "key"
"""Primary key: a hash of the passage's id, which may hold what Milvus cannot compare."""
SPARSE = "word_weights"
"""What Milvus makes of the words, for BM25."""
MAX_BYTES = 65_535
"""Of a text field, by Milvus."""
METRICS = {"cosine": "COSINE", "dot": "IP", "l2": "L2"}
STRONG = "Strong"
"""Reads see all writes that ended before."""
_ANALYZER = {
    "tokenizer": "standard",
    "filter": ["lowercase", "asciifolding", {"type": "stemmer", "language": "english"}],
}


def connect(uri: str) -> "MilvusClient":
    """Open a Milvus Lite file, or reach a server; its token is in `MILVUS_TOKEN`.

    Raises:
        MissingExtraError: If pymilvus is not installed.
        RemoteStorageError: If it cannot be opened or reached.
    """
    try:
        from pymilvus import MilvusClient  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            "an index in Milvus needs pymilvus and milvus-lite; install xorag[milvus]"
        ) from error
    with milvus_errors(uri):
        return MilvusClient(uri, token=os.environ.get("MILVUS_TOKEN", ""))


def milvus_uri(given: str) -> str:
    """A URL as it is, and a file by its whole path, so that it is found from everywhere."""
    return given if "://" in given else str(Path(given).expanduser().resolve())


def create_collection(client: "MilvusClient", name: str, spec: EncoderSpec) -> None:
    """Make an empty collection for the passages of an encoder."""
    from pymilvus import DataType, Function, FunctionType  # noqa: PLC0415 - an extra

    columns = client.create_schema(auto_id=False, enable_dynamic_field=False)
    columns.add_field(KEY, DataType.VARCHAR, is_primary=True, max_length=32)
    for text in ("id", schema.DOCUMENT, "title", "text", schema.HASH):
        columns.add_field(text, DataType.VARCHAR, max_length=MAX_BYTES)
    columns.add_field(
        schema.WORDS,
        DataType.VARCHAR,
        max_length=MAX_BYTES,
        enable_analyzer=True,
        analyzer_params=_ANALYZER,
    )
    columns.add_field("position", DataType.INT64)
    # Milvus Lite has no half precision, so the stored halves take twice their room.
    columns.add_field(schema.EMBEDDING, DataType.FLOAT_VECTOR, dim=spec.dimensions)
    columns.add_field(SPARSE, DataType.SPARSE_FLOAT_VECTOR)
    columns.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=[schema.WORDS],
            output_field_names=[SPARSE],
        )
    )
    indexes = client.prepare_index_params()
    indexes.add_index(schema.EMBEDDING, index_type="AUTOINDEX", metric_type=METRICS[spec.metric])
    indexes.add_index(SPARSE, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    indexes.add_index(schema.DOCUMENT, index_type="INVERTED")
    client.create_collection(name, schema=columns, index_params=indexes, consistency_level=STRONG)


def one_of(column: str, values: Sequence[str]) -> str:
    """A filter for rows whose column has one of the values."""
    return f"{column} in [{', '.join(_quoted(value) for value in values)}]"


def _quoted(value: str) -> str:
    """A literal of Milvus's filters: it knows these escapes and takes all else as it is."""
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(character, escape)
    return f'"{value}"'


@contextmanager
def milvus_errors(uri: str) -> Iterator[None]:
    """Turn what Milvus refuses into an error of ours.

    Raises:
        RemoteStorageError: If it refuses or cannot be reached.
    """
    from pymilvus.exceptions import MilvusException  # noqa: PLC0415 - an extra

    try:
        yield
    except MilvusException as error:
        raise RemoteStorageError(
            f"the Milvus at {uri!r} refuses or cannot be reached ({error.message or error}); check "
            f"that it runs, MILVUS_TOKEN, and that no other process has the file open"
        ) from error
