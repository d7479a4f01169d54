"""Options of where training examples come from, which the builders of training data share."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.types import SearchMode

KeepOutOption = Annotated[
    Path | None, typer.Option(help="Ids of passages that no training may see, one a line.")
]
CorpusOption = Annotated[
    Path | None,
    typer.Option(help="Texts of the ids in --keep-out: parts and near-copies are left out too."),
]
ReserveOption = Annotated[
    list[str] | None, typer.Option(help="A further set whose dev rows are kept for reporting.")
]
SplitOption = Annotated[str | None, typer.Option(help="Of sets given by name, such as train.")]
RetrieveOption = Annotated[
    SearchMode | None, typer.Option(help="How to search --index; default: bm25.")
]
IndexEncoderOption = Annotated[
    str | None, typer.Option(help="A folder or name; default: the index's own.")
]
