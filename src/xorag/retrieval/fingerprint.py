"""Telling the weights of encoders apart.

Knows nothing of how they are loaded.
"""

import hashlib

import torch

_SAMPLES = 16


def fingerprint(model: torch.nn.Module, *, prefix: str = "") -> str:
    """Sixteen hex digits that tell weights apart, from shapes and some values of each.

    Reads a few values of each parameter only, so it takes milliseconds and does not load a
    memory-mapped file. Values are rounded to bfloat16, so that the number format a model is
    loaded in does not change it.

    Args:
        model: Whose weights are read.
        prefix: Before the weights' names, where the model stands alone and not in a larger one.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().reshape(-1)
        step = max(1, len(flat) // _SAMPLES)
        sample = flat[::step][:_SAMPLES].to("cpu", torch.bfloat16).view(torch.int16)
        digest.update(f"{prefix}{name}{tuple(tensor.shape)}".encode())
        digest.update(sample.numpy().tobytes())
    return digest.hexdigest()[:16]
