"""What trains in a reader, put into its language model: LoRA, token rows, experts and routers."""

from importlib.util import find_spec
from typing import Any

from transformers import PreTrainedModel

from xorag.config.reader_recipe import ReaderExpertOptions, ReaderLoraOptions
from xorag.errors import ConfigError, MissingExtraError
from xorag.generation.reader.tokens import is_tied
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_parameters, upcycle
from xorag.reflection.vocabulary import ReflectionVocabulary


def make_trainable(
    model: PreTrainedModel,
    vocabulary: ReflectionVocabulary,
    lora: ReaderLoraOptions,
    experts: ReaderExpertOptions,
    *,
    seed: int,
) -> None:
    """Turn a dense model into a reader to be trained, in place.

    All that was there is frozen. LoRA (Hu et al., 2021) goes into the dense layers, the rows of
    the reflection tokens train by peft's trainable token indices, experts and routers in full.
    What trains is kept in float32, whatever the frozen weights are.

    Args:
        model: Dense, with rows for the tokens.
        vocabulary: Whose rows train.
        lora: Of the adapters.
        experts: Of the experts.
        seed: Of the experts' weights; adapters draw from torch's own generator.

    Raises:
        ConfigError: If no layer has one of the names.
        ExpertError: If the model has no MLPs for experts, or not the layers asked for.
        MissingExtraError: If peft is not installed.
    """
    model.requires_grad_(requires_grad=False)
    upcycle(model, expert_options(experts), seed=seed)
    _add_lora(model, vocabulary, lora)
    for parameter in expert_parameters(model):
        parameter.requires_grad = True
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def expert_options(options: ReaderExpertOptions) -> ExpertOptions:
    """The recipe's section as the experts' own options."""
    return ExpertOptions(
        experts=options.count,
        width=options.width,
        top_k=options.top_k,
        scale=options.scale,
        dropout=options.dropout,
        layers=options.layers,
    )


def _add_lora(
    model: PreTrainedModel, vocabulary: ReflectionVocabulary, options: ReaderLoraOptions
) -> None:
    if find_spec("peft") is None:
        raise MissingExtraError("training a reader needs peft; install xorag[train]")
    from peft import LoraConfig  # noqa: PLC0415 - an extra

    targets = options.targets
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        trainable_token_indices=_rows_by_layer(model, vocabulary),
        task_type="CAUSAL_LM",
    )
    adapted: Any = model
    try:
        adapted.add_adapter(config)
    except ValueError as error:
        raise ConfigError(
            f"lora.targets {targets!r} does not fit this model ({error}); name linear layers of it"
        ) from error
    for layer in adapted.modules():
        if hasattr(layer, "cast_input_dtype_enabled"):
            layer.cast_input_dtype_enabled = False  # autocast does it, and to the faster type


def _rows_by_layer(
    model: PreTrainedModel, vocabulary: ReflectionVocabulary
) -> dict[str, list[int]]:
    """The rows that train, by the name of their layer; a tied head follows the embeddings."""
    ends: Any = model
    layers = [ends.get_input_embeddings()]
    if not is_tied(model):
        layers.append(ends.get_output_embeddings())
    names = {id(module): name for name, module in model.named_modules()}
    return {names[id(layer)]: sorted(vocabulary.ordered_ids) for layer in layers}
