"""Read beginnings once, and write on from them in many rows at a time, greedily.

All rows of a batch are read together after the beginning that each shares with others; a row that
has ended leaves the batch. Beside each written token, the log-probabilities of some watched tokens
are kept. Knows nothing of what the tokens mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache

from xorag.compression.model import SoftTokenModel
from xorag.generation.generator import BATCH_TOKENS, contiguous_before_head, stacked_embeddings
from xorag.generation.judging_attention import attention_over_short_rows
from xorag.generation.judging_cache import RowCache, bytes_a_position, states_of
from xorag.generation.judging_notes import Notes, Written, closed_up
from xorag.generation.judging_padding import alike
from xorag.generation.judging_sharing import Beginnings, Row, common_tokens, is_shared
from xorag.generation.protocol import IsWanted
from xorag.types import Prompt

HELD_BYTES = 2**30
"""Keys and values of the rows that are written together. The more rows, the fewer passes over the
weights; what reading them takes beside is bounded by the tokens of a part."""


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What of some prompts is to be read now, padded on the left."""

    embeds: Tensor
    """`(batch, length, hidden)`."""
    is_real: Tensor
    """False at padding, `(batch, length)`."""


@dataclass(frozen=True, slots=True)
class _Read:
    """Rows of like length that were read, before they are written on from."""

    logits: Tensor
    """Of the next token, `(batch, vocab)`."""
    is_real: Tensor
    """False at padding, `(batch, positions)`."""
    last: Tensor
    """Place of each row's last token in its text, `(batch, 1)`."""


