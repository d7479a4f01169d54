"""An index that changes under a server: appended to, replaced, damaged, deleted, restored."""

import shutil
from pathlib import Path

import pytest
import torch

from tests.pipeline.tiny_world import DOCUMENTS, World
from xorag.errors import ArtifactError, IndexMismatchError, IndexNotFoundError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.retrieval.timed import IndexOnDemand
from xorag.serving.following import FollowedIndex
from xorag.types import Document

NEW = Document("madrid", "Madrid", "Madrid is the capital of Spain.")
QUESTION = "What is the capital of Spain?"


@pytest.fixture
def directory(tiny_world: World, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_world.index, tmp_path / "index"))


@pytest.fixture
def index(directory: Path) -> FollowedIndex:
    followed = FollowedIndex(IndexOnDemand(directory, device=torch.device("cpu")))
    followed.open()
    return followed


def found(index: FollowedIndex) -> set[str]:
    """The documents that a search for everything finds."""
    (hits,) = index.find([QUESTION], k=10).hits
    return {hit.passage.document_id for hit in hits}


def build(documents: list[Document], directory: Path, world: World, *, other: bool = False) -> None:
    folder = world.other_encoder if other else world.encoder
    build_index(documents, directory, Encoder.open(str(folder), device="cpu"))


def test_documents_that_are_added_are_found_at_the_next_search(
    index: FollowedIndex, directory: Path, tiny_world: World
) -> None:
    before = found(index)

    build([NEW], directory, tiny_world)

    assert found(index) == before | {"madrid"}
    assert index.count().documents == len(DOCUMENTS) + 1


def test_an_index_that_is_held_stays_at_its_version_until_it_is_let_go(
    index: FollowedIndex, directory: Path, tiny_world: World
) -> None:
    before = found(index)

    with index.held():
        build([NEW], directory, tiny_world)
        during = found(index)

    assert during == before
    assert found(index) == before | {"madrid"}


def test_a_directory_that_is_replaced_is_read_anew_with_the_encoder_that_is_open(
    index: FollowedIndex, directory: Path, tiny_world: World
) -> None:
    assert "emma" in found(index)
    encoder = index.encoder()

    build([NEW], directory.parent / "next", tiny_world)
    shutil.rmtree(directory)
    (directory.parent / "next").rename(directory)

    assert found(index) == {"madrid"}
    assert index.encoder() is encoder


def test_an_index_of_another_encoder_in_its_place_is_refused_until_the_first_is_back(
    index: FollowedIndex, directory: Path, tiny_world: World
) -> None:
    kept = directory.rename(directory.parent / "kept")
    build([NEW], directory, tiny_world, other=True)

    with pytest.raises(IndexMismatchError):
        found(index)

    shutil.rmtree(directory)
    kept.rename(directory)
    assert "emma" in found(index)


def test_a_deleted_index_is_told_of_and_found_again_when_it_is_back(
    index: FollowedIndex, directory: Path
) -> None:
    kept = directory.rename(directory.parent / "kept")

    with pytest.raises(IndexNotFoundError):
        found(index)

    kept.rename(directory)
    assert "emma" in found(index)


def test_files_that_are_cut_short_are_an_error_of_the_index_and_not_of_the_server(
    index: FollowedIndex, directory: Path, tmp_path: Path
) -> None:
    whole = shutil.copytree(directory, tmp_path / "whole")
    for path in directory.rglob("*.lance"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:20])
    for path in directory.rglob("*.manifest"):
        path.write_bytes(path.read_bytes()[:20])
    (directory / "manifest.json").touch()

    with pytest.raises(ArtifactError):
        found(index)

    shutil.rmtree(directory)
    Path(whole).rename(directory)
    assert "emma" in found(index)
