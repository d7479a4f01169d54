"""Starts a vLLM server on a folder, for the checks of `make test-vllm`, and stops it again."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

NAME = "tiny"
"""What the model is called on the server."""
_QUIET = {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", "TORCHDYNAMO_DISABLE": "1"}
_ON_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True, slots=True)
class Starting:
    """How a server is started."""

    python: str
    """Of the environment that has vLLM."""
    port: int = 8765
    seconds: float = 900.0
    """Longest wait until it is up."""
    context: int = 512
    """Tokens that it reads and writes at most."""


@contextmanager
def vllm_serving(
    starting: Starting, folder: Path, scratch: Path, options: Sequence[str] = ()
) -> Iterator[str]:
    """Serve a model's folder on loopback in float32, as long as the block lasts.

    Args:
        starting: How.
        folder: Of the model.
        scratch: Where the log goes.
        options: Further ones of vLLM's.
    """
    url, log = f"http://127.0.0.1:{starting.port}", scratch / "vllm.log"
    command = [starting.python, "-m", "vllm.entrypoints.openai.api_server"]
    command += ["--model", str(folder), "--served-model-name", NAME, "--host", "127.0.0.1"]
    command += ["--port", str(starting.port), "--dtype", "float32", "--enforce-eager"]
    command += ["--max-model-len", str(starting.context), "--max-num-seqs", "16"]
    command += ["--enable-prompt-embeds", *options]
    # vLLM imports itself in four processes; without bytecode, each compiles all of it again.
    inherited = {key: value for key, value in os.environ.items() if key != _NO_BYTECODE}
    with log.open("w", encoding="utf-8") as written:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            env={**inherited, **_QUIET, **_ON_CPU},
            stdout=written,
            stderr=subprocess.STDOUT,
            cwd=scratch,
        )
        try:
            _wait_for(url, process, log, starting.seconds)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def versions_of(url: str) -> dict[str, str]:
    """Of the server, and of what runs here."""
    import torch  # noqa: PLC0415 - only for its version

    served: str = httpx.get(f"{url}/version", timeout=30).json()["version"]
    return {"vllm": served, "torch": torch.__version__, "python": sys.version.split()[0]}


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(1)
    tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    sys.exit(f"vLLM did not start within {seconds:g} s; the end of its log:\n{tail}")
