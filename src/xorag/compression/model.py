"""A frozen language model that reads soft tokens: a wrapper around any causal model."""

import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from xorag.compression.adapters import AdapterSwitch, LowRankAdapters
from xorag.compression.projector import Projector
from xorag.compression.splice import splice
from xorag.errors import ProjectorMismatchError, SpliceError

_LANGUAGE_MODEL = "language_model."


class SoftTokenModel(nn.Module):
    """A causal language model and the projector that writes its soft tokens.

    The language model is frozen and stays in evaluation mode; only the projector trains, and
    only what trains is in the state that is saved and loaded: the projector, and adapters that
    were put into the language model to be trained. Adapters that are given act wherever soft
    tokens are read, and nowhere else.
    """

    def __init__(
        self,
        language_model: PreTrainedModel,
        projector: Projector,
        adapters: LowRankAdapters | None = None,
    ) -> None:
        """Wrap a language model.

        Args:
            language_model: It is frozen.
            projector: Of its width.
            adapters: Of its layers, for where it reads soft tokens.

        Raises:
            ProjectorMismatchError: If projector or adapters are for another model.
        """
        super().__init__()
        hidden = embedding_width(language_model)
        if projector.shape.hidden != hidden:
            raise ProjectorMismatchError(
                f"the projector makes soft tokens of width {projector.shape.hidden}, but the "
                f"language model {language_model.name_or_path!r} is {hidden} wide; "
                "use a projector made for this model"
            )
        self.language_model = language_model.requires_grad_(requires_grad=False)
        self.language_model.train(mode=False)
        self.projector = projector
        self.adapters = adapters
        self._switch = None if adapters is None else AdapterSwitch(language_model, adapters)
        self._inner_scale = _scale_inside(language_model)
        self._takes_positions = _takes(language_model, "position_ids")
        self.register_state_dict_post_hook(_keep_projector)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            _forgive_language_model
        )

    @property
    def config(self) -> Any:  # noqa: ANN401 - each model has a configuration class of its own
        """The language model's configuration, which trainers look for."""
        return self.language_model.config

    def train(self, mode: bool = True) -> "SoftTokenModel":  # noqa: FBT001, FBT002 - nn.Module's
        """Switch the projector's mode; the frozen language model stays in evaluation mode."""
        super().train(mode)
        self.language_model.train(mode=False)
        return self

    def adapted(self, *, reads_soft_tokens: bool) -> AbstractContextManager[None]:
        """In which the language model computes as it shall: its adapters act on soft tokens alone.

        `forward` and `generate` do so by themselves; this is for who calls the language model.

        Args:
            reads_soft_tokens: Whether all prompts that are computed inside hold some.
        """
        if self._switch is None or not reads_soft_tokens:
            return nullcontext()
        return self._switch.on()

    def embed(
        self, input_ids: Tensor, is_placeholder: Tensor, passage_embeddings: Tensor | None
    ) -> Tensor:
        """What the language model reads: token embeddings with soft tokens spliced in.

        Args:
            input_ids: `(batch, length)`; the ids at placeholders are never looked up.
            is_placeholder: True at each placeholder, `(batch, length)`.
            passage_embeddings: One row a placeholder in reading order, `(placeholders, in_dim)`.

        Returns:
            Embeddings, `(batch, length, hidden)`.

        Raises:
            SpliceError: If placeholders and passages do not pair up.
        """
        known_ids = input_ids.masked_fill(is_placeholder, 0)
        token_embeds: Tensor = self.language_model.get_input_embeddings()(known_ids)
        if passage_embeddings is None or passage_embeddings.shape[0] == 0:
            if is_placeholder.any():
                raise SpliceError(
                    f"the prompt has {int(is_placeholder.sum())} placeholders, but no passage "
                    "embedding came; give one for each placeholder"
                )
            return token_embeds
        soft_tokens: Tensor = self.projector(passage_embeddings)
        return splice(token_embeds, soft_tokens / self._inner_scale, is_placeholder)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        is_placeholder: Tensor | None = None,
        passage_embeddings: Tensor | None = None,
        labels: Tensor | None = None,
        **options: Any,  # noqa: ANN401 - handed to the language model as they are
    ) -> CausalLMOutputWithPast:
        """Run the language model over a prompt with soft tokens.

        Positions are counted from the first token that the mask shows, whichever side is padded.
        With `past_key_values` the mask covers what was read before as well. Adapters act where
        `is_placeholder` has any True.
        """
        mask = torch.zeros_like(input_ids, dtype=torch.bool)
        mask = mask if is_placeholder is None else is_placeholder
        if attention_mask is not None and self._takes_positions:
            positions = (attention_mask.cumsum(-1) - 1).clamp(min=0)
            options.setdefault("position_ids", positions[:, -input_ids.shape[1] :])
        with self.adapted(reads_soft_tokens=bool(mask.any())):
            output: CausalLMOutputWithPast = self.language_model(
                inputs_embeds=self.embed(input_ids, mask, passage_embeddings),
                attention_mask=attention_mask,
                labels=labels,
                **options,
            )
        return output

    @torch.inference_mode()
    def generate(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        is_placeholder: Tensor,
        passage_embeddings: Tensor | None,
        **options: Any,  # noqa: ANN401 - transformers' own generation options
    ) -> Any:  # noqa: ANN401 - ids or an output object, as the options ask
        """Generate after a prompt with soft tokens; returns new tokens only."""
        generate: Any = self.language_model.generate
        with self.adapted(reads_soft_tokens=bool(is_placeholder.any())):
            return generate(
                inputs_embeds=self.embed(input_ids, is_placeholder, passage_embeddings),
                attention_mask=attention_mask,
                **options,
            )


def embedding_width(language_model: PreTrainedModel) -> int:
    """How wide the embeddings are that a language model reads."""
    weight: Tensor = language_model.get_input_embeddings().get_parameter("weight")
    return int(weight.shape[-1])


def _scale_inside(language_model: PreTrainedModel) -> float:
    """The factor by which a model multiplies embeddings that it is given.

    Granite multiplies inside the model, so soft tokens are divided first. Gemma multiplies in
    its embedding layer, which soft tokens never pass.
    """
    return float(getattr(language_model.config.get_text_config(), "embedding_multiplier", 1.0))


def _takes(language_model: PreTrainedModel, argument: str) -> bool:
    return argument in inspect.signature(language_model.forward).parameters


def _keep_projector(
    module: nn.Module, state: dict[str, Tensor], prefix: str, _metadata: Mapping[str, Any]
) -> None:
    trained = {prefix + name for name, p in module.named_parameters() if p.requires_grad}
    for key in [key for key in state if key.startswith(prefix + _LANGUAGE_MODEL)]:
        if key not in trained:
            del state[key]


def _forgive_language_model(module: nn.Module, incompatible: Any) -> None:  # noqa: ANN401 - torch's
    trained = [name for name, p in module.named_parameters() if p.requires_grad]
    missing = incompatible.missing_keys
    missing[:] = [
        key
        for key in missing
        if _LANGUAGE_MODEL not in key or any(key.endswith(name) for name in trained)
    ]
