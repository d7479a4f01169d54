"""What training a reader minimises, as the module that transformers' Trainer runs."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from xorag.errors import TrainingError
from xorag.generation.examples import NOT_SCORED
from xorag.moe.balance import balance_loss
from xorag.moe.health import ExpertHealth, expert_health
from xorag.moe.routing import Routing, record_routing
from xorag.moe.upcycle import expert_options
from xorag.training.losses import only_positions, predicting_positions, scored_tokens

_HEALTH_TOKENS = 16_384
"""Tokens of a validation by which the experts' health is judged."""


@dataclass(slots=True)
class SeenRouting:
    """Router logits of the tokens read since the last report."""

    layers: tuple[int, ...] = ()
    batches: list[list[Tensor]] = field(default_factory=list)
    tokens: int = 0

    def add(self, routing: Routing, is_read: Tensor) -> None:
        """Keep those of a batch's own tokens, not of its padding; until there are enough."""
        if self.tokens >= _HEALTH_TOKENS:
            return
        mask = is_read.reshape(-1).bool()
        self.layers = routing.layers
        self.batches.append([logits.detach()[mask.to(logits.device)] for logits in routing.logits])
        self.tokens += int(mask.sum())

    def take(self, top_k: int) -> list[ExpertHealth]:
        """The health by what was kept, and begin anew; empty where nothing was."""
        if not self.batches:
            return []
        logits = [torch.cat(of_layer) for of_layer in zip(*self.batches, strict=True)]
        layers = self.layers
        self.batches, self.tokens = [], 0
        return expert_health(logits, top_k, layers=layers)


class ReaderObjective(nn.Module):
    """Next-token loss on what a reader writes, and a term that keeps its experts busy.

    Open-RAG (arXiv 2410.01782, section 2.3): next-token loss on the response, not on the text of
    paragraphs; plus the load-balancing loss of Switch Transformers (arXiv 2101.03961, equations 4
    to 6) times a weight. Tokens that decide or judge may count for more: a row has three or four of
    them beside ten of its answer. The first is a mean over the scored tokens of the whole step, so
    that it does not depend on how a step is parted into processes and accumulated passes.
    """

    accepts_loss_kwargs = True
    """Tells transformers' Trainer to pass `num_items_in_batch`."""

    def __init__(
        self,
        language_model: PreTrainedModel,
        dtype: torch.dtype,
        *,
        balance_weight: float = 0.0,
        judgement_ids: Sequence[int] = (),
        judgement_weight: float = 1.0,
    ) -> None:
        """Take a model that `make_trainable` has prepared.

        Args:
            language_model: With experts, LoRA and token rows that train.
            dtype: What its frozen weights are kept in, and what is computed in.
            balance_weight: Of the load-balancing loss.
            judgement_ids: Tokens that decide or judge.
            judgement_weight: Of their next-token loss, in training.
        """
        super().__init__()
        self.language_model = language_model
        self.dtype = dtype
        self.tokens_seen = 0
        """Tokens read in training, prompts included."""
        self.routing = SeenRouting()
        """Of validation."""
        self._balance_weight = balance_weight
        self._judgement_ids, self._judgement_weight = list(judgement_ids), judgement_weight
        options = expert_options(language_model)
        self.top_k = 0 if options is None else options.top_k
        self.register_state_dict_post_hook(_keep_trained)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(_forgive_frozen)  # type: ignore[no-untyped-call]

    @property
    def config(self) -> Any:  # noqa: ANN401 - each model has a configuration class of its own
        """The language model's configuration, which trainers look for."""
        return self.language_model.config

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        num_items_in_batch: Tensor | int | None = None,
    ) -> dict[str, Tensor]:
        """The loss of a batch.

        Args:
            input_ids: `(batch, length)`.
            attention_mask: `(batch, length)`.
            labels: Ids to be written, `NOT_SCORED` elsewhere, `(batch, length)`.
            num_items_in_batch: Scored tokens of the whole step; unset, those of this batch.

        Raises:
            TrainingError: If the loss is not finite in training.
        """
        with record_routing(self.language_model) as routing:
            logits = self._logits(input_ids, attention_mask, labels)
        if not self.training:
            self.routing.add(routing, attention_mask)
        nll = scored_tokens(logits, labels).losses
        count = len(nll) if num_items_in_batch is None else num_items_in_batch
        loss = (nll * self._weights(labels)).sum() / count
        if self.training:
            self.tokens_seen += int(attention_mask.sum())
            # Each pass of a step adds its share of the step's scored tokens.
            share = self._balance_weight * len(nll) / count
            loss = loss + share * self._balance(routing, attention_mask)
            _require_finite(loss)
        return {"loss": loss}

    def _weights(self, labels: Tensor) -> Tensor:
        """Of each scored token's loss, in reading order, `(scored,)`."""
        targets = labels[:, 1:]
        scored = targets[targets != NOT_SCORED]
        judges = torch.isin(scored, torch.tensor(self._judgement_ids, device=labels.device))
        weight = self._judgement_weight if self.training else 1.0
        return 1.0 + (weight - 1.0) * judges

    def read(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Tensor:
        """Logits where a token is scored, in reading order, `(scored or more, vocab)`.

        Further rows, which fill their number up, mean nothing. Notes the routing, as `forward`
        does where nothing is learnt.
        """
        with record_routing(self.language_model) as routing:
            logits = self._logits(input_ids, attention_mask, labels)
        self.routing.add(routing, attention_mask)
        return logits

    def _logits(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Tensor:
        model = self.language_model
        head: nn.Module = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        place = input_ids.device.type
        is_plain = self.dtype is torch.float32
        mixed = nullcontext() if is_plain else torch.autocast(place, dtype=self.dtype)
        with mixed, only_positions(head, predicting_positions(labels)):
            output = model(
                input_ids=input_ids,
                attention_mask=None if attention_mask.all() else attention_mask,
                use_cache=False,
            )
        logits: Tensor = output.logits
        return logits

    def _balance(self, routing: Routing, attention_mask: Tensor) -> Tensor | float:
        if not self._balance_weight:
            return 0.0
        return balance_loss(routing.logits, self.top_k, attention_mask)


def _require_finite(loss: Tensor) -> None:
    if bool(torch.isfinite(loss)):
        return
    raise TrainingError(
        f"the loss became {loss.item()}; the last checkpoint is kept, and was good: lower "
        "train.learning_rate or train.max_grad_norm in a run of its own, with another out=DIR"
    )


def _keep_trained(
    module: nn.Module, state: dict[str, Tensor], prefix: str, _metadata: Mapping[str, Any]
) -> None:
    trained = {prefix + name for name, p in module.named_parameters() if p.requires_grad}
    for key in [key for key in state if key not in trained]:
        del state[key]


def _forgive_frozen(module: nn.Module, incompatible: Any) -> None:  # noqa: ANN401 - torch's
    trained = {name for name, p in module.named_parameters() if p.requires_grad}
    missing = incompatible.missing_keys
    missing[:] = [key for key in missing if any(key.endswith(name) for name in trained)]
