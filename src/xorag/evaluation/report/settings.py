"""Settings of any shape, as tables that a page can show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pydantic import JsonValue

_FACTS = (
    ("models", ("encoder", "projector", "index", "device")),
    ("settings", ("passages", "k", "rows", "limit", "max_new_tokens", "seed")),
)


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """One part of the settings."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A setting that stands at the top of the page."""

    name: str
    value: str


def key_facts(settings: Mapping[str, JsonValue]) -> tuple[Fact, ...]:
    """What a reader looks for first beside the language model, as far as it is known."""
    found: list[Fact] = []
    for part, names in _FACTS:
        values = settings.get(part)
        if isinstance(values, dict):
            known = ((name, values.get(name)) for name in names)
            found += [Fact(_words(n), _shown(v)) for n, v in known if v is not None]
    return tuple(found)


def model_name(settings: Mapping[str, JsonValue]) -> str | None:
    """The last part of the language model's name or path, or None where it is not known."""
    models = settings.get("models")
    name = models.get("model") if isinstance(models, dict) else None
    return PurePath(name).name if isinstance(name, str) else None


def list_facts(values: Mapping[str, JsonValue]) -> tuple[Fact, ...]:
    """All values, however deep, with their names."""
    return tuple(Fact(_words(name), shown) for name, shown in _flatten(dict(values)))


def settings_tables(settings: Mapping[str, JsonValue]) -> tuple[SettingsTable, ...]:
    """A table for the plain values, and one for each nested object or list of objects."""
    plain = {key: value for key, value in settings.items() if _is_plain(value)}
    nested = {key: value for key, value in settings.items() if value and not _is_plain(value)}
    tables = [_table(key, value) for key, value in nested.items()]
    return (*tables, *([_pairs("Other", plain)] if plain else []))


def _table(key: str, value: JsonValue) -> SettingsTable:
    title = _words(key).capitalize()
    if isinstance(value, dict):
        return _pairs(title, value)
    items = value if isinstance(value, list) else []
    rows = [dict(_flatten(item)) for item in items]
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return SettingsTable(
        title,
        tuple(_words(name) for name in columns),
        tuple(tuple(row.get(name, "") for name in columns) for row in rows),
    )


def _pairs(title: str, values: Mapping[str, JsonValue]) -> SettingsTable:
    rows = tuple((_words(name), shown) for name, shown in _flatten(dict(values)))
    return SettingsTable(title, ("name", "value"), rows)


def _flatten(value: JsonValue, prefix: str = "") -> Iterator[tuple[str, str]]:
    if _is_plain(value):
        yield prefix, _shown(value)
        return
    for key, each in _items(value):
        yield from _flatten(each, f"{prefix} · {key}" if prefix else key)


def _items(value: JsonValue) -> Sequence[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        return list(value.items())
    items = value if isinstance(value, list) else []
    return [(str(number), each) for number, each in enumerate(items, start=1)]


def _is_plain(value: JsonValue) -> bool:
    if isinstance(value, list):
        return not any(isinstance(each, dict | list) for each in value)
    return not isinstance(value, dict)


def _shown(value: JsonValue) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _words(key: str) -> str:
    return key.replace("_", " ")
