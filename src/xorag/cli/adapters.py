"""`xorag adapters`: a projector's adapters in the form in which model servers load them."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.cli import output


def adapters(
    projector: Annotated[Path, typer.Argument(help="With adapters: a directory or name.")],
    *,
    out: Annotated[Path, typer.Option("--out", "--to", help="New directory for the adapters.")],
    json: output.JsonFlag = False,
) -> None:
    """Write the adapters that read a projector's soft tokens as peft's, for a vLLM server.

    The server loads them beside the language model under a name of their own; `--served-adapters`
    of the other verbs says that name.

    Example: `xorag adapters my-projector --out my-adapters`
    """
    from xorag.artifact.hub import find_artifact
    from xorag.compression.adapter_export import export_adapters
    from xorag.compression.pretrained import SHIPPED
    from xorag.compression.projector_artifact import load_projector
    from xorag.errors import ProjectorMismatchError

    saved = load_projector(find_artifact(projector, "projector", packaged=SHIPPED))
    if saved.adapters is None:
        raise ProjectorMismatchError(
            f"the projector {str(projector)!r} has no adapters: its soft tokens are read by the "
            "language model as it is; leave --served-adapters out"
        )
    made_for = saved.manifest.base_model
    export_adapters(out, saved.adapters, made_for.name if made_for else "")
    found = {"adapters": str(out), "rank": saved.adapters.rank, "alpha": saved.adapters.alpha}
    if json:
        output.print_json(found)
        return
    output.line(f"adapters: {out} (rank {saved.adapters.rank})")
    output.line(
        f"serve them with --enable-lora {_max_rank(saved.adapters.rank)}--lora-modules NAME={out}"
    )


_SERVED_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Those that vLLM 0.32 has room for, of which it takes 16 unless told."""


def _max_rank(rank: int) -> str:
    room = next((size for size in _SERVED_RANKS if size >= rank), rank)
    return f"--max-lora-rank {room} "
