"""`xorag import`: take over a published checkpoint."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.cli import output


def import_checkpoint(
    checkpoint: Annotated[
        Path, typer.Argument(help="Folder of an xRAG model, or the ckpt.pth its training leaves.")
    ],
    *,
    to: Annotated[Path, typer.Option("--to", help="New directory for what is imported.")],
    json: output.JsonFlag = False,
) -> None:
    """Part a published xRAG checkpoint into a plain language model and a projector.

    Example: `xorag import xrag-7b/ --to imported`, then `xorag ask "Who wrote Emma?" --model
    imported/language-model --projector imported/projector --index my-index`
    """
    from xorag.compression.published import import_published

    with output.working(f"reading {checkpoint}"):
        imported = import_published(checkpoint, to)
    if json:
        output.print_json(
            {
                "projector": str(imported.projector),
                "language_model": str(imported.language_model) if imported.language_model else None,
                "has_tokenizer": imported.has_tokenizer,
            }
        )
        return
    output.line(f"projector: {imported.projector}")
    if imported.language_model is None:
        output.line("language model: none in this file; name its base model with --model")
        return
    output.line(f"language model: {imported.language_model}")
    if not imported.has_tokenizer:
        output.line(f"tokenizer: none; copy the base model's into {imported.language_model}")
