"""`xorag inspect`: what an artifact is, and whether a reader's experts are used."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.described import described
from xorag.cli.inspect_index import inspect_index
from xorag.cli.options import DeviceOption, DtypeOption, ModelOption, ThreadsOption

if TYPE_CHECKING:
    from xorag.artifact.manifest import Manifest
    from xorag.moe.health import ExpertHealth
    from xorag.moe.options import ExpertOptions


@dataclass(frozen=True, slots=True)
class Routed:
    """How a reader's routers spread a text over the experts."""

    options: "ExpertOptions"
    tokens: int
    layers: list["ExpertHealth"]


def inspect(
    artifact: Annotated[
        Path | None, typer.Argument(help="Directory of an index, projector, reader or calibration.")
    ] = None,
    *,
    index: Annotated[
        Path | None,
        typer.Option(help="An index, of which what its soft tokens restore is shown, too."),
    ] = None,
    worst: Annotated[
        int, typer.Option(help="How many of the passages that lose most are named.")
    ] = 5,
    text: Annotated[
        str | None, typer.Option(help="Let a reader read it, and report on its experts.")
    ] = None,
    text_file: Annotated[
        Path | None, typer.Option(help="The same with the text of a UTF-8 file.")
    ] = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Show what an artifact is: its models, settings, metrics and files, all checked.

    With a text, show of each layer of a reader how its tokens are spread over the experts: the
    share of each, the entropy of the shares (1 is even), and experts that no token chose.

    Of an index, show how much of their passages its soft tokens restore, where that was measured
    (`xorag index --restoration`): its spread, the passages that lose most, and what to do.

    Example: `xorag inspect runs/reader --text-file article.txt`

    Example: `xorag inspect --index my-index`
    """
    from xorag.artifact.kinds import read_any_manifest
    from xorag.errors import UsageError

    if index is not None:
        _require_alone(artifact, text, text_file)
        inspect_index(index, worst=worst, json=json)
        return
    if artifact is None:
        raise UsageError("no artifact was named; give its directory, or an index with --index")
    if text is not None and text_file is not None:
        raise UsageError("--text and --text-file were both given; give one of them")
    with output.working(f"checking {artifact}"):
        manifest = read_any_manifest(artifact)
    routed = None
    if text is not None or text_file is not None:
        _require_reader(manifest)
        given = text if text_file is None else _read(text_file)
        routed = _route(artifact, given or "", model, (threads, device, dtype))
    if json:
        output.print_json(_as_json(artifact, manifest, routed))
        return
    for line in described(artifact, manifest):
        output.line(line)
    if routed is not None:
        _show(routed)


def _require_alone(artifact: Path | None, text: str | None, text_file: Path | None) -> None:
    """Check that nothing was given with an index."""
    from xorag.errors import UsageError

    given = {"an artifact": artifact, "--text": text, "--text-file": text_file}
    beside = [name for name, value in given.items() if value is not None]
    if beside:
        raise UsageError(f"{beside[0]} and --index were both given; give one of them")


def _require_reader(manifest: "Manifest") -> None:
    from xorag.errors import UsageError

    if manifest.kind != "reader":
        raise UsageError(
            f"this artifact is of kind {manifest.kind!r} and has no experts to read a text with; "
            "leave the text out or give a reader"
        )


def _read(file: Path) -> str:
    from xorag.errors import SourceError

    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"cannot read {str(file)!r} ({error}); give a text file in UTF-8"
        ) from error


def _route(
    artifact: Path,
    text: str,
    model: str | None,
    where: tuple[int | None, str | None, str | None],
) -> Routed:
    """Let the reader read the text as it would a passage: nothing in it is a control token."""
    with output.working("loading the reader"):
        import torch

        from xorag.errors import ExpertError
        from xorag.generation.control import PromptEncoder, Quoted
        from xorag.generation.reader.opening import open_reader
        from xorag.moe.health import health_on
        from xorag.moe.upcycle import expert_options
        from xorag.runtime.device import limit_threads, pick_device, pick_dtype

        threads, device_name, dtype_name = where
        limit_threads(threads)
        device = pick_device(device_name)
        dtype = pick_dtype(device, dtype_name)
        reader = open_reader(
            artifact, device=device, dtype=dtype, model=model, on_message=output.say
        )
    language_model = reader.language.model
    options = expert_options(language_model)
    if options is None:
        raise ExpertError(f"the reader at {str(artifact)!r} has no experts; leave the text out")
    limit = language_model.config.get_text_config().max_position_embeddings
    encoder = PromptEncoder(reader.language.tokenizer)
    ids = _cut(encoder.encode([Quoted(text)]).token_ids, limit)
    with output.working(f"reading {len(ids)} tokens"):
        layers = health_on(language_model, torch.tensor([ids], dtype=torch.long, device=device))
    return Routed(options, len(ids), layers)


def _cut(ids: Sequence[int], limit: int) -> Sequence[int]:
    if len(ids) > limit:
        output.say(f"the text has {len(ids)} tokens; the first {limit} are read")
    return ids[:limit]


def _show(routed: Routed) -> None:
    options = routed.options
    output.line(
        f"experts: {options.experts} a layer of width {options.width}, {options.top_k} a token, "
        f"scale {options.scale}; {routed.tokens} tokens read"
    )
    rows = [
        (
            health.layer,
            " ".join(f"{100 * share:.0f}" for share in health.load),
            f"{health.entropy:.2f}",
            ", ".join(map(str, health.dead)) or "none",
        )
        for health in routed.layers
    ]
    output.table(("layer", "share of each expert, %", "entropy", "dead"), rows)
    dead = sum(len(health.dead) for health in routed.layers)
    output.line(f"dead experts: {dead} of {options.experts * len(routed.layers)}")


def _as_json(artifact: Path, manifest: "Manifest", routed: Routed | None) -> dict[str, object]:
    document: dict[str, object] = {
        "artifact": str(artifact),
        "manifest": manifest.model_dump(mode="json"),
        "experts": None,
    }
    if routed is not None:
        document["experts"] = {
            "options": asdict(routed.options),
            "tokens": routed.tokens,
            "health": [asdict(health) for health in routed.layers],
        }
    return document
