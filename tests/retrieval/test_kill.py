"""A run that is killed outright leaves an index that can be read and gone on with."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.types import Document

COUNT = 600
BATCH = 1_000
PROGRAM = """
import sys
from pathlib import Path
from tests.retrieval.test_kill import BATCH, make_documents
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions

encoder = Encoder.open(sys.argv[1], device="cpu")
tell = lambda progress: print(progress.passages, flush=True)
options = IngestOptions(batch_characters=BATCH)
build_index(make_documents(), Path(sys.argv[2]), encoder, options, tell)
"""


def make_documents() -> list[Document]:
    return [Document(f"d{i}", f"T{i}", f"Emma wrote novel number {i}.") for i in range(COUNT)]


def start(encoder_folder: Path, directory: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(encoder_folder), str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def kill_after(process: "subprocess.Popen[str]", passages: int) -> int:
    """Kill a run once it has told that so many passages are encoded; returns what it told last."""
    told = 0
    with process:
        for line in process.stdout or ():
            told = int(line)
            if told >= passages:
                break
        process.send_signal(signal.SIGKILL)
    return told


@pytest.mark.parametrize("passages", [40, pytest.param(300, marks=pytest.mark.slow)])
def test_a_killed_run_loses_at_most_its_batch_and_goes_on_when_run_again(
    tmp_path: Path, encoder: Encoder, encoder_folder: Path, passages: int
) -> None:
    directory = tmp_path / "index"
    told = kill_after(start(encoder_folder, directory), passages)

    index = PassageIndex.open(directory)
    kept = index.passage_count()
    assert told - 2 * batch_size() <= kept < COUNT
    assert len(index.search_bm25(["emma"], COUNT)[0]) == kept
    assert len(index.search_dense(encoder.encode_queries(["emma"]), COUNT)[0]) == kept

    report = build_index(make_documents(), directory, encoder)

    assert (report.unchanged, report.added) == (kept, COUNT - kept)
    assert report.total_passages == COUNT
    ids = [passage.id for batch in index.stream() for passage in batch.passages]
    assert len(ids) == len(set(ids)) == COUNT


def batch_size() -> int:
    """Documents of a batch."""
    document = make_documents()[-1]
    return BATCH // (len(document.title) + len(document.text)) + 2


def test_an_update_that_is_killed_leaves_each_document_old_or_new(
    tmp_path: Path, encoder: Encoder, encoder_folder: Path
) -> None:
    directory = tmp_path / "index"
    old = [Document(f"d{i}", f"T{i}", "A dog. " * 60) for i in range(COUNT)]
    build_index(old, directory, encoder, IngestOptions(chunk_tokens=60))
    pieces = PassageIndex.open(directory).passage_count() // COUNT
    assert pieces > 1

    kill_after(start(encoder_folder, directory), 200)

    by_document: dict[str, list[str]] = {}
    for batch in PassageIndex.open(directory).stream():
        for passage in batch.passages:
            by_document.setdefault(passage.document_id, []).append(passage.text)
    states = {(len(texts), texts[0].startswith("A dog")) for texts in by_document.values()}
    assert len(by_document) == COUNT
    assert states == {(pieces, True), (1, False)}
