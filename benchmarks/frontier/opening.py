"""Opens what the frontier asks with: pools, pipelines over them, and ways to shorten text.

Knows nothing of what is asked or kept.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from benchmarks.frontier.baselines import BestSentences, PrunedWords, Show, Truncated
from benchmarks.frontier.conditions import Method, Needs
from benchmarks.frontier.fitting import Count
from benchmarks.frontier.information import SelfInformation
from benchmarks.frontier.pool_retriever import EmbeddedPool, PoolRetriever
from benchmarks.frontier.ranking_words import TfIdfWords
from xorag.artifact.manifest import MANIFEST_NAME, Manifest
from xorag.generation.reader.shipped import shipped_reader
from xorag.generation.token_judge_artifact import FOLDER_NAME as JUDGE
from xorag.pipeline import Pipeline
from xorag.pipeline.opening import PartNames, Parts, open_parts
from xorag.pipeline.opening_reader import SHIPPED
from xorag.retrieval.timed import IndexOnDemand, TimedEmbedder
from xorag.runtime.loading import load_language_model

_COUNTED_PASSAGES = 5_000
"""First passages of the index, in which words are counted for TF-IDF."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A pipeline's parts, and the digests of what decides its answers."""

    parts: Parts
    index: IndexOnDemand
    grounds: Mapping[Needs, str]

    @property
    def embedder(self) -> TimedEmbedder:
        """Of the index's encoder; an index always has one."""
        if self.parts.embedder is None:
            raise SystemExit("the index names no encoder; make it again with `xorag index`")
        return self.parts.embedder

    def over(self, pools: Mapping[str, EmbeddedPool], stored_pieces: int) -> Pipeline:
        """A pipeline that finds in pools what it would find in the index."""
        retriever = PoolRetriever(pools, self.embedder, stored_pieces=stored_pieces)
        return Pipeline.of(replace(self.parts, retriever=retriever))


def open_all(
    names: PartNames, dtype: torch.dtype, said: Mapping[str, object], pieces: int
) -> Opened:
    """Open models and an index.

    Args:
        names: Of the parts; an index among them.
        dtype: In which the language model computes.
        said: What else decides answers, such as the seed.
        pieces: Of a passage, whose embeddings the index is taken to hold.
    """
    parts = open_parts(names, torch.device("cpu"), dtype)
    if not isinstance(parts.retriever, IndexOnDemand):
        raise SystemExit("name an index with --index")
    store = parts.retriever.open().index
    model = {
        **said,
        "model": parts.model.model_dump(),
        "layout": parts.builder.layout.name,
        "dtype": str(dtype),
        "encoder": store.spec.model_dump(),
        "passages": store.passage_count(),
    }
    projector = {**model, "pieces": pieces, "projector": _digest(parts.projector)}
    forms = {**projector, "forms": parts.forms and parts.forms.fingerprint}
    folder = None if names.reader is None else _reader_folder(names)
    reader = {**model, "reader": folder and _of_manifest(folder)}
    judge = {**reader, "judge": folder and _of_manifest(Path(names.judge or folder / JUDGE))}
    given = (model, projector, forms, reader, judge)
    grounds = {need: _short(values) for need, values in zip(Needs, given, strict=True)}
    return Opened(parts, parts.retriever, grounds)


def counter(parts: Parts) -> Count:
    """What counts the tokens that a passage takes as text; what it counted, it remembers."""
    return lru_cache(maxsize=100_000)(parts.builder.tokens_as_text)


def open_shows(
    opened: Opened, information: SelfInformation, methods: Sequence[Method]
) -> dict[Method, Show]:
    """The ways to shorten text, out of some methods."""
    count = counter(opened.parts)
    makers: Mapping[Method, Callable[[], Show]] = {
        Method.TRUNCATED: lambda: Truncated(count),
        Method.SENTENCES: lambda: BestSentences(count),
        Method.WORDS: lambda: PrunedWords(TfIdfWords(_counted(opened.index)), count),
        Method.PRUNED: lambda: PrunedWords(information, count),
    }
    return {method: make() for method, make in makers.items() if method in methods}


def open_information(model: str | None, dtype: torch.dtype, out: Path) -> SelfInformation:
    """The language model as the judge of words; what it said before is in a file."""
    language = load_language_model(model, device=torch.device("cpu"), dtype=dtype)
    return SelfInformation(language.model, language.tokenizer, out)


def _counted(index: IndexOnDemand) -> list[str]:
    store = index.open().index
    batches = store.stream()
    texts: list[str] = []
    for batch in batches:
        texts += [passage.text for passage in batch.passages]
        if len(texts) >= _COUNTED_PASSAGES:
            break
    return texts[:_COUNTED_PASSAGES]


def _reader_folder(names: PartNames) -> Path:
    return shipped_reader(names.model) if names.reader == SHIPPED else Path(str(names.reader))


def _of_manifest(folder: Path) -> str | None:
    """Of what a folder's manifest says, which names the hashes of its files."""
    path = folder / MANIFEST_NAME
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _digest(manifest: Manifest | None) -> str | None:
    return None if manifest is None else _short(manifest.model_dump(mode="json"))


def _short(values: Mapping[str, object]) -> str:
    content = json.dumps(values, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:12]