class RowModel:
    """A language model that goes on from what it has read, in batches of like length."""

    def __init__(
        self,
        model: SoftTokenModel | PreTrainedModel,
        *,
        end_ids: Sequence[int],
        watched_ids: Sequence[int],
        batch_tokens: int = BATCH_TOKENS,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        """Wrap a model.

        Args:
            model: With a projector, or a plain one, which reads no soft tokens.
            end_ids: Tokens that end a row.
            watched_ids: Tokens whose log-probabilities are kept at each step.
            batch_tokens: The most positions that are read in one pass, padding included.
            held_bytes: The most keys and values of a batch that is written together; so many
                positions as are read in one pass it may have anyway.
        """
        self._soft = model if isinstance(model, SoftTokenModel) else None
        self._model = model.language_model if isinstance(model, SoftTokenModel) else model
        self._end_ids = tuple(end_ids)
        self._watched_ids = tuple(watched_ids)
        self._batch_tokens = batch_tokens
        self._held_bytes = held_bytes
        self._window = _window(self._model)

    @property
    def limit(self) -> int | None:
        """Tokens that a row may have, new ones included; None: the config does not say."""
        config = self._model.config.get_text_config()
        return getattr(config, "max_position_embeddings", None)

    @torch.inference_mode()
    def begin(self, prompts: Sequence[Prompt], is_wanted: IsWanted = lambda _: True) -> Beginnings:
        """Read prompts together, best of like length, without soft tokens."""
        inputs = self._inputs(prompts, [0] * len(prompts))
        positions = (inputs.is_real.cumsum(-1) - 1).clamp(min=0)
        cache = DynamicCache()
        logits = self._forward(cache, inputs.is_real, positions, inputs_embeds=inputs.embeds)
        return Beginnings(tuple(prompts), states_of(cache), self._watched(logits), is_wanted)

    @torch.inference_mode()
    def read_on(self, beginnings: Beginnings, token_ids: Sequence[int]) -> Beginnings:
        """Read what all rows of all beginnings go on with, once a beginning instead of once a row.

        Args:
            beginnings: What was read before.
            token_ids: At least one; no soft tokens.
        """
        known = [len(prompt.token_ids) for prompt in beginnings.prompts]
        if self._window is not None and beginnings.length + len(token_ids) > self._window:
            return beginnings
        rows = [
            Row(i, replace(prompt, token_ids=(*prompt.token_ids, *token_ids)))
            for i, prompt in enumerate(beginnings.prompts)
        ]
        cache = RowCache.of(beginnings.states, len(rows), room=beginnings.length + len(token_ids))
        with attention_over_short_rows(self._model):
            read = self._read(cache, beginnings, rows, known)
        return Beginnings(
            tuple(row.prompt for row in rows),
            states_of(cache),
            self._watched(read.logits),
            beginnings.is_wanted,
        )

    def write(
        self,
        beginnings: Beginnings,
        rows: Sequence[Row],
        *,
        max_new_tokens: int,
        first_id: int | None = None,
    ) -> list[Written]:
        """Write on from each row, in the order given.

        Args:
            beginnings: What was read before.
            rows: Each with the beginning that it shares, as far as its tokens are the same.
            max_new_tokens: Where a row is cut.
            first_id: The token that each row begins with; unset, the most probable one.
        """
        written: dict[int, Written] = {}
        with attention_over_short_rows(self._model):
            for batch in self._batches(beginnings, rows, max_new_tokens):
                done = self._write(beginnings, [rows[i] for i in batch], max_new_tokens, first_id)
                written |= zip(batch, done, strict=True)
        return [written[i] for i in range(len(rows))]

    def _batches(
        self, beginnings: Beginnings, rows: Sequence[Row], max_new_tokens: int
    ) -> Iterator[list[int]]:
        """Part the rows, least to be read first, so that no batch holds more than it may."""
        most = max(self._batch_tokens, self._held_bytes // bytes_a_position(beginnings.states))
        known = [len(prompt.token_ids) for prompt in beginnings.prompts]
        left = [len(row.prompt.token_ids) - known[row.beginning] for row in rows]
        order = sorted(range(len(rows)), key=lambda i: left[i])
        batch: list[int] = []
        for i in order:
            width = beginnings.length + left[i] + max_new_tokens
            if batch and width * (len(batch) + 1) > most:
                yield batch
                batch = []
            batch.append(i)
        if batch:
            yield batch

    @torch.inference_mode()
    def _write(
        self,
        beginnings: Beginnings,
        rows: Sequence[Row],
        max_new_tokens: int,
        first_id: int | None,
    ) -> list[Written]:
        """Write one batch: its rows are read in parts of like length, then written together."""
        shared = self._shared(beginnings, rows, max_new_tokens)
        before = beginnings.length if any(shared) else 0
        lengths = [len(r.prompt.token_ids) - n for r, n in zip(rows, shared, strict=True)]
        length = before + max(lengths)
        room = length + max_new_tokens - 1
        cache = RowCache.of(beginnings.states, len(rows), length=length, room=room)
        is_real = torch.zeros(len(rows), room, dtype=torch.bool, device=self._model.device)
        parts: list[_Read] = []
        for part in alike(lengths, self._batch_tokens):
            some = slice(part[0], part[-1] + 1)
            places = slice(length - before - max(lengths[some]), length)
            read = self._read(cache.part(some, places), beginnings, rows[some], shared[some])
            is_real[some, places] = read.is_real
            parts.append(read)
        wanted = [row.beginning for row in rows]
        notes = Notes(
            len(rows),
            self._end_ids,
            self._watched_ids,
            lambda row: beginnings.is_wanted(wanted[row]),
        )
        ids, moves = notes.note(torch.cat([part.logits for part in parts]), first_id)
        last = torch.cat([part.last for part in parts])
        for place in range(length, room):
            if moves.count == 0:
                break
            cache.close_up(moves)
            is_real, last = closed_up(is_real, moves), closed_up(last, moves) + 1
            is_real[:, place] = True
            logits = self._forward(cache, is_real, last, input_ids=ids[:, None])
            ids, moves = notes.note(logits)
        return notes.written()

    def _read(
        self,
        cache: RowCache,
        beginnings: Beginnings,
        rows: Sequence[Row],
        shared: Sequence[int],
    ) -> _Read:
        """Read rows after what they share with their beginnings, into a cache that they fill."""
        inputs = self._inputs([row.prompt for row in rows], shared)
        device = inputs.embeds.device
        before = cache.room - inputs.embeds.shape[1]
        if before:
            cache.begin(
                beginnings.states, torch.tensor([row.beginning for row in rows], device=device)
            )
        known = is_shared(beginnings, rows, shared, before).to(device)
        is_real = torch.cat([known, inputs.is_real], dim=1)
        starts = torch.tensor(shared, device=device)[:, None]
        positions = (starts + inputs.is_real.cumsum(-1) - 1).clamp(min=0)
        logits = self._forward(cache, is_real, positions, inputs_embeds=inputs.embeds)
        return _Read(logits, is_real, positions[:, -1:])

    def _shared(
        self, beginnings: Beginnings, rows: Sequence[Row], max_new_tokens: int
    ) -> list[int]:
        """How many tokens each row has in common with its beginning; at least its last is its own.

        None where a model that sees a window of positions would count padding in the middle.
        """
        longest = max(len(row.prompt.token_ids) for row in rows)
        if self._window is not None and beginnings.length + longest + max_new_tokens > self._window:
            return [0] * len(rows)
        return [
            common_tokens(beginnings.prompts[row.beginning].token_ids, row.prompt.token_ids[:-1])
            for row in rows
        ]

    def _watched(self, logits: Tensor) -> tuple[tuple[float, ...], ...]:
        """Log-probabilities of the watched tokens, `(rows, watched)`."""
        beside = torch.log_softmax(logits.float(), dim=-1)[:, list(self._watched_ids)]
        return tuple(tuple(row) for row in beside.tolist())

    def _inputs(self, prompts: Sequence[Prompt], starts: Sequence[int]) -> _Inputs:
        """Embeddings of prompts from some token on."""
        length = max(
            len(prompt.token_ids) - start for prompt, start in zip(prompts, starts, strict=True)
        )
        ids = torch.zeros(len(prompts), length, dtype=torch.long)
        is_real = torch.zeros_like(ids, dtype=torch.bool)
        is_placeholder = torch.zeros_like(is_real)
        for row, (prompt, start) in enumerate(zip(prompts, starts, strict=True)):
            offset = length - len(prompt.token_ids)
            ids[row, offset + start :] = torch.tensor(prompt.token_ids[start:])
            is_real[row, offset + start :] = True
            is_placeholder[row, [offset + at for at in prompt.placeholders]] = True
        device = self._model.device
        ids, is_real = ids.to(device), is_real.to(device)
        if self._soft is None:
            plain: Tensor = self._model.get_input_embeddings()(ids)
            return _Inputs(plain, is_real)
        embeddings = stacked_embeddings(prompts, device)
        return _Inputs(self._soft.embed(ids, is_placeholder.to(device), embeddings), is_real)

    def _forward(
        self, cache: Cache, is_real: Tensor, positions: Tensor, **inputs: Tensor
    ) -> Tensor:
        """The logits of the next token of each row, `(batch, vocab)`."""
        model: Any = self._model
        with contiguous_before_head(self._model):
            logits: Tensor = model(
                attention_mask=is_real,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
                **inputs,
            ).logits
        return logits[:, -1]


def _window(model: PreTrainedModel) -> int | None:
    """How many positions the model's layers see at most, where some see not all."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    return None if window is None else int(window)
