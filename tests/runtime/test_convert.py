"""A GGUF file is converted once, whole or not at all, whoever asks."""

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
import torch

from xorag.errors import MissingExtraError, ModelNotFoundError, StorageError
from xorag.runtime import convert
from xorag.runtime.cache import converted_path
from xorag.runtime.convert import convert_gguf
from xorag.runtime.loading import load_language_model


def test_a_converted_model_generates_and_ends_where_the_file_says(tiny_gguf: Path) -> None:
    loaded = load_language_model(
        str(tiny_gguf), device=torch.device("cpu"), dtype=torch.float32, attention="eager"
    )

    assert loaded.tokenizer.encode("abcd") == [11, 12]
    assert loaded.model.generation_config is not None
    assert loaded.model.generation_config.eos_token_id == 2
    assert not loaded.model.training
    assert loaded.model(torch.tensor([[1, 3, 4]])).logits.shape == (1, 3, 13)


def test_a_file_is_converted_once_and_announced_once(tiny_gguf: Path) -> None:
    messages: list[str] = []
    first = convert_gguf(tiny_gguf, "tiny", messages.append)
    written = (first / "config.json").stat().st_mtime_ns

    second = convert_gguf(tiny_gguf, "tiny", messages.append)

    assert second == first
    assert (first / "config.json").stat().st_mtime_ns == written
    assert messages == ["converting tiny once, which takes about half a minute"]


def test_another_file_of_the_same_name_gets_another_folder(tiny_gguf: Path) -> None:
    before = converted_path(tiny_gguf, "tiny")
    with tiny_gguf.open("ab") as stream:
        stream.write(b"more")

    assert converted_path(tiny_gguf, "tiny") != before


def test_conversion_writes_nothing_to_the_terminal(
    tiny_gguf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    convert_gguf(tiny_gguf, "tiny")

    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_no_model_is_refused_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))

    with pytest.raises(ModelNotFoundError, match=r"broken\.gguf' cannot be read as a language"):
        convert_gguf(path, "broken")

    assert [p.suffix for p in (cache / "models").iterdir()] == [".lock"]


def test_a_cache_that_cannot_be_written_is_named(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XORAG_CACHE", str(tmp_path / "file"))

    with pytest.raises(StorageError, match="another directory in XORAG_CACHE"):
        convert_gguf(tiny_gguf, "tiny")


def test_a_missing_gguf_reader_is_named_with_its_extra(
    tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "find_spec", lambda _name: None)

    with pytest.raises(MissingExtraError, match=r"install xorag\[gguf\]"):
        convert_gguf(tiny_gguf, "tiny")


def test_what_a_killed_conversion_left_is_removed_by_the_next(tiny_gguf: Path) -> None:
    target = converted_path(tiny_gguf, "tiny")
    leftover = target.parent / f".{target.name}.partial-killed"
    leftover.mkdir(parents=True)

    convert_gguf(tiny_gguf, "tiny")

    assert not leftover.exists()


def _convert_in_process(path: str, cache: str, fresh: "multiprocessing.Queue[bool]") -> None:
    os.environ["XORAG_CACHE"] = cache
    messages: list[str] = []
    convert_gguf(Path(path), "tiny", messages.append)
    fresh.put(bool(messages))


@pytest.mark.slow
def test_of_two_processes_at_once_one_converts_and_both_succeed(
    tiny_gguf: Path, cache: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    fresh: multiprocessing.Queue[bool] = context.Queue()
    arguments = (str(tiny_gguf), str(cache), fresh)
    processes = [context.Process(target=_convert_in_process, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    converted = [fresh.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()

    assert sorted(converted) == [False, True]


def test_a_folder_with_a_damaged_weight_file_is_refused(tiny_gguf: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(convert_gguf(tiny_gguf, "tiny"), folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])

    with pytest.raises(ModelNotFoundError, match="cannot load a causal language model from"):
        load_language_model(str(folder), device=torch.device("cpu"), dtype=torch.float32)
