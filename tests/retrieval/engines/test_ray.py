"""An index that is built on Ray holds the rows of one built here, also when an actor is killed."""

import json
from pathlib import Path

import pytest

from tests.retrieval.engines.test_processes import assert_same_rows
from tests.retrieval.fake_encoder import FakeEncoder, FakeSource
from xorag.data.readers import read_documents
from xorag.errors import SourceError
from xorag.retrieval import ray_ingest
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index, fill_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.ray_ingest import RayEngine, RayOptions, Sources, build_on_ray
from xorag.retrieval.store import IndexSettings

pytest.importorskip("ray.data", reason="the extra ray is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray warns of what is its own
]
ON_RAY = RayOptions(workers=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of 300 documents."""
    (tmp_path / "sources").mkdir()
    for file in range(2):
        lines = (
            json.dumps({"id": f"f{file}-{i}", "text": f"A dog number {i} barks."})
            for i in range(300)
        )
        text = "\n".join(lines).replace("number 250 barks", "number 250 is deadly")
        (tmp_path / "sources" / f"{file}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other work on the test machine shall not make Ray kill workers."""
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "0")


def test_ray_builds_the_same_index_and_goes_on_with_it(folder: Path, encoder: Encoder) -> None:
    sources, options = folder / "sources", IngestOptions(chunk_tokens=60)
    build_index(read_documents([sources]), folder / "here", encoder, options)

    half = Sources([sources / "0.jsonl"])
    first = build_on_ray(half, folder / "ray", encoder.spec, options, ON_RAY)
    second = build_on_ray(Sources([sources]), folder / "ray", encoder.spec, options, ON_RAY)

    assert_same_rows(folder / "ray", folder / "here")
    assert (first.added, second.added, second.unchanged) == (300, 300, 300)
    assert 0 < first.start_seconds < first.seconds


def test_a_killed_actor_costs_a_retry_and_no_row(folder: Path) -> None:
    marker, encoder = folder / "alive", FakeEncoder()
    options, settings = IngestOptions(), IndexSettings(60)
    build_index(read_documents([folder / "sources"]), folder / "here", encoder, options)
    marker.touch()

    with ray_ingest._cluster(ON_RAY):
        source = FakeSource(marker)
        sources = Sources([folder / "sources"])
        engine = RayEngine(source, settings, sources, ON_RAY)  # type: ignore[arg-type]  # a double
        fill_index(
            folder / "ray",
            encoder.spec,
            settings,
            options,
            lambda ingest: engine.encode(ingest, is_pruned=False),
        )

    assert not marker.exists()
    assert_same_rows(folder / "ray", folder / "here")


def test_the_error_of_a_reader_comes_up_as_its_own(folder: Path, encoder: Encoder) -> None:
    (folder / "sources" / "2.jsonl").write_text('{"text": 7}\n', encoding="utf-8")

    with pytest.raises(SourceError, match=r"2\.jsonl, line 1"):
        build_on_ray(
            Sources([folder / "sources"]), folder / "ray", encoder.spec, IngestOptions(), ON_RAY
        )
