"""`xorag import`: take over a published checkpoint."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.cli import output
from xorag.cli.options import ModelOption
from xorag.errors import UsageError


def import_checkpoint(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="Folder of an xRAG model, or the ckpt.pth its training leaves; or folder of an "
            "Open-RAG model, merged or as its training leaves it."
        ),
    ],
    *,
    to: Annotated[Path, typer.Option("--to", "--out", help="New directory for what is imported.")],
    model: ModelOption = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Open-RAG: the tokenizer, where the folder holds none.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Open-RAG: kept in float32, bfloat16 ...; unset, as stored.")
    ] = None,
    json: output.JsonFlag = False,
) -> None:
    """Take over what xRAG and Open-RAG publish, without running their code.

    An xRAG checkpoint is parted into a plain language model and a projector; an Open-RAG
    checkpoint becomes a reader, with its base model inside. `--model` names the base of an
    unmerged one, where it is neither inside nor where its adapter says.

    Example: `xorag import xrag-7b/ --to imported`, then `xorag ask "Who wrote Emma?" --model
    imported/language-model --projector imported/projector --index my-index`

    Example: `xorag import openrag-7b/ --to my-reader`
    """
    from xorag.generation.reader.published import layout_of

    if layout_of(checkpoint) is None:
        _refuse_options({"--model": model, "--tokenizer": tokenizer, "--dtype": dtype}, checkpoint)
        _import_xrag(checkpoint, to, is_json=json)
        return
    _import_openrag(checkpoint, to, (model, tokenizer), dtype=dtype, is_json=json)


def _refuse_options(given: dict[str, object], checkpoint: Path) -> None:
    names = [name for name, value in given.items() if value is not None]
    if names and checkpoint.exists():
        raise UsageError(
            f"{names[0]} is for Open-RAG checkpoints, but {str(checkpoint)!r} is none; leave it out"
        )


def _import_openrag(
    checkpoint: Path,
    to: Path,
    beside: tuple[str | None, Path | None],
    *,
    dtype: str | None,
    is_json: bool,
) -> None:
    import torch

    from xorag.generation.reader.merging import save_merged
    from xorag.generation.reader.parts import Place
    from xorag.generation.reader.published import Beside, open_published, stored_dtype
    from xorag.runtime.device import pick_dtype

    cpu = torch.device("cpu")
    kept = stored_dtype(checkpoint) if dtype is None else pick_dtype(cpu, dtype)
    with output.working(f"reading {checkpoint}"):
        parts = open_published(checkpoint, Place(cpu, kept), Beside(*beside, output.say))
        save_merged(to, parts, origin=str(checkpoint))
    if is_json:
        options = parts.experts.options
        output.print_json({"reader": str(to), "experts": options.experts, "width": options.width})
        return
    output.line(f"reader: {to}")


def _import_xrag(checkpoint: Path, to: Path, *, is_json: bool) -> None:
    from xorag.compression.published import import_published

    with output.working(f"reading {checkpoint}"):
        imported = import_published(checkpoint, to)
    if is_json:
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
