"""What experts cost beside the dense model, and which way to compute them is fastest. Prints JSON.

    python -m benchmarks.experts --threads 2

Forward: the packaged language model, dense and upcycled, reads the same tokens in turn, in both
number formats; the ratio of their times is to be at most 1.35 for one token and 1.15 for 2,000.
Beside what is chosen stand all ways to compute the experts; `loop` is the plain loop over them.
Logits are made at the last position only, as `generate` does when it reads a prompt.

Kernels: the experts alone, in the shapes of small and of published readers, in milliseconds; this
is what `choose_kernel` in `xorag.moe.kernels` was fixed by.
"""

import argparse
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from benchmarks.measure import in_turn, machine, spread, timed
from xorag.moe.kernels import Kernel, choose_kernel, mix
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_layers, upcycle
from xorag.runtime.device import DTYPES, limit_threads, pick_device
from xorag.runtime.loading import load_language_model

BARS = {1: 1.35, 2000: 1.15}
SHAPES = ((576, 16), (576, 64), (2048, 128), (4096, 512))
"""Hidden and width of the readers: small, default, and the published 7B with one between."""
FEW = 8
LEAST_SECONDS = 0.2
"""How long a timed action shall take, by repeating what is short."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=None)
    parser.add_argument("--experts", type=int, default=8)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--top-k", type=int, default=2)
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 8, 64, 500, 2000])
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"], choices=DTYPES)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default=None)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--skip-forward", action="store_true")
    parser.add_argument("--skip-kernels", action="store_true")
    asked = parser.parse_args()
    threads, device = limit_threads(asked.threads), pick_device(asked.device)
    options = ExpertOptions(experts=asked.experts, width=asked.width, top_k=asked.top_k)
    found: dict[str, object] = {"experts": options.experts, "top_k": options.top_k}
    if not asked.skip_forward:
        found["width"] = options.width
        found["forward"] = [
            row
            for dtype in asked.dtypes
            for row in Forward.of(asked.model, options, device, dtype).rows(
                asked.tokens, asked.rounds
            )
        ]
    if not asked.skip_kernels:
        found["kernels"] = [
            row
            for dtype in asked.dtypes
            for shape in SHAPES
            for row in kernel_rows(
                shape, options, asked.tokens, torch.empty(0, dtype=DTYPES[dtype], device=device)
            )
        ]
    print(json.dumps({**found, **machine(threads, str(device))}, indent=2))


@dataclass(frozen=True, slots=True)
class Forward:
    """A dense model, and the same weights with experts beside them."""

    dense: PreTrainedModel
    sparse: PreTrainedModel
    options: ExpertOptions
    dtype: str

    @classmethod
    def of(
        cls, name: str | None, options: ExpertOptions, device: torch.device, dtype: str
    ) -> "Forward":
        """Open the model, and give a copy that shares its weights experts that say something."""
        dense = load_language_model(name, device=device, dtype=DTYPES[dtype]).model
        shared = {id(tensor): tensor for tensor in (*dense.parameters(), *dense.buffers())}
        sparse = deepcopy(dense, shared)
        upcycle(sparse, options)
        for layer in expert_layers(sparse).values():
            nn.init.normal_(layer.up, std=0.02)
        return cls(dense, sparse, options, dtype)

    def rows(self, tokens: Sequence[int], rounds: int) -> list[dict[str, object]]:
        """Ratios for each number of tokens and each way."""
        return [
            self._row(count, way, rounds)
            for count in tokens
            for way in (None, *(way for way in ways_for(count) if way != self._chosen(count)))
        ]

    def _row(self, count: int, kernel: Kernel | None, rounds: int) -> dict[str, object]:
        for layer in expert_layers(self.sparse).values():
            layer.kernel = kernel
        vocab = self.dense.config.get_text_config().vocab_size
        ids = torch.randint(vocab, (1, count), generator=torch.Generator().manual_seed(0))
        ids = ids.to(self.dense.device)
        dense, sparse = (partial(read, model, ids) for model in (self.dense, self.sparse))
        repeats = repeats_of(dense)
        found = in_turn(
            partial(repeat, sparse, repeats), partial(repeat, dense, repeats), rounds=rounds
        )
        return {
            "dtype": self.dtype,
            "tokens": count,
            "kernel": kernel.value if kernel else "chosen",
            "chosen": self._chosen(count),
            "dense_ms": spread([1000 * seconds / repeats for seconds in found.second]),
            "ratio": spread(found.ratios()),
            "bar": BARS.get(count) if kernel is None else None,
        }

    def _chosen(self, count: int) -> str:
        config = self.dense.config.get_text_config()
        tokens = torch.empty(count, config.hidden_size, dtype=DTYPES[self.dtype], device="meta")
        return choose_kernel(tokens, self.options).value


def kernel_rows(
    shape: tuple[int, int], options: ExpertOptions, tokens: Sequence[int], like: Tensor
) -> list[dict[str, object]]:
    """Milliseconds of each way for each number of tokens; `like` has the device and the format."""
    hidden, width = shape
    down, up = (0.02 * torch.randn(options.experts, width, hidden).to(like) for _ in range(2))
    rows = []
    for count in tokens:
        inputs = torch.randn(count, hidden).to(like)
        values, chosen = torch.randn(count, options.experts).to(like).topk(options.top_k)
        row: dict[str, object] = {
            "dtype": str(like.dtype).removeprefix("torch."),
            "hidden": hidden,
            "width": width,
            "tokens": count,
            "chosen": choose_kernel(inputs, replace(options, width=width)).value,
        }
        for kernel in ways_for(count):
            action = partial(mixed, kernel, inputs, values.softmax(-1), chosen, down, up)
            row[kernel.value] = milliseconds(action)
        rows.append(row)
    return rows


def milliseconds(action: partial[Tensor], *, rounds: int = 5) -> float:
    """The fastest of a few rounds, as these are compared to choose and not to report."""
    repeats = repeats_of(action)
    seconds = min(timed(partial(repeat, action, repeats)) for _ in range(rounds)) / repeats
    return round(1000 * seconds, 4)


@torch.inference_mode()
def mixed(
    kernel: Kernel, tokens: Tensor, weights: Tensor, chosen: Tensor, down: Tensor, up: Tensor
) -> Tensor:
    """The experts alone."""
    return mix(kernel, tokens, weights, chosen, down, up)


@torch.inference_mode()
def read(model: PreTrainedModel, ids: Tensor) -> Tensor:
    """Read tokens, and wait until it is done wherever it is done."""
    logits: Tensor = model(input_ids=ids, use_cache=False, logits_to_keep=1).logits
    return logits.cpu()


def ways_for(count: int) -> list[Kernel]:
    """All ways, but `picked` only where tokens are few: it copies weights for each."""
    return [kernel for kernel in Kernel if kernel is not Kernel.PICKED or count <= FEW]


def repeat(action: partial[Tensor], times: int) -> None:
    """Do it so many times."""
    for _ in range(times):
        action()


def repeats_of(action: partial[Tensor]) -> int:
    """How often to do it to fill the least time; also warms up."""
    action()
    return max(1, round(LEAST_SECONDS / timed(action)))


if __name__ == "__main__":
    main()
