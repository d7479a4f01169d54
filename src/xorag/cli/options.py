"""Options that several verbs have, so that they read alike everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.pipeline.generator_kind import GeneratorKind

ModelOption = Annotated[
    str | None, typer.Option(help="Language model: a folder or a name (`xorag models`).")
]
EncoderOption = Annotated[
    str | None, typer.Option(help="Encoder; unset, the index's or the projector's own.")
]
ProjectorOption = Annotated[
    Path | None, typer.Option(help="Projector directory; unset, one in xorag that fits.")
]
LayoutOption = Annotated[
    str | None, typer.Option(help="Prompt layout: chat, plain, xrag or xrag-claims.")
]
ThreadsOption = Annotated[int | None, typer.Option(help="CPU threads; unset, the free cores.")]
DtypeOption = Annotated[
    str | None, typer.Option(help="float32, bfloat16 or float16; unset, the fastest here.")
]
PushOption = Annotated[
    str | None,
    typer.Option(metavar="ORG/NAME", help="Put what was made on the hub under this name."),
]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, mps; unset, the best.")]
GeneratorOption = Annotated[
    GeneratorKind, typer.Option(help="What computes the language model: this process or vLLM.")
]
BaseUrlOption = Annotated[
    str | None, typer.Option(help="Of the vLLM server, such as http://127.0.0.1:8000.")
]
ServedModelOption = Annotated[
    str | None, typer.Option(help="The model's name on the server; unset, the only one there.")
]
ServedAdaptersOption = Annotated[
    str | None, typer.Option(help="What the projector's adapters are called on the server.")
]
