"""What watches a generation step by step: log-probabilities, streamed text, an end in the text."""

from collections.abc import Callable
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


class TextStreamer(BaseStreamer):
    """Hands on the text of one answer as it grows, whole characters only."""

    def __init__(
        self, encoder: PromptEncoder, stop: str | None, on_text: Callable[[str], None]
    ) -> None:
        self._encoder = encoder
        self._stop = stop
        self._on_text = on_text
        self._ids: list[int] = []
        self._sent = 0

    def put(self, value: Tensor) -> None:
        """Take the next ids; the prompt's own are not among them."""
        self._ids += value.flatten().tolist()
        text = self._text()
        if not text.endswith(_INCOMPLETE):
            # White space at the end waits: the finished answer is stripped of it.
            self._send(text.rstrip())

    def end(self) -> None:
        """Send what was held back."""
        self._send(self._text().rstrip())

    def _text(self) -> str:
        text = self._encoder.decode(self._ids).lstrip()
        return text if self._stop is None else text.partition(self._stop)[0]

    def _send(self, text: str) -> None:
        if len(text) > self._sent:
            self._on_text(text[self._sent :])
            self._sent = len(text)
