"""Generate answers with transformers in this process."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import GenerationConfig, PreTrainedModel, StoppingCriteria

from xorag.compression.model import SoftTokenModel
from xorag.generation.control import PromptEncoder
from xorag.generation.decoding import GiveUp, Logprobs, StopAtText, TextStreamer
from xorag.generation.limits import check_prompts
from xorag.generation.protocol import IsWanted, OnBatch, OnText, Watch
from xorag.types import Generation, Prompt

BATCH_TOKENS = 8192


class TransformersGenerator:
    """Greedy generation with a model of transformers, in batches of like length."""

    def __init__(
        self,
        model: SoftTokenModel | PreTrainedModel,
        encoder: PromptEncoder,
        *,
        batch_tokens: int = BATCH_TOKENS,
        end_ids: Sequence[int] | None = None,
    ) -> None:
        """Wrap a model.

        Args:
            model: With a projector, or a plain one, which reads no soft tokens.
            encoder: Of the model's tokenizer.
            batch_tokens: The most tokens, padding and new ones included, in one batch.
            end_ids: Tokens that end an answer; None: those of the model and its tokenizer. One
                that the vocabulary lacks makes every answer as long as is asked for.
        """
        self._soft = model if isinstance(model, SoftTokenModel) else None
        self._model = model.language_model if isinstance(model, SoftTokenModel) else model
        self._encoder = encoder
        self._batch_tokens = batch_tokens
        self._end_ids = end_ids_of(self._model, encoder) if end_ids is None else tuple(end_ids)

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
        """Answer each prompt greedily, in the order given.

        Args:
            prompts: Any number, with any numbers of soft tokens.
            max_new_tokens: Where an answer is cut.
            stop: Text at which an answer ends; it is left out.
            on_text: Gets each answer's text piece by piece as it grows, those of a batch in turn.
            on_batch: Gets the answers of each batch as soon as it is done, shortest prompts first,
                where adapters act on soft tokens after all prompts that hold none.
            is_wanted: Asked before each batch and at each token; an answer that is wanted no more
                ends where it is, and its batch goes on without it.

        Raises:
            PromptTooLongError: If a prompt and its answer exceed what the model can read.
            ProjectorMismatchError: If a prompt has soft tokens and the model no projector.
            UsageError: If fewer than one new token is asked for.
        """
        self._check(prompts, max_new_tokens)
        watch = Watch(on_text, is_wanted)
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i].token_ids))
        answers: dict[int, Generation] = {}
        batches = [
            batch
            for alike in self._read_alike(prompts, order)
            for batch in self._batches(prompts, alike, max_new_tokens)
        ]
        for batch in batches:
            done = self._answered(prompts, batch, max_new_tokens, stop, watch)
            answers |= done
            if on_batch is not None:
                on_batch(done)
        return [answers[i] for i in range(len(prompts))]

    def _answered(
        self,
        prompts: Sequence[Prompt],
        batch: Sequence[int],
        max_new_tokens: int,
        stop: str | None,
        watch: Watch,
    ) -> dict[int, Generation]:
        """The answers of a batch; those that nobody waits for are empty."""
        wanted = [i for i in batch if watch.is_wanted is None or watch.is_wanted(i)]
        done = dict.fromkeys(batch, Generation("", (), ()))
        if wanted:
            rows = [prompts[i] for i in wanted]
            written = self._run(rows, max_new_tokens, stop, watch.of_rows(wanted))
            done |= zip(wanted, written, strict=True)
        return done

    def _check(self, prompts: Sequence[Prompt], max_new_tokens: int) -> None:
        limit = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        has_projector = self._soft is not None
        check_prompts(prompts, max_new_tokens, limit=limit, has_projector=has_projector)

    def _read_alike(self, prompts: Sequence[Prompt], order: Sequence[int]) -> list[list[int]]:
        """Indices in parts that the same weights read: adapters act on all prompts of a batch."""
        if self._soft is None or self._soft.adapters is None:
            return [list(order)]
        return [
            [i for i in order if bool(prompts[i].placeholders) is has_soft_tokens]
            for has_soft_tokens in (False, True)
        ]

    def _batches(
        self, prompts: Sequence[Prompt], order: Sequence[int], max_new_tokens: int
    ) -> list[list[int]]:
        """Part indices, shortest prompt first, so that no batch exceeds the token budget."""
        batches: list[list[int]] = []
        for i in order:
            width = len(prompts[i].token_ids) + max_new_tokens
            if batches and width * (len(batches[-1]) + 1) <= self._batch_tokens:
                batches[-1].append(i)
            else:
                batches.append([i])
        return batches

    @torch.inference_mode()
    def _run(
        self,
        prompts: Sequence[Prompt],
        max_new_tokens: int,
        stop: str | None,
        watch: Watch,
    ) -> list[Generation]:
        embeds, mask = self._inputs(prompts)
        logprobs = Logprobs()
        streamer = (
            TextStreamer(self._encoder, stop, self._end_ids, watch.on_text)
            if watch.on_text is not None
            else None
        )
        stopping: list[StoppingCriteria] = []
        stopping += [] if stop is None else [StopAtText(self._encoder, stop)]
        stopping += [] if watch.is_wanted is None else [GiveUp(watch.is_wanted)]
        generate: Any = self._model.generate
        with contiguous_before_head(self._model), self._adapted(prompts):
            new_ids: Tensor = generate(
                inputs_embeds=embeds,
                attention_mask=mask,
                generation_config=self._config(max_new_tokens),
                logits_processor=[logprobs],
                stopping_criteria=stopping,
                streamer=streamer,
            )
        rows = zip(new_ids.tolist(), logprobs.rows(), strict=True)
        return [self._generation(ids, values, stop) for ids, values in rows]

    def _adapted(self, prompts: Sequence[Prompt]) -> AbstractContextManager[None]:
        """In which a batch of prompts, with soft tokens or without, is read as it shall be."""
        if self._soft is None:
            return nullcontext()
        return self._soft.adapted(reads_soft_tokens=any(p.placeholders for p in prompts))

    def _inputs(self, prompts: Sequence[Prompt]) -> tuple[Tensor, Tensor]:
        """Embeddings, `(batch, length, hidden)`, and mask, `(batch, length)`, padded on the left.

        Left padding, so that the last position of every row is the one to generate from.
        """
        length = max(len(prompt.token_ids) for prompt in prompts)
        ids = torch.zeros(len(prompts), length, dtype=torch.long)
        mask = torch.zeros_like(ids)
        is_placeholder = torch.zeros_like(ids, dtype=torch.bool)
        for row, prompt in enumerate(prompts):
            start = length - len(prompt.token_ids)
            ids[row, start:] = torch.tensor(prompt.token_ids)
            mask[row, start:] = 1
            is_placeholder[row, [start + at for at in prompt.placeholders]] = True
        device = self._model.device
        ids, mask, is_placeholder = ids.to(device), mask.to(device), is_placeholder.to(device)
        if self._soft is None:
            plain: Tensor = self._model.get_input_embeddings()(ids)
            return plain, mask
        return self._soft.embed(ids, is_placeholder, stacked_embeddings(prompts, device)), mask

    def _config(self, max_new_tokens: int) -> GenerationConfig:
        """Plain greedy decoding, whatever the model's own generation file asks for."""
        config: Any = GenerationConfig
        greedy: GenerationConfig = config(
            max_new_tokens=max_new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=1.0,
            top_k=50,
            top_p=1.0,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            eos_token_id=list(self._end_ids) or None,
            pad_token_id=next(iter(self._end_ids), 0),
        )
        return greedy

    def _generation(
        self, token_ids: Sequence[int], logprobs: Sequence[float], stop: str | None
    ) -> Generation:
        ends = (at for at, token_id in enumerate(token_ids) if token_id in self._end_ids)
        length = next(ends, len(token_ids))
        kept = tuple(token_ids[:length])
        text = self._encoder.decode(kept)
        if stop is not None:
            text = _before(text, stop)
        return Generation(text.strip(), kept, tuple(logprobs[:length]))


