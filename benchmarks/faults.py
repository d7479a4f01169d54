"""What goes wrong around a server, and what it does then. Prints JSON.

    python -m benchmarks.faults
    python -m benchmarks.faults --only hostile --documents 2000
    python -m benchmarks.faults --only wrong-requests --requests 10000

Each fault is brought about for real, on a real `xorag serve` with a tiny random model, and held
against what is promised. The disk that gets full is a small tmpfs, which needs root on Linux;
where it cannot be mounted, the fault is reported as skipped. Wrong requests are drawn by
schemathesis from the server's own OpenAPI document, hostile documents by hypothesis
(`benchmarks/hostile.py`).
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import httpx

from benchmarks.fault_disks import full_index_disk, full_upload_disk
from benchmarks.fault_indexes import altered, deleted, truncated, two_indexers_and_a_reader
from benchmarks.fault_requests import hostile_documents, wrong_requests
from benchmarks.fault_streams import killed_in_a_stream
from benchmarks.fault_world import Finding, Skipped, World, make_fault_world
from benchmarks.measure import machine
from benchmarks.served import end_as_by_an_error

FAULTS: Mapping[str, Callable[[World], Finding]] = MappingProxyType(
    {
        "killed-in-stream": killed_in_a_stream,
        "index-altered": altered,
        "index-truncated": truncated,
        "index-deleted": deleted,
        "full-index-disk": full_index_disk,
        "full-upload-disk": full_upload_disk,
        "two-indexers": two_indexers_and_a_reader,
        "hostile": hostile_documents,
        "wrong-requests": wrong_requests,
    }
)


def main() -> None:
    """Bring the faults about and print what was seen; exits with 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--requests", type=int, default=10_000, help="by schemathesis, at least")
    parser.add_argument("--documents", type=int, default=2_000, help="hostile ones, at least")
    options = parser.parse_args()
    end_as_by_an_error()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        world = make_fault_world(Path(folder), options.requests, options.documents)
        for name in options.only:
            found.append(_try(name, world))
            print(f"{name}: {found[-1]['held']}, {found[-1]['seen']}", file=sys.stderr)
    kept = all(item["held"] is not False for item in found)
    print(json.dumps({"faults": found, "held": kept, **machine(1, "cpu")}, indent=2))
    raise SystemExit(0 if kept else 1)


def _try(name: str, world: World) -> dict[str, object]:
    start = time.perf_counter()
    try:
        finding = asdict(FAULTS[name](world))
    except Skipped as reason:
        finding = {"held": None, "seen": f"skipped: {reason}"}
    # A server that does not start or answer breaks its promise, and the next fault is tried.
    except (RuntimeError, TimeoutError, httpx.HTTPError) as error:
        finding = {"held": False, "seen": f"{type(error).__name__}: {error}"}
    promised = " ".join((FAULTS[name].__doc__ or "").split())
    seconds = round(time.perf_counter() - start, 1)
    return {"fault": name, "promised": promised, **finding, "seconds": seconds}


if __name__ == "__main__":
    main()
