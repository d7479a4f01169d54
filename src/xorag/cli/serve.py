"""`xorag serve`: an index over HTTP, for OpenAI's clients, programs and a browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.options import (
    BaseUrlOption,
    DeviceOption,
    DtypeOption,
    EncoderOption,
    GeneratorOption,
    LayoutOption,
    ModelOption,
    ProjectorOption,
    ServedAdaptersOption,
    ServedModelOption,
    ThreadsOption,
)
from xorag.cli.reading_options import (
    CalibrationOption,
    JudgeOption,
    RerankerOption,
    SearchOption,
)
from xorag.pipeline.generator_kind import GeneratorKind
from xorag.types import SearchMode

if TYPE_CHECKING:
    from xorag.serving.options import ServeOptions
    from xorag.serving.protocol import About

_PACKAGES = ("fastapi", "prometheus_client", "python_multipart", "sse_starlette", "uvicorn")


def serve(
    *,
    index: Annotated[
        Path | None, typer.Option(help="Directory made by `xorag index`; unset, the demo's.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; other than this machine needs a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8000,
    api_key_file: Annotated[
        Path | None, typer.Option(help="Keys, one a line; each request then needs one.")
    ] = None,
    max_queue: Annotated[int, typer.Option(help="Requests that may wait.")] = 64,
    timeout: Annotated[float, typer.Option(help="Seconds from request to answer.")] = 120.0,
    batch_size: Annotated[int, typer.Option(help="Questions answered together, at most.")] = 16,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Let nobody add or delete documents.")
    ] = False,
    model: ModelOption = None,
    encoder: EncoderOption = None,
    projector: ProjectorOption = None,
    layout: LayoutOption = None,
    generator: GeneratorOption = GeneratorKind.TRANSFORMERS,
    base_url: BaseUrlOption = None,
    served_model: ServedModelOption = None,
    served_adapters: ServedAdaptersOption = None,
    reader: Annotated[
        str | None,
        typer.Option(help='For openrag and cascade: a directory, or "shipped" for one in xorag.'),
    ] = None,
    calibration: CalibrationOption = None,
    judge: JudgeOption = None,
    search: SearchOption = SearchMode.DENSE,
    reranker: RerankerOption = None,
    threads: ThreadsOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Serve an index: OpenAI's API at /v1, a page at /, and plain JSON at /api.

    It ends with Ctrl-C or SIGTERM, once it has answered what it has taken.

    Example: `xorag serve --index my-index --port 8000`

    Example: `xorag serve --index my-index --host 0.0.0.0 --api-key-file keys.txt`
    """
    options = _options(host, api_key_file, max_queue, timeout, batch_size)
    from xorag.serving.running import address_of, bound_socket, run_until_stopped

    listening = bound_socket(host, port)
    with output.working("loading the models"):
        from xorag.pipeline.opening import PartNames
        from xorag.runtime.device import limit_threads, pick_device, pick_dtype
        from xorag.serving.app import create_app
        from xorag.serving.opening import open_served, with_library
        from xorag.serving.service import PipelineService

        limit_threads(threads)
        place = pick_device(device)
        names = PartNames(
            index,
            model,
            encoder,
            projector,
            layout,
            reader,
            calibration,
            judge=judge,
            reranker=reranker,
            search=search,
            generator=generator,
            base_url=base_url,
            served_model=served_model,
            served_adapters=served_adapters,
        )
        served = open_served(names, place, pick_dtype(place, dtype))
        opened = with_library(served, names, place, is_read_only=read_only)
    app = create_app(PipelineService(opened.served, options), options, opened.library)
    address = address_of(listening, host)
    run_until_stopped(
        app,
        listening,
        seconds=timeout,
        on_ready=lambda: _tell(address, served.about, json=json),
    )


def _options(
    host: str, key_file: Path | None, max_queue: int, timeout: float, batch_size: int
) -> "ServeOptions":
    """Refuse what no model is needed to refuse."""
    from importlib.util import find_spec

    from xorag.errors import MissingExtraError

    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise MissingExtraError(f"serving needs {', '.join(missing)}; install xorag[serve]")
    from xorag.serving.options import (
        ServeOptions,
        is_loopback,
        read_api_keys,
        require_key_off_loopback,
    )

    keys = () if key_file is None else read_api_keys(key_file)
    require_key_off_loopback(host, keys)
    return ServeOptions(
        max_queue=max_queue,
        timeout_seconds=timeout,
        batch_size=batch_size,
        api_keys=keys,
        is_loopback=is_loopback(host),
    )


def _tell(address: str, about: "About", *, json: bool) -> None:
    """Say where the server is, and what it can do."""
    modes = [mode.value for mode in about.modes]
    if json:
        output.print_json({"address": address, "modes": modes, "model": about.model})
    else:
        output.line(f"serving {', '.join(modes)} at {address} (Ctrl-C ends it)")
    output.flush()
