"""The data card of training rows as a page in Markdown."""

import json

from xorag.data.instructions.card_page import lines, table
from xorag.data.reflections.card import ReflectionCard
from xorag.data.reflections.rows import FILE_NAME, RowKind


def card_page(card: ReflectionCard) -> str:
    """Write the card for a reader."""
    made, sets = card.made, card.sets
    labels = [[group, *pair] for group, counts in card.labels.items() for pair in counts.items()]
    options = json.dumps(dict(made.options), ensure_ascii=False, indent=2)
    asked = [[s.set, s.closed.asked, s.closed.right] for s in sets]
    parts = [
        "# Training rows of a reader",
        f"{card.rows} rows in `{FILE_NAME}` (sha256 `{card.file_sha256}`), made by"
        f" xorag {made.xorag} from seed {made.seed}:",
        f"```\n{made.command}\n```",
        "Every answer is one that its set gives, or says that it is not known. The rows stand in"
        " random order, so that each part of the file is like the whole.",
        "## Rows by label",
        lines(["group", "label", "rows"], labels),
        "## Rows by kind",
        table({s.set: {**s.kinds, "all": s.rows} for s in sets}, [*RowKind, "all"]),
        "## Rows by passages in their paragraph",
        table({"all": card.facts}),
        "## Questions that a model was asked without passages",
        lines(["set", "asked", "answered right"], asked),
        "## Questions that gave no row",
        table({s.set: {**s.dropped, "questions read": s.questions_read} for s in sets}),
        "## Passages that were left out",
        table({s.set: s.dropped_passages for s in sets}),
        "## Origin and licence",
        "As their publishers state them; check them before you pass the rows on.",
        lines(["set", "origin", "licence"], [[s.set, s.origin, s.licence] for s in sets]),
        "## Options",
        f"```json\n{options}\n```",
    ]
    return "\n\n".join(parts) + "\n"
