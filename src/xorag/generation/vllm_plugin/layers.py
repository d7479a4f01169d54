"""Experts in layers of vLLM's, and the names that weights have around them.

Knows nothing of vLLM.
"""

from collections.abc import Collection, Sequence

from torch import Tensor, nn

from xorag.moe.experts import ExpertMLP
from xorag.moe.kernels import Kernel
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import put_experts

_LAYERS, _MLP, _DENSE = "layers", "mlp", "dense"


def install_experts(
    layers: Sequence[nn.Module], options: ExpertOptions, hidden: int, *, like: Tensor
) -> dict[int, ExpertMLP]:
    """Put unset experts around the MLPs of those layers that are here.

    All experts are computed for each token, and those not chosen weigh nothing: two products of
    fixed shape, which can be compiled and captured in CUDA graphs.

    Args:
        layers: Of the whole model; those that another process computes have no MLP.
        options: Shape of the experts, and which layers have them.
        hidden: Width of the language model.
        like: Says on which device and in which type the experts are.

    Returns:
        The wrapped MLPs by the number of their layer.
    """
    chosen = range(len(layers)) if options.layers is None else sorted(options.layers)
    wrapped = {
        number: put_experts(layers[number], number, hidden, options, like=like)
        for number in chosen
        if hasattr(layers[number], _MLP)
    }
    for layer in wrapped.values():
        layer.kernel = Kernel.ALL
    return wrapped


def dense_name(name: str, numbers: Collection[int]) -> str:
    """The name of a dense model's weight once experts stand around some of its MLPs.

    Args:
        name: As checkpoints write it, such as `model.layers.0.mlp.up_proj.weight`.
        numbers: Of the layers with experts.
    """
    parts = name.split(".")
    for at in range(len(parts) - 2):
        layers, number, part = parts[at : at + 3]
        if layers == _LAYERS and part == _MLP and number.isdecimal() and int(number) in numbers:
            return ".".join([*parts[: at + 3], _DENSE, *parts[at + 3 :]])
    return name
