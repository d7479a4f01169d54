"""Options as lines of TOML, each with what it is for."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel


def describe(
    kind: type[BaseModel], options: Mapping[str, Any], *, section: str = ""
) -> Iterator[str]:
    """Yield a recipe as lines of TOML, sections last, descriptions as comments.

    Unset options are commented out, since TOML has no word for nothing.

    Args:
        kind: The model of the options.
        options: Their values.
        section: Where they stand, such as `examples`; empty: at the top.
    """
    sections: list[tuple[str, type[BaseModel]]] = []
    for name, field in kind.model_fields.items():
        value = options[name]
        inner = _section_of(field.annotation)
        if inner is not None and value is not None:
            sections.append((name, inner))
            continue
        line = f"# {name} =" if value is None else f"{name} = {json.dumps(value)}"
        yield f"{line}  # {field.description}" if field.description else line
    for name, inner in sections:
        path = f"{section}.{name}" if section else name
        yield ""
        yield f"[{path}]"
        yield from describe(inner, options[name], section=path)


def _section_of(annotation: object) -> type[BaseModel] | None:
    """The model of an option that is a section, or may be one."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None
