"""A disk that gets full, under the index and under the uploads."""

import errno
import shutil
from pathlib import Path

import httpx

from benchmarks.fault_world import Finding, World, finished, outcome_of, small_disk
from xorag.retrieval.index import PassageIndex

DISK_IS_FULL = 507
BLOCK = 2**14
TEXT = "The river is the Seine, and the author is number {number}. "


def full_index_disk(world: World) -> Finding:
    """The addition fails and says that the disk is full; nothing that was there is lost.

    Questions are answered meanwhile, and with room again the next addition is done.
    """
    with small_disk(world.folder / "small-index", "8m") as disk:
        index = disk / "index"
        shutil.copytree(world.index, index)
        before = PassageIndex.open(index).passage_count()
        with world.server(index) as server, server.client() as client:
            filler = disk / "filler"
            _fill(filler)
            failed = _add(client, 0)
            asked = outcome_of(server)
            filler.unlink()
            again = _add(client, 1)
            after = PassageIndex.open(index).passage_count()
    said = str(failed["errors"])
    held = failed["state"] == "failed" and "disk is full" in said and asked == "200"
    return Finding(
        held and again["state"] == "done" and after > before,
        f"the addition was {failed['state']} ({said[:160]}); a question then got {asked}; with "
        f"room again an addition was {again['state']}; passages before {before}, after {after}",
    )


def full_upload_disk(world: World) -> Finding:
    """The upload is refused with 507, and questions are answered."""
    with small_disk(world.folder / "small-uploads", "1m") as disk:
        index = world.copy_of_index("uploads")
        with (
            world.server(index, environment={"TMPDIR": str(disk)}) as server,
            server.client() as client,
        ):
            large = ("large.txt", b"a word " * 400_000)
            refused = client.post("/api/documents", files={"files": large})
            asked = outcome_of(server)
            small = client.post("/api/documents", files={"files": ("small.txt", b"a word")})
            job = finished(client, small.json()["job"])
        left = list(disk.glob("xorag-upload-*"))
    return Finding(
        refused.status_code == DISK_IS_FULL
        and asked == "200"
        and job["state"] == "done"
        and not left,
        f"the upload got {refused.status_code}; a question then got {asked}; a smaller upload was "
        f"{job['state']}; uploads left behind: {len(left)}",
    )


def _fill(filler: Path) -> None:
    """Take what is left of a disk."""
    with filler.open("wb", buffering=0) as output:
        try:
            while output.write(b"\0" * BLOCK):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def _add(client: httpx.Client, number: int) -> dict[str, object]:
    """Add a document of some length; gives the job when it is done."""
    text = "".join(TEXT.format(number=f"{number} {part}") for part in range(2_000))
    taken = client.post("/api/documents", json={"id": f"large-{number}", "text": text})
    return finished(client, taken.json()["job"])
