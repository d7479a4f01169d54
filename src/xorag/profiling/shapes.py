"""The sizes of a transformer that its operations depend on, read from its configuration.

Knows nothing of weights.
"""

from dataclasses import dataclass

from transformers import PreTrainedConfig

_UNGATED_NAMES = (
    "albert bert bloom camembert codegen distilbert electra falcon gpt2 gpt_bigcode gpt_neo "
    "gpt_neox gptj mpnet mpt nemotron opt persimmon phi roberta starcoder2 xlm-roberta"
)
_UNGATED = frozenset(_UNGATED_NAMES.split())
"""Model types whose MLP has two matrices; the others have a third, the gate (SwiGLU, GeGLU)."""
_INTERMEDIATE = ("n_inner", "intermediate_size", "ffn_dim", "hidden_dim", "d_ff")
_EXPERTS = ("num_local_experts", "num_experts")
_SLIDING = "sliding_attention"


@dataclass(frozen=True, slots=True)
class TransformerShape:
    """Sizes of a dense transformer, or of one with routed experts in place of its MLPs."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_width: int
    intermediate: int
    """Width inside the MLP, or inside one expert."""
    mlp_matrices: int
    """3 with a gate, 2 without."""
    vocab: int
    windows: tuple[int | None, ...]
    """How many positions each layer's cache keeps; None: all."""
    experts: int = 0
    active_experts: int = 1
    """Experts that a token passes through; 1 in a dense model."""


def transformer_shape(config: PreTrainedConfig) -> TransformerShape:
    """Read the sizes from a configuration, by the names that transformers' families give them.

    A family that is built otherwise (shared experts, compressed keys) gets the sizes of a dense
    one; the comparison with what is counted then shows the difference.
    """
    text = config.get_text_config()
    hidden, heads = int(text.hidden_size), int(text.num_attention_heads)
    layers = int(text.num_hidden_layers)
    experts = _first(text, _EXPERTS)
    return TransformerShape(
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=_first(text, ("num_key_value_heads",)) or heads,
        head_width=_first(text, ("head_dim",)) or hidden // heads,
        intermediate=_first(text, _INTERMEDIATE) or 4 * hidden,
        mlp_matrices=2 if text.model_type in _UNGATED else 3,
        vocab=int(text.vocab_size),
        windows=_windows(text, layers),
        experts=experts or 0,
        active_experts=(_first(text, ("num_experts_per_tok",)) or 1) if experts else 1,
    )


def _first(config: PreTrainedConfig, names: tuple[str, ...]) -> int | None:
    """The first of the fields that the configuration has and fills."""
    for name in names:
        value = getattr(config, name, None)
        if value is not None:
            return int(value)
    return None


def _windows(config: PreTrainedConfig, layers: int) -> tuple[int | None, ...]:
    window = _first(config, ("sliding_window",))
    kinds = getattr(config, "layer_types", None) or [_SLIDING] * layers
    return tuple(window if kind == _SLIDING else None for kind in kinds)
