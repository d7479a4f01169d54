"""How much each word of a passage tells a language model: Selective-Context's measure.

Source: Li et al., 2023, arXiv 2310.06201, section 3: the self-information of a unit is the sum of
that of its tokens. Units are words here, not noun phrases, which would need a parser.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from xorag.types import Passage

BATCH_TOKENS = 1024
"""The head's products of so many positions are held in memory."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The self-information of a passage's words, in nats, and seconds of the processor."""

    id: str
    values: tuple[float, ...]
    seconds: float


class SelfInformation:
    """Measures passages once and keeps the numbers in a file, a line of JSON each."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, path: Path
    ) -> None:
        """Judge words by a language model.

        Args:
            model: The judge, without a projector.
            tokenizer: Its own.
            path: Where the numbers are kept; read if it is there.
        """
        self._model = model
        self._tokenizer = tokenizer
        self._path = path
        self._known = {each.id: each for each in _read(path)}

    def measure(self, passages: Sequence[Passage]) -> None:
        """Measure those that are not known yet, in batches of like length."""
        missing = {p.id: p for p in passages if p.id not in self._known}
        ordered = sorted(missing.values(), key=lambda passage: len(passage.text))
        with self._path.open("a", encoding="utf-8") as lines:
            for batch in _batches(ordered):
                for found in self._measured(batch):
                    self._known[found.id] = found
                    lines.write(json.dumps(asdict(found)) + "\n")
                lines.flush()

    def __call__(self, passage: Passage) -> tuple[float, ...]:
        """The self-information of each word of a measured passage."""
        return self._known[passage.id].values

    def seconds(self, passages: Sequence[Passage]) -> float:
        """What measuring these took."""
        return sum(self._known[passage.id].seconds for passage in passages)

    @torch.inference_mode()
    def _measured(self, passages: Sequence[Passage]) -> list[Measured]:
        start = time.process_time()
        texts = [passage.titled_text for passage in passages]
        tokenizer: Any = self._tokenizer
        encoded = tokenizer(
            texts, add_special_tokens=False, return_offsets_mapping=True, padding=False
        )
        rows = [torch.tensor([self._start_id(), *ids]) for ids in encoded["input_ids"]]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        logits: Tensor = self._model(ids, attention_mask=mask).logits[:, :-1]
        nats = torch.nn.functional.cross_entropy(
            logits.float().transpose(1, 2), ids[:, 1:], reduction="none"
        )
        share = (time.process_time() - start) / len(passages)
        return [
            Measured(passage.id, _of_words(passage, row, offsets), share)
            for passage, row, offsets in zip(
                passages, nats.tolist(), encoded["offset_mapping"], strict=True
            )
        ]

    def _start_id(self) -> int:
        """What stands before a text, so that its first token can be predicted."""
        first = self._tokenizer.bos_token_id
        return int(self._tokenizer.eos_token_id if first is None else first)


def _of_words(
    passage: Passage, nats: Sequence[float], offsets: Sequence[tuple[int, int]]
) -> tuple[float, ...]:
    """Sums over the tokens that end inside each word of the text, its title left out."""
    at = len(passage.titled_text) - len(passage.text)
    values: list[float] = []
    for word in passage.text.split():
        start = passage.titled_text.index(word, at)
        at = start + len(word)
        ends = (value for value, (_, end) in zip(nats, offsets, strict=False) if start < end <= at)
        values.append(round(sum(ends), 4))
    return tuple(values)


def _batches(passages: Sequence[Passage]) -> Iterator[list[Passage]]:
    """Passages of like length, so many that they take few tokens together."""
    batch: list[Passage] = []
    for passage in passages:
        longest = len(passage.titled_text) // 3  # characters a token, at least
        if batch and longest * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(passage)
    if batch:
        yield batch


def _read(path: Path) -> Iterator[Measured]:
    """What was measured before; a line that a kill cut short is measured again."""
    if not path.exists():
        return
    content = path.read_text(encoding="utf-8")
    whole = content[: content.rfind("\n") + 1]
    if len(whole) < len(content):
        path.write_text(whole, encoding="utf-8")
    for line in whole.splitlines():
        row = json.loads(line)
        yield Measured(row["id"], tuple(row["values"]), row["seconds"])
