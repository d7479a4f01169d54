"""Options as lines of TOML, each with what it is for."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel


def describe(kind: type[BaseModel], options: Mapping[str, Any]) -> Iterator[str]:
    """Yield a recipe as lines of TOML, sections last, descriptions as comments.

    Unset options are commented out, since TOML has no word for nothing.
    """
    sections: list[tuple[str, type[BaseModel]]] = []
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            sections.append((name, inner))
            continue
        value = options[name]
        line = f"# {name} =" if value is None else f"{name} = {json.dumps(value)}"
        yield f"{line}  # {field.description}" if field.description else line
    for name, inner in sections:
        yield ""
        yield f"[{name}]"
        yield from describe(inner, options[name])
