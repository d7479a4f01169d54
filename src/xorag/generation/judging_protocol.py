"""What a judge needs of whatever computes its language model, here or elsewhere."""

from collections.abc import Sequence
from typing import Protocol

from xorag.generation.judging_notes import Written
from xorag.generation.judging_sharing import Beginnings, Row
from xorag.generation.protocol import IsWanted
from xorag.types import Prompt


class Rows(Protocol):
    """Reads beginnings, and writes on from them, greedily."""

    @property
    def limit(self) -> int | None:
        """Tokens that a row may have, new ones included; None: it is not known."""
        ...

    def begin(self, prompts: Sequence[Prompt], is_wanted: IsWanted = ...) -> Beginnings:
        """Read prompts, without soft tokens."""
        ...

    def read_on(self, beginnings: Beginnings, token_ids: Sequence[int]) -> Beginnings:
        """Read what all rows of all beginnings go on with, as `RowModel.read_on` does."""
        ...

    def write(
        self,
        beginnings: Beginnings,
        rows: Sequence[Row],
        *,
        max_new_tokens: int,
        first_id: int | None = None,
    ) -> list[Written]:
        """Write on from each row, in the order given, as `RowModel.write` does."""
        ...