@contextmanager
def contiguous_before_head(model: PreTrainedModel) -> Iterator[None]:
    """Copy the last positions' states together before the head's product.

    They are a slice of all positions; multiplied as it is, torch copies the head's weights once a
    prompt of the batch, which takes longer than all layers together. `contiguous` would not do: it
    leaves the slice of a single prompt as it is, whose strides are the slice's.
    """
    find_head: Any = model.get_output_embeddings
    head: nn.Module = find_head()
    hook = head.register_forward_pre_hook(
        lambda _head, inputs: (inputs[0].clone(memory_format=torch.contiguous_format),)
    )
    try:
        yield
    finally:
        hook.remove()


def stacked_embeddings(prompts: Sequence[Prompt], device: torch.device) -> Tensor | None:
    """The passage embeddings of all prompts, `(placeholders, dimensions)`; None without any."""
    rows = [embedding for prompt in prompts for embedding in prompt.embeddings]
    if not rows:
        return None
    return torch.from_numpy(np.stack(rows).astype(np.float32)).to(device)


def _before(text: str, stop: str) -> str:
    return text.lstrip().partition(stop)[0]


def end_ids_of(model: PreTrainedModel, encoder: PromptEncoder) -> tuple[int, ...]:
    """The tokens that end an answer: those of the model and of its tokenizer."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    ids = list(configured) if isinstance(configured, list | tuple) else [configured]
    ids.append(encoder.tokenizer.eos_token_id)
    return tuple(dict.fromkeys(token_id for token_id in ids if token_id is not None))
