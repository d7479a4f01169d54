"""The page of an artifact on the hub, made from its manifest.

Knows nothing of how it gets there.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType

from huggingface_hub import ModelCard, ModelCardData

from xorag.artifact.hub import is_hub_name
from xorag.artifact.manifest import Kind, Manifest

_WHAT: Mapping[Kind, str] = MappingProxyType(
    {
        "projector": "A projector of [xorag]: it maps the embedding of a passage to soft tokens, "
        "so that a language model reads the passage in their place (xRAG, arXiv 2405.13792).",
        "reader": "A reader of [xorag]: a language model that decides whether to retrieve, and "
        "judges passages and its own answers (Open-RAG, arXiv 2410.01782).",
        "calibration": "A calibration of [xorag]: when a reader retrieves, chosen on questions.",
        "index": "An index of [xorag]: passages with their embeddings.",
    }
)
_USE: Mapping[Kind, str] = MappingProxyType(
    {
        "projector": 'xorag ask "Who wrote Emma?" --index my-index --projector {repo}',
        "reader": 'xorag ask "Who wrote Emma?" --mode openrag --index my-index --reader {repo}',
        "calibration": 'xorag ask "Who wrote Emma?" --mode openrag --index my-index '
        "--reader my-reader --calibration {repo}",
        "index": 'xorag ask "Who wrote Emma?" --index {repo}',
    }
)


def model_card(manifest: Manifest, repo: str, *, licence: str | None = None) -> ModelCard:
    """Say what an artifact is, how it is used, what it was made of and what it reached.

    Args:
        manifest: Of the artifact.
        repo: Its name on the hub.
        licence: As the hub names it, such as `apache-2.0`; None: the card names none.
    """
    base = manifest.base_model.name if manifest.base_model else None
    card = ModelCardData(
        library_name="xorag",
        license=licence,
        tags=["xorag", "retrieval-augmented-generation", manifest.kind],
        base_model=base if base and is_hub_name(base) else None,
    )
    parts = [
        f"---\n{card.to_yaml()}\n---\n\n# {repo.rpartition('/')[2]}",
        _WHAT[manifest.kind].replace("[xorag]", f"xorag {manifest.xorag}"),
        f"## Use\n\n```bash\n{_USE[manifest.kind].format(repo=repo)}\n```",
        _table("Made for", _made_for(manifest)),
        _json("Settings", manifest.settings),
        _json("What it reached", manifest.metrics),
        _json("How it was made", manifest.recipe),
        _table("Files (sha256)", manifest.files),
    ]
    return ModelCard("\n\n".join(part for part in parts if part) + "\n")


def _made_for(manifest: Manifest) -> dict[str, object]:
    """The models that it belongs to, and the sizes that must agree."""
    rows: dict[str, object] = {}
    if manifest.base_model is not None:
        model = manifest.base_model
        rows["language model"] = model.name
        rows["its layers, width and vocabulary"] = f"{model.layers}, {model.hidden}, {model.vocab}"
    if manifest.encoder is not None:
        rows["encoder"] = manifest.encoder.name
        rows["its dimensions"] = manifest.encoder.dimensions
    if manifest.placeholder is not None:
        rows["token that marks a soft token"] = manifest.placeholder
    return rows


def _table(title: str, rows: Mapping[str, object]) -> str:
    if not rows:
        return ""
    lines = [f"| `{_cell(name)}` | `{_cell(value)}` |" for name, value in rows.items()]
    return "\n".join([f"## {title}", "", "| | |", "| --- | --- |", *lines])


def _cell(value: object) -> str:
    """A value as it may stand between two backticks of a table."""
    return " ".join(str(value).replace("`", "'").replace("|", "/").split())


def _json(title: str, fields: Mapping[str, object]) -> str:
    if not fields:
        return ""
    # Escaped, so that no text of a manifest ends the block.
    text = json.dumps(dict(fields), indent=2).replace("`", "\\u0060")
    return f"## {title}\n\n```json\n{text}\n```"
