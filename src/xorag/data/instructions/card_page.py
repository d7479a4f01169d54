"""The data card as a page in Markdown."""

import json
from collections.abc import Iterable, Mapping, Sequence

from xorag.data.instructions.card import DataCard
from xorag.data.instructions.wordings import TaskType


def card_page(card: DataCard) -> str:
    """Write the card for a reader."""
    made, sets = card.made, card.sets
    tasks = table({**{s.set: s.tasks for s in sets}, "all": card.tasks()}, [*TaskType])
    options = json.dumps(dict(made.options), ensure_ascii=False, indent=2)
    parts = [
        "# Instruction examples",
        f"{card.examples} examples in `instructions.jsonl` (sha256 `{card.file_sha256}`), made by"
        f" xorag {made.xorag} from seed {made.seed}:",
        f"```\n{made.command}\n```",
        "Every answer is one that its set gives. A row whose passages do not hold an answer gives"
        " no example; only claims that were made with `--without-gold` stand over passages which"
        " do not settle them, and their answer says so.",
        "## Examples by task",
        tasks,
        "## Examples by number of passages",
        table({s.set: s.passages for s in sets}),
        "## Examples by number of supporting passages",
        table({s.set: s.supporting for s in sets}),
        "## Rows that gave no example",
        table({s.set: {**s.dropped, "rows read": s.rows} for s in sets}),
        "## Passages that were left out",
        table({s.set: s.dropped_passages for s in sets}),
        "## Origin and licence",
        "As their publishers state them; check them before you pass the examples on.",
        lines(["set", "origin", "licence"], [[s.set, s.origin, s.licence] for s in sets]),
        "## Options",
        f"```json\n{options}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def table(rows: Mapping[str, Mapping[str, int]], keys: Sequence[str] = ()) -> str:
    """A table with a row a set; its columns are the keys given, or all that a set has."""
    columns = list(keys) or sorted(
        {key for counts in rows.values() for key in counts}, key=lambda key: (len(key), key)
    )
    if not columns:
        return "None."
    cells = [[name, *(counts.get(key, 0) for key in columns)] for name, counts in rows.items()]
    return lines(["set", *columns], cells)


def lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    head = [columns, ["---"] * len(columns)]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in (*head, *rows))


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
