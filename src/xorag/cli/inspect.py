"""`xorag inspect`: what an artifact is, and whether a reader's experts are used."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xorag.cli import output
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
        Path, typer.Argument(help="Directory of an index, projector, reader or calibration.")
    ],
    *,
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

    Example: `xorag inspect runs/reader --text-file article.txt`
    """
    from xorag.artifact.kinds import read_any_manifest
    from xorag.errors import UsageError

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
    for line in _described(artifact, manifest):
        output.line(line)
    if routed is not None:
        _show(routed)


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


def _described(artifact: Path, manifest: "Manifest") -> Iterator[str]:
    yield f"{manifest.kind} at {artifact}, format {manifest.format}, by xorag {manifest.xorag}"
    base, encoder = manifest.base_model, manifest.encoder
    if base is not None:
        yield (
            f"base model: {base.name} ({base.layers} layers, {base.hidden} wide, "
            f"{base.vocab} tokens)"
        )
    if encoder is not None:
        yield f"encoder: {encoder.name} ({encoder.dimensions} wide, {encoder.metric})"
    for title, values in (("setting", manifest.settings), ("metric", manifest.metrics)):
        for name, value in _flat(values):
            yield f"{title} {name}: {value}"
    if manifest.recipe:
        yield f"recipe: {sum(1 for _ in _flat(manifest.recipe))} options; --json shows them"
    for name, size in manifest.sizes.items():
        yield f"file {name}: {size / 1e6:.1f} MB"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Nested values with dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


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
