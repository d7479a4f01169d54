"""`xorag models`: what works on this machine without a hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xorag.cli import output

if TYPE_CHECKING:
    from xorag.artifact.manifest import Kind, Manifest


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing that xorag can use, and whether it is here."""

    name: str
    role: str
    is_installed: bool
    is_converted: bool | None
    """None where no conversion is needed."""
    path: str | None
    megabytes: float | None
    licence: str
    description: str
    install: str
    """The command that installs it; empty where it is part of xorag."""

    @property
    def state(self) -> str:
        """Whether it can be used, in words."""
        if not self.is_installed:
            return f"not installed: {self.install}"
        if self.is_converted is False:
            return "installed, converted when first used"
        return "ready"


def models(*, json: output.JsonFlag = False) -> None:
    """List the models and the text that work here without a hub.

    Example: `xorag models --json`
    """
    found = list_models()
    if json:
        output.print_json({"models": [_as_json(item) for item in found]})
        return
    rows = [
        (item.name, item.role, item.state, _size(item), item.licence, item.path or "")
        for item in found
    ]
    output.table(("name", "what", "state", "MB", "licence", "where"), rows)


def list_models() -> list[Listed]:
    """Packaged models and corpora, then the projectors and readers that come with xorag."""
    from xorag.runtime.packages import PACKAGED

    return [*(_packaged(name) for name in PACKAGED), *_projectors(), *_readers()]


def _packaged(name: str) -> Listed:
    from xorag.runtime.packages import PACKAGED

    packaged = PACKAGED[name]
    source = path = packaged.find()
    is_converted = None
    if source is not None and source.suffix == ".gguf":
        from xorag.runtime.cache import converted_path

        converted = converted_path(source, name)
        is_converted = converted.is_dir()
        path = converted if is_converted else source
    return Listed(
        name=name,
        role=packaged.role,
        is_installed=source is not None,
        is_converted=is_converted,
        path=str(path) if path else None,
        megabytes=_megabytes(path) if path else None,
        licence=packaged.licence,
        description=packaged.description,
        install=packaged.how_to_install,
    )


def _projectors() -> list[Listed]:
    return [
        _shipped(
            folder,
            "projector",
            f"from {manifest.encoder.name if manifest.encoder else 'any encoder'} to "
            f"{manifest.base_model.name if manifest.base_model else 'any language model'}",
        )
        for folder, manifest in _manifests("pretrained", "projector")
    ]


def _readers() -> list[Listed]:
    return [
        _shipped(
            folder,
            "reader",
            f"experts and reflection tokens for {manifest.base_model.name}"
            if manifest.base_model
            else "with its own language model",
        )
        for folder, manifest in _manifests("readers", "reader")
    ]


def _manifests(folder: str, kind: "Kind") -> "list[tuple[Path, Manifest]]":
    """Artifacts of a kind inside the package, checked, with what they say of themselves."""
    import xorag
    from xorag.artifact.manifest import MANIFEST_NAME
    from xorag.artifact.store import read_manifest

    shipped = Path(xorag.__file__).parent / folder
    found = sorted(path.parent for path in shipped.glob(f"*/{MANIFEST_NAME}"))
    return [(path, read_manifest(path, kind=kind)) for path in found]


def _shipped(folder: Path, role: str, description: str) -> Listed:
    return Listed(
        name=folder.name,
        role=role,
        is_installed=True,
        is_converted=None,
        path=str(folder),
        megabytes=_megabytes(folder),
        licence="Apache-2.0",
        description=description,
        install="",
    )


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


def _size(item: Listed) -> str:
    return "" if item.megabytes is None else f"{item.megabytes:.0f}"


def _as_json(item: Listed) -> dict[str, object]:
    return {
        "name": item.name,
        "role": item.role,
        "installed": item.is_installed,
        "converted": item.is_converted,
        "path": item.path,
        "megabytes": item.megabytes,
        "licence": item.licence,
        "description": item.description,
        "install": item.install,
    }
