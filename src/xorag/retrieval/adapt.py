"""Changes to a loaded sentence-transformers model, so that it is used as asked.

Knows nothing of indexes or of which model wants what.
"""

import copy
import hashlib
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from tokenizers import processors

from xorag.errors import UsageError

_SAMPLES = 16


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
    if tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id:
        return
    template = processors.TemplateProcessing(
        single=f"$A {eos}",
        pair=f"$A {eos} $B {eos}",
        special_tokens=[(eos, tokenizer.eos_token_id)],
    )
    existing = backend.post_processor
    chain = [template] if existing is None else [existing, template]
    backend.post_processor = processors.Sequence(chain)


def fingerprint(model: torch.nn.Module) -> str:
    """Sixteen hex digits that tell weights apart, from shapes and some values of each.

    Reads a few values of each parameter only, so it takes milliseconds and does not load a
    memory-mapped file. Values are rounded to bfloat16, so that the number format a model is
    loaded in does not change it.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().reshape(-1)
        step = max(1, len(flat) // _SAMPLES)
        sample = flat[::step][:_SAMPLES].to("cpu", torch.bfloat16).view(torch.int16)
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(sample.numpy().tobytes())
    return digest.hexdigest()[:16]


def counting_tokenizer(model: torch.nn.Module) -> Any:  # noqa: ANN401 - two libraries' classes
    """A copy of a model's tokenizer that never cuts a text."""
    tokenizer: Any = copy.deepcopy(model.tokenizer)
    if hasattr(tokenizer, "no_truncation"):
        tokenizer.no_truncation()
        tokenizer.no_padding()
    return tokenizer


def count_tokens(tokenizer: Any, texts: list[str]) -> list[int]:  # noqa: ANN401
    """Tokens of each text with the special tokens around it, uncut.

    Args:
        tokenizer: Of `counting_tokenizer`: of transformers, or of tokenizers (static embeddings).
        texts: Any number of texts, also none.
    """
    if not texts:
        return []
    if hasattr(tokenizer, "encode_batch"):
        return [len(item.ids) for item in tokenizer.encode_batch(texts)]
    encoded = tokenizer(texts, truncation=False, verbose=False, return_attention_mask=False)
    return [len(ids) for ids in encoded["input_ids"]]
