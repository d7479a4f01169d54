"""Whether a real vLLM server writes what this process writes: `make test-vllm`.

Makes a tiny random Llama, a random projector and random adapters; starts vLLM on it; and asks both
for the same greedy answers, from text and from soft tokens, with and without adapters, one prompt
at a time and 16 in flight. Prints JSON; exits with 1 if a token differs.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from benchmarks.vllm_server import NAME, Starting, versions_of, vllm_serving
from tests.generation.tiny_tokenizers import byte_level
from xorag.compression.adapter_export import export_adapters
from xorag.compression.adapters import LayerAdapter, LowRankAdapters
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.generator import TransformersGenerator
from xorag.generation.protocol import Generator
from xorag.generation.vllm import VllmGenerator
from xorag.generation.vllm_client import Server
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_served import ServedNames
from xorag.runtime.embeddings_only import load_embeddings_only
from xorag.runtime.loading import load_causal_model
from xorag.types import Generation, Prompt

# Heads are 64 wide: vLLM's kernels for CPUs know no narrower ones.
HIDDEN, HEADS, IN_DIM, CONTEXT, NEW_TOKENS = 128, 2, 12, 512, 12
ADAPTERS = "soft"
CPU = torch.device("cpu")


def main() -> int:
    """Compare, print what was found, and give the exit code."""
    given = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given.model or f"{scratch}/model")
        adapters = _make(folder, Path(scratch) / "adapters")
        start = time.perf_counter()
        with _server(given, folder, Path(scratch)) as url:
            started = time.perf_counter() - start
            versions = versions_of(url)
            compared = _compare(url, folder, adapters)
    is_same = all(row["same_tokens"] for row in compared)
    found = {"versions": versions, "start_seconds": round(started, 1), "compared": compared}
    print(json.dumps({"is_same": is_same, **found}, indent=2))
    return 0 if is_same else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-python", help="of an environment with vLLM; starts the server")
    parser.add_argument("--base-url", help="of a server that runs on --model with adapters loaded")
    parser.add_argument("--model", help="folder for the tiny model; unset, a temporary one")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--start-seconds", type=float, default=900.0, help="longest wait")
    given = parser.parse_args()
    if not given.server_python and not (given.base_url and given.model):
        parser.error("give --server-python, or --base-url and --model")
    return given


def _make(folder: Path, adapters_folder: Path) -> LowRankAdapters:
    """Write the model, if it is not there, and the adapters as the server reads them."""
    tokenizer = byte_level()
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        initializer_range=0.4,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model: PreTrainedModel = LlamaForCausalLM(config)
    if not folder.exists():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    layers = {}
    for name in (f"model.layers.{i}.self_attn.{part}_proj" for i in range(2) for part in "qv"):
        out, wide = model.get_submodule(name).get_parameter("weight").shape
        layers[name] = LayerAdapter(torch.randn(8, wide) * 0.3, torch.randn(out, 8) * 0.3)
    adapters = LowRankAdapters(8, 16.0, layers)
    export_adapters(adapters_folder, adapters, str(folder))
    return adapters


@contextmanager
def _server(given: argparse.Namespace, folder: Path, scratch: Path) -> Iterator[str]:
    if given.base_url:
        loaded = {"lora_name": ADAPTERS, "lora_path": str(scratch / "adapters")}
        httpx.post(f"{given.base_url}/v1/load_lora_adapter", json=loaded, timeout=120)
        yield given.base_url
        return
    starting = Starting(given.server_python, given.port, given.start_seconds, CONTEXT)
    lora = ["--enable-lora", "--max-lora-rank", "8"]
    lora += ["--lora-modules", f"{ADAPTERS}={scratch / 'adapters'}"]
    with vllm_serving(starting, folder, scratch, lora) as url:
        yield url


def _compare(url: str, folder: Path, adapters: LowRankAdapters) -> list[dict[str, Any]]:
    rows = []
    for with_adapters in (False, True):
        kept = adapters if with_adapters else None
        encoder = PromptEncoder(byte_level())
        whole = load_causal_model(folder, device=CPU, dtype=torch.float32)
        here = TransformersGenerator(_with_projector(whole, kept), encoder)
        names = ServedNames(NAME, ADAPTERS if with_adapters else None)
        part = load_embeddings_only(str(folder), device=CPU).model
        remote = RemoteModel(Server(url), _with_projector(part, kept), encoder, names=names)
        there = VllmGenerator(remote)
        for reads, passages in (("text", 0), ("soft tokens", 3)):
            prompts = [_prompt(encoder, number, passages) for number in range(16)]
            rows += [
                {"adapters": with_adapters, "reads": reads, **_row(here, there, prompts, count)}
                for count in (1, 16)
            ]
    return rows


def _with_projector(model: PreTrainedModel, adapters: LowRankAdapters | None) -> SoftTokenModel:
    torch.manual_seed(2)
    return SoftTokenModel(model, Projector(IN_DIM, HIDDEN), adapters)


def _prompt(encoder: PromptEncoder, number: int, passages: int) -> Prompt:
    ids = encoder.encode([Quoted(f"Question {number}: who sailed to the river? {number * 7}")])
    count = len(ids.token_ids)
    drawn = np.random.default_rng(number).normal(size=(passages, IN_DIM)).astype(np.float32)
    places = tuple(range(count, count + passages))
    return Prompt(ids.token_ids + (0,) * passages + ids.token_ids[-3:], places, tuple(drawn))


def _row(
    here: Generator, there: Generator, prompts: Sequence[Prompt], in_flight: int
) -> dict[str, Any]:
    groups = [prompts[i : i + in_flight] for i in range(0, len(prompts), in_flight)]
    expected = [answer for group in groups for answer in _ask(here, group)]
    start = time.perf_counter()
    given = [answer for group in groups for answer in _ask(there, group)]
    seconds = time.perf_counter() - start
    apart = [
        abs(a - b)
        for one, other in zip(expected, given, strict=True)
        for a, b in zip(one.logprobs, other.logprobs, strict=False)
    ]
    return {
        "in_flight": in_flight,
        "prompts": len(prompts),
        "tokens": sum(len(answer.token_ids) for answer in given),
        "same_tokens": [a.token_ids for a in given] == [a.token_ids for a in expected],
        "logprobs_apart": round(max(apart), 6),
        "server_seconds": round(seconds, 2),
    }


def _ask(generator: Generator, prompts: Sequence[Prompt]) -> list[Generation]:
    return generator.generate(prompts, max_new_tokens=NEW_TOKENS)


if __name__ == "__main__":
    sys.exit(main())
