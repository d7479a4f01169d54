"""How much of the machine's matrix rate projector training uses. Prints JSON.

    python -m benchmarks.training --threads 2

A step of training reads a batch forward and takes its gradient back to the soft tokens through
the frozen language model, which is 2 + 2 floating point operations a parameter and token
(Kaplan et al., 2020, section 2.1, without the gradient of the weights). The rate of the model's
own matrix products, in its own number format, is measured in turn with the steps, in the same
run. Training is to reach 0.6 of what that rate allows. The tokens are random, which no step's time
depends on.
"""

import argparse
import json
from dataclasses import dataclass

from xorag.runtime.memory import keep_freed_memory

keep_freed_memory()  # before torch takes memory, as `xorag train` does

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks.measure import in_turn, machine, spread  # noqa: E402
from xorag.compression.model import SoftTokenModel, embedding_width  # noqa: E402
from xorag.compression.projector import Projector  # noqa: E402
from xorag.generation.examples import NOT_SCORED  # noqa: E402
from xorag.runtime.device import limit_threads, pick_device, pick_dtype  # noqa: E402
from xorag.runtime.loading import load_language_model  # noqa: E402
from xorag.training.objective import ParaphraseObjective  # noqa: E402

FLOPS_A_PARAMETER_AND_TOKEN = 4
IN_DIM = 384


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=None)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--prompt-tokens", type=int, default=44)
    parser.add_argument("--passage-tokens", type=int, default=68)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--device", default=None)
    options = parser.parse_args()
    threads = limit_threads(options.threads)
    device = pick_device(options.device)
    found = measure(options, device)
    print(json.dumps({**found, **machine(threads, str(device))}, indent=2))


def measure(options: argparse.Namespace, device: torch.device) -> dict[str, object]:
    """Time steps and products in turn, and relate them."""
    dtype = pick_dtype(device)
    language = load_language_model(options.model, device=device, dtype=dtype, attention="eager")
    projector = Projector(IN_DIM, embedding_width(language.model), linear_path=True).to(device)
    objective = ParaphraseObjective(SoftTokenModel(language.model, projector))
    parameters = sum(parameter.numel() for parameter in language.model.parameters())
    step = Step(objective, options.batch, options.prompt_tokens)
    batch = step.batch(options.passage_tokens, int(language.model.config.vocab_size))
    tokens = batch["input_ids"].numel()
    products = Products(tokens, language.model)
    for _ in range(2):  # warms up
        step.run(batch)
        products.run()
    seconds = in_turn(lambda: step.run(batch), products.run, rounds=options.rounds)
    rates = [products.flops / each for each in seconds.second]
    allowed = [rate / (FLOPS_A_PARAMETER_AND_TOKEN * parameters) for rate in rates]
    reached = [tokens / each for each in seconds.first]
    return {
        "tokens_a_step": tokens,
        "parameters": parameters,
        "dtype": str(dtype),
        "tokens_per_second": spread(reached, digits=0),
        "matrix_rate_tflops": spread([rate / 1e12 for rate in rates]),
        "tokens_per_second_at_that_rate": spread(allowed, digits=0),
        "share": spread([a / b for a, b in zip(reached, allowed, strict=True)]),
        "aim_of_share": 0.6,
    }


@dataclass(frozen=True, slots=True)
class Step:
    """One step of training on a made-up batch."""

    objective: ParaphraseObjective
    batch_size: int
    prompt_tokens: int

    def batch(self, passage_tokens: int, vocab: int) -> dict[str, Tensor]:
        """A batch of full rows, of which the passage is scored."""
        generator = torch.Generator().manual_seed(0)
        shape = (self.batch_size, self.prompt_tokens + passage_tokens)
        input_ids = torch.randint(0, vocab, shape, generator=generator)
        labels = input_ids.clone()
        labels[:, : self.prompt_tokens] = NOT_SCORED
        is_placeholder = torch.zeros(shape, dtype=torch.bool)
        is_placeholder[:, self.prompt_tokens // 2] = True
        batch = {
            "input_ids": input_ids,
            "labels": labels,
            "attention_mask": torch.ones(shape, dtype=torch.long),
            "is_placeholder": is_placeholder,
            "passage_embeddings": torch.randn(self.batch_size, IN_DIM, generator=generator),
        }
        device = next(self.objective.parameters()).device
        return {name: tensor.to(device) for name, tensor in batch.items()}

    def run(self, batch: dict[str, Tensor]) -> float:
        """Read forward and backward; the projector's update takes next to nothing."""
        self.objective.zero_grad()
        loss = self.objective(**batch)["loss"]
        loss.backward()
        return float(loss)


class Products:
    """The matrix products of the language model's own layers, as the machine does them at best."""

    def __init__(self, rows: int, model: torch.nn.Module) -> None:
        """Take the weights of some layers.

        Args:
            rows: Tokens of a batch.
            model: Whose linear layers are multiplied with.
        """
        layers = [
            module.weight for module in model.modules() if isinstance(module, torch.nn.Linear)
        ]
        self._weights = layers[: len(layers) // 4]
        self._inputs = {
            width: torch.randn(rows, width).to(self._weights[0])
            for width in {weight.shape[1] for weight in self._weights}
        }
        self.flops = sum(2 * rows * weight.numel() for weight in self._weights)

    def run(self) -> None:
        """Multiply."""
        with torch.inference_mode():
            for weight in self._weights:
                torch.nn.functional.linear(self._inputs[weight.shape[1]], weight)
        if weight.device.type == "cuda":
            torch.cuda.synchronize()


if __name__ == "__main__":
    main()
