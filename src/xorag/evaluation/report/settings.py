"""Settings of any shape, as tables that a page can show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from xorag.evaluation.registered import Registered


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """One part of the settings."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A setting or number with its name."""

    name: str
    value: str


def key_facts(asked: Registered) -> tuple[Fact, ...]:
    """What a reader looks for first beside the language model; what was not set is left out."""
    models, settings = asked.models, asked.settings
    known: Mapping[str, JsonValue] = {
        "encoder": models.encoder,
        "projector": models.projector,
        "index": models.index,
        "reader": models.reader,
        "calibration": models.calibration,
        "device": models.device,
        "passages": settings.passages.value,
        "passages read": settings.k,
        "passages selected": settings.select,
        "hops": settings.hops if settings.hops > 1 else None,
        "gate": settings.gate.value if settings.gate else None,
        "rows": settings.rows.value,
        "limit": settings.limit,
        "new tokens": settings.max_new_tokens,
        "seed": settings.seed,
    }
    return tuple(Fact(name, _shown(value)) for name, value in known.items() if value is not None)


def settings_tables(settings: Mapping[str, JsonValue]) -> tuple[SettingsTable, ...]:
    """A table for each nested object or list of objects, and one for the plain values."""
    plain = {key: value for key, value in settings.items() if _is_plain(value)}
    nested = {key: value for key, value in settings.items() if value and not _is_plain(value)}
    tables = [_table(key, value) for key, value in nested.items()]
    return (*tables, *([_pairs("Other", plain)] if plain else []))


def _table(key: str, value: JsonValue) -> SettingsTable:
    title = _words(key).capitalize()
    if isinstance(value, dict):
        return _pairs(title, value)
    rows = [dict(_flatten(item)) for _, item in _items(value)]
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
    return str(value)


def _words(key: str) -> str:
    return key.replace("_", " ")
