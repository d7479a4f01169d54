"""An index that is altered, truncated, deleted or written to twice while a server reads it."""

import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.fault_world import DOCUMENTS, OK, Finding, World, documents, outcome_of
from benchmarks.served import XORAG, RunningServer
from xorag.retrieval.index import PassageIndex

ASKED = 4
RETURN_SECONDS = 10.0
ADDED = 200
PASSES = 40


def altered(world: World) -> Finding:
    """Each question gets an answer or a clean 503 within its deadline.

    The server stays up, and answers again once the index is restored, without a restart.
    """
    return _harmed(world, lambda index: _rewrite(index, _other_bytes))


def truncated(world: World) -> Finding:
    """Each question gets an answer or a clean 503 within its deadline.

    The server stays up, and answers again once the index is restored, without a restart.
    """
    return _harmed(
        world, lambda index: _rewrite(index, lambda content: content[: len(content) // 2])
    )


def deleted(world: World) -> Finding:
    """Each question gets an answer or a clean 503 within its deadline.

    The server stays up, and answers again once the index is restored, without a restart.
    """
    return _harmed(world, shutil.rmtree)


def two_indexers_and_a_reader(world: World) -> Finding:
    """One writer at a time: the other is told so and may try again; nothing is lost.

    A reader never fails and never sees part of a document.
    """
    index = world.copy_of_index("shared")
    with world.server(index) as server:
        indexers = [_Indexer(world, index, DOCUMENTS + part * ADDED) for part in range(2)]
        for indexer in indexers:
            indexer.start()
        seen: Counter[str] = Counter()
        parts = _PartsSeen(index)
        while any(indexer.is_alive() for indexer in indexers):
            seen[outcome_of(server)] += 1
            parts.look()
    held = PassageIndex.open(index)
    wanted = DOCUMENTS + 2 * ADDED
    turned_away = sum(indexer.turned_away for indexer in indexers)
    faults = [indexer.fault for indexer in indexers if indexer.fault]
    fine = set(seen) == {"200"} and not parts.broken and not faults
    return Finding(
        fine and held.document_count() == wanted,
        f"{held.document_count()} of {wanted} documents are in the index; an indexer was told to "
        f"wait {turned_away} times; a reader got {dict(seen)}; documents seen in part: "
        f"{parts.broken}; other faults: {faults or 'none'}",
        {"looks": parts.looks},
    )


class _Indexer(threading.Thread):
    """Indexes documents a few at a time by `xorag index`, trying again while another writes."""

    def __init__(self, world: World, index: Path, first: int) -> None:
        super().__init__()
        self._index = index
        self._source = world.folder / f"part-{first}"
        self._source.mkdir()
        for item in documents(first, ADDED):
            (self._source / f"{item.id}.txt").write_text(item.text)
        self.turned_away = 0
        self.fault = ""

    def run(self) -> None:
        command = [str(XORAG), "index", str(self._source), "--index", str(self._index)]
        for _ in range(PASSES):
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
            if done.returncode == 0:
                return
            if "another process is writing" not in done.stderr:
                self.fault = done.stderr[-300:]
                return
            self.turned_away += 1
            time.sleep(0.2)
        self.fault = f"still turned away after {PASSES} tries"


class _PartsSeen:
    """Whether a reader of the newest version ever sees some passages of a document only."""

    def __init__(self, index: Path) -> None:
        self._index = PassageIndex.open(index)
        self.looks = 0
        self.broken = 0

    def look(self) -> None:
        places: dict[str, set[int]] = {}
        texts: Counter[str] = Counter()
        for batch in self._index.stream():
            for passage in batch.passages:
                places.setdefault(passage.document_id, set()).add(passage.position)
                texts[passage.document_id] += passage.text.count("is number")
        self.looks += 1
        self.broken += sum(
            texts[name] != max(texts.values()) or len(found) != max(found) + 1
            for name, found in places.items()
        )


def _harmed(world: World, harm: Callable[[Path], object]) -> Finding:
    index = world.copy_of_index("harmed")
    with world.server(index) as server:
        before = outcome_of(server)
        harm(index)
        during = Counter(outcome_of(server, f"Who wrote novel {turn}?") for turn in range(ASKED))
        with server.client() as client:
            alive = client.get("/healthz").status_code == OK
            listed = client.get("/api/documents").status_code
        world.copy_of_index("harmed")
        again, seconds = _until_answered(server)
        running = server.is_running()
    clean = set(during) <= {"200", "503"}
    return Finding(
        before == "200" and clean and alive and running and again == "200",
        f"questions got {dict(during)}, the list of documents {listed}, /healthz "
        f"{'200' if alive else 'FAILED'}; {seconds:.1f} s after the index was restored: {again}",
    )


def _until_answered(server: RunningServer) -> tuple[str, float]:
    start = time.monotonic()
    while True:
        again, seconds = outcome_of(server), time.monotonic() - start
        if again == "200" or seconds > RETURN_SECONDS:
            return again, seconds
        time.sleep(0.2)


def _first_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _other_bytes(content: bytes) -> bytes:
    return b"\xff" * len(content)


def _rewrite(index: Path, change: Callable[[bytes], bytes]) -> None:
    """Change all files that hold passages, in place."""
    for path in _data_files(index):
        path.write_bytes(change(path.read_bytes()))


def _data_files(index: Path) -> Iterable[Path]:
    return [path for path in index.rglob("*.lance") if path.is_file()]
