"""What watches a generation step by step: log-probabilities, streamed text, an end in the text."""

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, StoppingCriteria
from transformers.generation.streamers import BaseStreamer

from xorag.generation.control import PromptEncoder

_INCOMPLETE = "\ufffd"  # what decoding writes for half a character


class Logprobs(LogitsProcessor):
    """Keeps the log-probability of each greedily chosen token, one number a prompt and step."""

    def __init__(self) -> None:
        self._steps: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002 - transformers'
        """Note the step's best token; `scores` are logits, `(batch, vocab)`."""
        self._steps.append(scores.amax(dim=-1) - torch.logsumexp(scores, dim=-1))
        return scores

    def rows(self) -> list[list[float]]:
        """Log-probabilities, a list of new tokens for each prompt."""
        steps = torch.stack(self._steps, dim=1)
        return [[float(value) for value in row] for row in steps.tolist()]


class StopAtText(StoppingCriteria):
    """Ends an answer when its text has begun and then holds the given text."""

    def __init__(self, encoder: PromptEncoder, stop: str) -> None:
        self._encoder = encoder
        self._stop = stop

    def __call__(self, input_ids: Tensor, scores: Any, **options: Any) -> Tensor:  # noqa: ANN401, ARG002 - transformers'
        """Which prompts are done, `(batch,)`; `input_ids` are new tokens only."""
        done = [self._stop in self._encoder.decode(ids).lstrip() for ids in input_ids.tolist()]
        return torch.tensor(done, dtype=torch.bool, device=input_ids.device)


class GiveUp(StoppingCriteria):
    """Ends the answers that nobody waits for any more."""

    def __init__(self, is_wanted: Callable[[int], bool]) -> None:
        self._is_wanted = is_wanted

    def __call__(self, input_ids: Tensor, scores: Any, **options: Any) -> Tensor:  # noqa: ANN401, ARG002 - transformers'
        """Which prompts are given up, `(batch,)`."""
        done = [not self._is_wanted(row) for row in range(input_ids.shape[0])]
        return torch.tensor(done, dtype=torch.bool, device=input_ids.device)


class TextStreamer(BaseStreamer):
    """Hands on the texts of a batch's answers as they grow, whole characters only."""

    def __init__(
        self,
        encoder: PromptEncoder,
        stop: str | None,
        end_ids: Collection[int],
        on_text: Callable[[int, str], object],
    ) -> None:
        """Watch a batch.

        Args:
            encoder: Whose tokenizer turns ids into text.
            stop: Text at which an answer ends; it is left out.
            end_ids: Tokens that end an answer; what follows is padding.
            on_text: Gets the place of a row, and the next piece of its text.
        """
        self._encoder = encoder
        self._stop = stop
        self._end_ids = frozenset(end_ids)
        self._on_text = on_text
        self._rows: dict[int, GrowingText] = {}
        self._ended: set[int] = set()

    def put(self, value: Tensor) -> None:
        """Take the next id of each row, `(batch,)`; the prompts' own are not among them."""
        if value.numel() == 0:  # of a prompt given as embeddings
            return
        for row, token_id in enumerate(value.tolist()):
            if row in self._ended:
                continue
            if token_id in self._end_ids:
                self._ended.add(row)
                self._send(row, self._text(row).rest())
                continue
            self._send(row, self._text(row).grown(token_id))

    def end(self) -> None:
        """Send what was held back."""
        for row in self._rows.keys() - self._ended:
            self._send(row, self._rows[row].rest())

    def _text(self, row: int) -> "GrowingText":
        return self._rows.setdefault(row, GrowingText(self._encoder, self._stop))

    def _send(self, row: int, piece: str) -> None:
        if piece:
            self._on_text(row, piece)


class GrowingText:
    """The text of one answer as its tokens come, in pieces that joined are the stripped text."""

    def __init__(self, encoder: PromptEncoder, stop: str | None) -> None:
        self._encoder = encoder
        self._stop = stop
        self._ids: list[int] = []
        self._sent = 0

    def grown(self, token_id: int) -> str:
        """The next piece, now that this token has come; empty while a character is incomplete."""
        self._ids.append(token_id)
        text = self._text()
        # White space at the end waits: the finished answer is stripped of it.
        return "" if text.endswith(_INCOMPLETE) else self._unsent(text.rstrip())

    def rest(self) -> str:
        """What was held back."""
        return self._unsent(self._text().rstrip())

    def _text(self) -> str:
        text = self._encoder.decode(self._ids).lstrip()
        return text if self._stop is None else text.partition(self._stop)[0]

    def _unsent(self, text: str) -> str:
        piece = text[self._sent :]
        self._sent += len(piece)
        return piece
