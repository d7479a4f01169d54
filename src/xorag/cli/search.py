"""`xorag search`: passages for a query."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xorag.cli import output
from xorag.cli.options import DeviceOption
from xorag.errors import UsageError
from xorag.types import Hit, SearchMode

if TYPE_CHECKING:
    from xorag.retrieval.rerank import Reranker

RERANKER_KINDS = ("cross-encoder", "colbert")


def search(
    query: Annotated[str, typer.Argument(help="A question, or some words.")],
    *,
    directory: Annotated[
        Path, typer.Option("--index", help="The directory of the index, or s3://bucket/prefix.")
    ],
    k: Annotated[int, typer.Option("-k", help="How many passages.")] = 5,
    mode: Annotated[
        SearchMode, typer.Option(help="By embedding, by words, or both fused.")
    ] = SearchMode.DENSE,
    document: Annotated[
        list[str] | None,
        typer.Option(help="Search in the document of this id only; may be repeated."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="A folder or name; default: the index's own.")
    ] = None,
    reranker: Annotated[
        str | None, typer.Option(help="A model that reads the best hits again.")
    ] = None,
    reranker_kind: Annotated[
        str, typer.Option(help=f"What the reranker is: {' or '.join(RERANKER_KINDS)}.")
    ] = "cross-encoder",
    device: DeviceOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Find passages in an index.

    Example: `xorag search "Who wrote Emma?" --index my-index -k 3 --mode hybrid`
    """
    from xorag.retrieval.checks import require_positive, require_text

    require_positive(k)
    require_text([query])
    from xorag.retrieval.search import open_retriever
    from xorag.runtime.device import limit_threads, pick_device

    limit_threads()
    place = pick_device(device)
    retriever = open_retriever(directory, encoder=encoder, mode=mode, device=place)
    if reranker is not None:
        retriever = retriever.reranked_by(_open_reranker(reranker, reranker_kind, str(place)))
    (hits,) = retriever.search([query], k=k, within=document)
    if json:
        found = [_hit_json(hit) for hit in hits]
        output.print_json({"query": query, "mode": mode.value, "reranker": reranker, "hits": found})
        return
    _print_hits(hits)


def _open_reranker(name: str, kind: str, device: str) -> "Reranker":
    from xorag.retrieval.rerank import open_reranker

    if kind == "colbert":
        return open_reranker(name, kind="colbert", device=device)
    if kind == "cross-encoder":
        return open_reranker(name, device=device)
    raise UsageError(f"--reranker-kind must be {' or '.join(RERANKER_KINDS)}, got {kind!r}")


def _print_hits(hits: list[Hit]) -> None:
    if not hits:
        output.line("no passage shares a word with the query")
    for rank, hit in enumerate(hits, start=1):
        passage = hit.passage
        output.line(f"{rank}. {hit.score:.4f}  {passage.title or '(no title)'}  [{passage.id}]")
        output.line(f"   {' '.join(passage.text.split())}")


def _hit_json(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "id": passage.id,
        "document_id": passage.document_id,
        "title": passage.title,
        "text": passage.text,
        "position": passage.position,
        "score": hit.score,
    }
