"""What answers prompts: a protocol, and what is told while they are answered.

Knows nothing of where a language model runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from xorag.types import Generation, Prompt

OnBatch = Callable[[Mapping[int, Generation]], None]
"""Gets the answers of a batch, each by its prompt's place, as soon as the batch is done."""
OnText = Callable[[int, str], object]
"""Gets a prompt's place and the next piece of its answer's text."""
IsWanted = Callable[[int], bool]
"""Whether the answer to the prompt at a place is still waited for."""


class Generator(Protocol):
    """Anything that answers prompts."""

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        stop: str | None = None,
        on_text: OnText | None = None,
        on_batch: OnBatch | None = None,
        is_wanted: IsWanted | None = None,
    ) -> list[Generation]:
        """Answer each prompt, in the order given; each is handed to `on_batch` once, too.

        Args:
            prompts: Any number, with any numbers of soft tokens.
            max_new_tokens: Where an answer is cut.
            stop: Text at which an answer ends; it is left out.
            on_text: Gets each answer's text piece by piece as it grows, those of several prompts
                in turn; the pieces of one joined are its text.
            on_batch: Gets answers as soon as they are done.
            is_wanted: Asked before and while a prompt is answered, at least at each token that
                the generator sees. Once it says no, that answer ends where it is, and costs
                nothing more; it is still returned.
        """
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on while prompts are answered; each is called with a prompt's place."""

    on_text: OnText | None = None
    is_wanted: IsWanted | None = None

    def of_rows(self, places: Sequence[int]) -> "Watch":
        """The same for the rows of a batch, whose prompts have these places."""
        tell, ask = self.on_text, self.is_wanted
        return Watch(
            None if tell is None else lambda row, piece: tell(places[row], piece),
            None if ask is None else lambda row: ask(places[row]),
        )
