"""Requests and documents that are wrong in all ways that can be drawn."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.fault_world import OK, Finding, World, finished, outcome_of
from benchmarks.hostile import HostileFile, hostile_files
from benchmarks.served import RunningServer

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
MOST_EXAMPLES = 100
"""Of each operation in a round."""
ROUNDS = 60
FIRST_SERVER_FAULT = 500
TAKEN = 202
REFUSED = (400, 413, 429)
REQUEST_SECONDS = 60.0
ROUND_SECONDS = 3_600.0
FILES_AT_ONCE = 10
COMMON = (
    "--phases=fuzzing",
    "--checks=not_a_server_error",
    "--continue-on-failure",
    "--no-shrink",
    "--workers=1",
    "--generation-database=none",
    f"--request-timeout={REQUEST_SECONDS:g}",
)


def wrong_requests(world: World) -> Finding:
    """No request of many thousands gets a 5xx or waits for ever, and the server still answers."""
    index = world.copy_of_index("wrong-requests")
    statuses: Counter[str] = Counter()
    faults: list[str] = []
    with world.server(index) as server:
        for seed in range(ROUNDS):
            done = _round(server, seed, min(MOST_EXAMPLES, world.request_count // 20 + 1))
            statuses = _statuses(server)
            if done.returncode != 0:
                faults.append(done.stdout[-1_500:])
            if statuses.total() >= world.request_count or not server.is_running():
                break
        asked = outcome_of(server)
        running = server.is_running()
    wrong = sum(n for status, n in statuses.items() if int(status) >= FIRST_SERVER_FAULT)
    enough = statuses.total() >= world.request_count
    return Finding(
        not wrong and not faults and enough and running and asked == "200",
        f"{statuses.total()} requests, {wrong} of them got a 5xx; rounds with faults: "
        f"{len(faults)}; a question then got {asked}",
        {"statuses": dict(sorted(statuses.items())), "faults": faults[:3]},
    )


def hostile_documents(world: World) -> Finding:
    """Each is added as text or refused in words; the next document is added and found."""
    index = world.copy_of_index("hostile")
    seen = _Hostilities()
    with world.server(index) as server, server.client() as client:

        @settings(
            max_examples=-(-world.document_count // FILES_AT_ONCE),
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(hostile_files(), min_size=FILES_AT_ONCE, max_size=FILES_AT_ONCE))
        def send(files: list[HostileFile]) -> None:
            for some in _bodies(files):
                seen.send(client, some)
            seen.check_next(client)

        send()
        asked = outcome_of(server)
        memory = server.resident_megabytes()
        running = server.is_running()
    fine = not seen.faults and running and asked == "200"
    return Finding(
        fine and seen.files >= world.document_count,
        f"{seen.files} files: {dict(seen.statuses)}, {seen.read} documents read out of them, "
        f"{seen.refused} things in them refused in words; then the next document was added and "
        f"found each time; a question got {asked}; faults: {seen.faults[:3] or 'none'}",
        {"rss_mb": round(memory, 1)},
    )


class _Hostilities:
    """What became of hostile files."""

    def __init__(self) -> None:
        self.files = self.read = self.refused = self.rounds = 0
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []

    def send(self, client: httpx.Client, files: list[HostileFile]) -> None:
        parts = [("files", (file.name, file.content)) for file in files]
        answer = client.post("/api/documents", files=parts)
        self.files += len(files)
        self.statuses[answer.status_code] += 1
        if answer.status_code != TAKEN:
            if answer.status_code not in REFUSED:
                self.faults.append(f"{answer.status_code}: {answer.text[:200]}")
            return
        job = finished(client, answer.json()["job"])
        self.read += int(str(job["read"]))
        self.refused += int(str(job["error_count"]))
        if "inside the server" in str(job["errors"]):
            self.faults.append(str(job["errors"])[:300])

    def check_next(self, client: httpx.Client) -> None:
        """Add a good document and find it."""
        self.rounds += 1
        text = f"The good document of round {self.rounds}."
        body = {"id": f"good-{self.rounds % 10}", "text": text}
        job = finished(client, client.post("/api/documents", json=body).json()["job"])
        found = client.post("/api/search", json={"query": text, "k": 1})
        if job["state"] != "done" or found.status_code != OK or not found.json()["hits"]:
            self.faults.append(f"round {self.rounds}: {job}, search {found.status_code}")


def _bodies(files: list[HostileFile]) -> list[list[HostileFile]]:
    """The small files as one request, and each large one by itself, as a body is bounded."""
    small = [file for file in files if len(file.content) < 2**20]
    large = [[file] for file in files if len(file.content) >= 2**20]
    return [*([small] if small else []), *large]


def _round(server: RunningServer, seed: int, examples: int) -> "subprocess.CompletedProcess[str]":
    command = [str(SCHEMATHESIS), "run", f"{server.address}/openapi.json", f"--seed={seed}"]
    command.append(f"--max-examples={examples}")
    return subprocess.run(  # noqa: S603 - our own program
        [*command, *COMMON],
        capture_output=True,
        text=True,
        check=False,
        timeout=ROUND_SECONDS,
        cwd=server.log.parent,  # it leaves files where it runs
    )


def _statuses(server: RunningServer) -> Counter[str]:
    """How often the server answered with each status."""
    with server.client() as client:
        text = client.get("/metrics").text
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        if family.name == "xorag_requests":
            for sample in family.samples:
                if sample.name == "xorag_requests_total":
                    found[sample.labels["status"]] += int(sample.value)
    return found
