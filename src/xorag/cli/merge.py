"""`xorag merge`: a reader that needs nothing beside it."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.cli import output
from xorag.cli.options import ModelOption, PushOption
from xorag.cli.push import push_made, require_pushable


def merge(
    reader: Annotated[
        Path, typer.Argument(help="Directory of a reader, or of an unmerged Open-RAG checkpoint.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "--to", help="New directory for the merged one.")],
    model: ModelOption = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Folder of the tokenizer, where the reader holds none.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="Kept in float32, bfloat16 or float16; folding is in float32.")
    ] = "bfloat16",
    push_to_hub: PushOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Fold a reader's LoRA factors into its base model and write both as one reader.

    It answers as before, up to rounding, and its base model need not be here. Opening it takes
    less time; on the disk it takes as much as the base model.

    Example: `xorag merge my-reader --out merged-reader`, then
    `xorag ask "Who wrote Emma?" --mode openrag --reader merged-reader --index my-index`
    """
    require_pushable(push_to_hub)
    import torch

    from xorag.generation.reader.merging import save_merged
    from xorag.generation.reader.opening import open_parts
    from xorag.generation.reader.parts import Place
    from xorag.generation.reader.published import Beside
    from xorag.runtime.device import pick_dtype

    cpu = torch.device("cpu")
    with output.working(f"merging {reader}"):
        place = Place(cpu, pick_dtype(cpu, dtype))
        parts = open_parts(reader, place, Beside(model, tokenizer, output.say))
        manifest = save_merged(out, parts, origin=str(reader))
    push_made(out, push_to_hub)
    if json:
        output.print_json({"reader": str(out), "manifest": manifest.model_dump(mode="json")})
        return
    megabytes = sum(manifest.sizes.values()) / 1e6
    output.line(f"reader: {out} ({megabytes:,.0f} MB, {dtype})")
