"""How long until something happens, and what opening a model puts into memory. Prints JSON.

    python -m benchmarks.startup --index my-index

Each command is a process of its own, run in turn with one that only imports torch and the parts of
transformers that open a causal language model, which no program that asks one can save, and with
the same imports where Python looks for no garbage among them, as xorag imports them. Beside them
stands `import torch, transformers` alone, which leaves most of transformers unread until a name is
used. Aims: `xorag --help` in half a second; `xorag ask` in 3 seconds beyond the imports. Where
other programs run, seconds of the processor (user and system, all threads) say more than those of
the clock. Memory: a fresh process opens the converted language model; what grows beside the pages
of the mapped file is memory of its own.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.measure import MEGABYTE, in_turn, machine, spread, timed
from xorag.runtime.device import limit_threads
from xorag.runtime.sources import default_index_path, language_model_path

XORAG = Path(sys.executable).with_name("xorag")
BARE = (sys.executable, "-c", "import torch, transformers")
USED = "AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM"
USE = f"import torch; from transformers import {USED}"
IMPORTS = (sys.executable, "-c", USE)
UNCOLLECTED = (sys.executable, "-c", f"import gc; gc.disable(); {USE}; gc.freeze()")
OPENED = """
import json, sys
import psutil, torch
from xorag.runtime.loading import load_language_model
process = psutil.Process()
before = process.memory_info()
opened = load_language_model(None, device=torch.device("cpu"), dtype=torch.bfloat16)
after = process.memory_info()
maps = [item for item in process.memory_maps() if item.path.endswith(".safetensors")]
json.dump({
    "rss_grown": after.rss - before.rss,
    "of_the_file_in_memory": sum(item.rss for item in maps),
    "is_mapped": bool(maps),
}, sys.stdout)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=None, help="default: the demo's")
    parser.add_argument("--mode", default="xrag")
    parser.add_argument("--projector", default=None)
    parser.add_argument("--question", default="What is the highest mountain in Africa?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    threads = limit_threads(options.threads)
    index = options.index or default_index_path()
    ask = [str(XORAG), "ask", options.question, "--index", str(index), "--mode", options.mode]
    ask += ["--threads", str(threads), "--json"]
    ask += [] if options.projector is None else ["--projector", options.projector]
    found = {
        "help_seconds": help_seconds(options.rounds),
        "ask_seconds": ask_seconds(ask, options.rounds),
        "memory": memory(),
    }
    print(json.dumps({**found, **machine(threads, "cpu")}, indent=2))


def help_seconds(rounds: int) -> dict[str, object]:
    """Seconds of `xorag --help`, beside those of Python alone."""
    run((str(XORAG), "--help"))  # reads the files once
    paired = in_turn(
        lambda: run((str(XORAG), "--help")), lambda: run((sys.executable, "-c", "")), rounds=rounds
    )
    return {"help": spread(paired.first), "python_alone": spread(paired.second), "aim": 0.5}


@dataclass(frozen=True, slots=True)
class Runs:
    """Seconds of a command, one of each kind a round."""

    clock: list[float]
    processor: list[float]

    def shown(self) -> dict[str, object]:
        """Medians with their intervals."""
        return {"seconds": spread(self.clock), "processor_seconds": spread(self.processor)}

    def beyond(self, other: "Runs") -> "Runs":
        """What this command took more than another, round by round."""
        return Runs(
            [a - b for a, b in zip(self.clock, other.clock, strict=True)],
            [a - b for a, b in zip(self.processor, other.processor, strict=True)],
        )


def ask_seconds(ask: list[str], rounds: int) -> dict[str, object]:
    """Seconds of `xorag ask`, of the imports, and of what lies between."""
    run(ask)
    runs = runs_in_turn({"ask": ask, "imports": IMPORTS, "uncollected": UNCOLLECTED}, rounds)
    return {
        "ask": runs["ask"].shown(),
        "imports": runs["imports"].shown(),
        "imports_without_collection": runs["uncollected"].shown(),
        "beyond_imports": runs["ask"].beyond(runs["imports"]).shown(),
        "beyond_imports_without_collection": runs["ask"].beyond(runs["uncollected"]).shown(),
        "bare_imports": spread([timed(lambda: run(BARE)) for _ in range(rounds)]),
        "aim": 3,
        "inside": json.loads(run(ask))["cost"]["seconds"],
    }


def runs_in_turn(
    commands: Mapping[str, tuple[str, ...] | list[str]], rounds: int
) -> dict[str, Runs]:
    """Run commands in turn, in changing order, so that a busy machine slows all alike."""
    found = {name: Runs([], []) for name in commands}
    for number in range(rounds):
        names = list(commands)
        for name in names if number % 2 == 0 else reversed(names):
            before = children_seconds()
            found[name].clock.append(timed(partial(run, commands[name])))
            found[name].processor.append(children_seconds() - before)
    return found


def children_seconds() -> float:
    """Seconds of the processor that the processes took that this one started and saw end."""
    times = os.times()
    return times.children_user + times.children_system


def memory() -> dict[str, object]:
    """What opening the converted language model puts into memory, in MiB."""
    folder = Path(language_model_path(None))
    on_disk = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    opened = json.loads(run((sys.executable, "-c", OPENED)))
    grown, mapped = opened["rss_grown"], opened["of_the_file_in_memory"]
    return {
        "file_mib": round(on_disk / MEGABYTE, 1),
        "rss_grown_mib": round(grown / MEGABYTE, 1),
        "of_which_file_pages_mib": round(mapped / MEGABYTE, 1),
        "memory_of_its_own_mib": round((grown - mapped) / MEGABYTE, 1),
        "is_mapped": opened["is_mapped"],
    }


def run(command: tuple[str, ...] | list[str]) -> str:
    """Run a command to its end and return what it printed; ends the program if it fails."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - our own commands
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main()
