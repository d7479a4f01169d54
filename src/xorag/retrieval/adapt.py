"""Changes to a loaded sentence-transformers model, so that it is used as asked.

Knows nothing of indexes or of which model wants what.
"""

import copy
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from tokenizers import processors

from xorag.errors import UsageError


def pooling_of(model: SentenceTransformer) -> str | None:
    """How the model pools token embeddings, or None where it has no pooling of its own."""
    module = next((module for module in model if isinstance(module, Pooling)), None)
    if module is None:
        return None
    mode: str | tuple[str, ...] = module.pooling_mode
    return mode if isinstance(mode, str) else "+".join(mode)


def set_pooling(model: SentenceTransformer, mode: str) -> None:
    """Pool token embeddings in another way.

    Raises:
        UsageError: If the way is unknown, or the model has no pooling to change.
    """
    place = next((i for i, module in enumerate(model) if isinstance(module, Pooling)), None)
    if place is None:
        raise UsageError(f"pooling {mode!r} was asked for, but this encoder does not pool tokens")
    if mode not in Pooling.POOLING_MODES:
        known = ", ".join(Pooling.POOLING_MODES)
        raise UsageError(f"{mode!r} is no pooling; give one of {known}")
    old = next(module for module in model if isinstance(module, Pooling))
    model[place] = Pooling(old.embedding_dimension, mode, include_prompt=old.include_prompt)


def remove_normalize(model: SentenceTransformer) -> bool:
    """Take normalisation off the model's end; returns whether there was any."""
    found = False
    while len(model) > 1 and isinstance(model[-1], Normalize):
        del model[-1]
        found = True
    return found


def require_eos(model: SentenceTransformer) -> None:
    """Make the tokenizer end every text with its eos, kept when the text is cut.

    Raises:
        UsageError: If the tokenizer has no eos or is not a fast one.
    """
    tokenizer = model.tokenizer
    eos = getattr(tokenizer, "eos_token", None)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if eos is None or backend is None:
        raise UsageError("the encoder's tokenizer has no eos to append; leave append_eos out")
    whole = tokenizer("a")["input_ids"]
    if whole[-1] == tokenizer.eos_token_id:
        return
    # Processors of templates cannot be chained, so the special tokens that are put around a
    # text now are taken into a new template.
    start, end = _around(whole, tokenizer("a", add_special_tokens=False)["input_ids"])
    before, after = ([(tokenizer.convert_ids_to_tokens(i), i) for i in ids] for ids in (start, end))
    after.append((eos, tokenizer.eos_token_id))
    backend.post_processor = processors.TemplateProcessing(
        single=[*(token for token, _ in before), "$A", *(token for token, _ in after)],
        special_tokens=list(dict.fromkeys([*before, *after])),
    )


def _around(whole: list[int], plain: list[int]) -> tuple[list[int], list[int]]:
    """The ids before and after the plain ones in the whole."""
    starts = range(len(whole) - len(plain) + 1)
    start = next((i for i in starts if whole[i : i + len(plain)] == plain), len(whole))
    return whole[:start], whole[start + len(plain) :]


def counting_tokenizer(model: torch.nn.Module) -> Any:  # noqa: ANN401 - two libraries' classes
    """A copy of a model's tokenizer that never cuts a text, and shares no state with it."""
    tokenizer: Any = model.tokenizer
    fast = copy.deepcopy(getattr(tokenizer, "backend_tokenizer", tokenizer))
    if hasattr(fast, "encode_batch_fast"):
        fast.no_truncation()
        fast.no_padding()
    return fast


def count_tokens(tokenizer: Any, texts: list[str]) -> list[int]:  # noqa: ANN401
    """Tokens of each text with the special tokens around it, uncut.

    Args:
        tokenizer: Of `counting_tokenizer`; slow ones of transformers work too.
        texts: Any number of texts, also none.
    """
    if not texts:
        return []
    if hasattr(tokenizer, "encode_batch_fast"):
        return [len(item.ids) for item in tokenizer.encode_batch_fast(texts)]
    encoded = tokenizer(texts, truncation=False, verbose=False)
    return [len(ids) for ids in encoded["input_ids"]]
