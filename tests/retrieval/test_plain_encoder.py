"""Queries encoded without sentence-transformers are what it makes of them."""

import ast
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xorag
from tests.retrieval.tiny_encoders import save_encoder
from xorag.artifact.manifest import EncoderSpec
from xorag.errors import IndexMismatchError, ModelNotFoundError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.families import EncoderOptions
from xorag.retrieval.plain_encoder import PlainEncoder, open_plain_encoder
from xorag.retrieval.plain_files import plain_files
from xorag.retrieval.timed import open_named_encoder
from xorag.runtime.packages import DEFAULT_ENCODER, PACKAGED

QUERIES = [
    "who wrote emma ?",
    "",
    "Paris",
    "emma jane austen " * 120,
    *(f"q {i}" for i in range(40)),
]
Edit = Callable[[Any], object]


def plain(spec: EncoderSpec) -> PlainEncoder:
    opened = open_plain_encoder(spec, "cpu")
    assert opened is not None
    return opened


@pytest.fixture
def folder(encoder_folder: Path, tmp_path: Path) -> Path:
    """A copy of an encoder, to be changed."""
    return Path(shutil.copytree(encoder_folder, tmp_path / "encoder"))


def edit(path: Path, change: Edit) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("normalize", [True, False])
def test_queries_get_the_embeddings_of_sentence_transformers(
    tmp_path: Path, pooling: str, *, normalize: bool
) -> None:
    folder = save_encoder(
        tmp_path, pooling=pooling, normalize=normalize, prompts={"query": "query: "}
    )
    whole = Encoder.open(str(folder), device="cpu")

    found = plain(whole.spec).encode_queries(QUERIES)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, whole.encode_queries(QUERIES), rtol=0, atol=1e-6)


@pytest.mark.parametrize("limit", [None, 16])
def test_queries_are_cut_where_the_files_cut_them(folder: Path, limit: int | None) -> None:
    edit(folder / "sentence_bert_config.json", lambda it: it.update(max_seq_length=limit))
    whole = Encoder.open(str(folder), device="cpu")

    found = plain(whole.spec).encode_queries(QUERIES)

    np.testing.assert_allclose(found, whole.encode_queries(QUERIES), rtol=0, atol=1e-6)


@pytest.mark.skipif(PACKAGED[DEFAULT_ENCODER].find() is None, reason="needs the packaged encoder")
def test_the_default_encoder_is_plain_and_gives_the_same_embeddings() -> None:
    whole = Encoder.open(DEFAULT_ENCODER, device="cpu")

    found = plain(whole.spec).encode_queries(QUERIES[:6])

    np.testing.assert_allclose(found, whole.encode_queries(QUERIES[:6]), rtol=0, atol=1e-6)


def test_no_queries_give_no_embeddings(encoder: Encoder) -> None:
    assert plain(encoder.spec).encode_queries([]).shape == (0, encoder.spec.dimensions)


def test_passages_are_encoded_and_counted_by_sentence_transformers(encoder: Encoder) -> None:
    opened = plain(encoder.spec)

    assert np.array_equal(opened.encode_passages(["emma"]), encoder.encode_passages(["emma"]))
    assert opened.count_tokens(["emma was"]) == encoder.count_tokens(["emma was"])
    assert opened.spec == encoder.spec


def test_a_plain_encoder_is_opened_and_used_without_sentence_transformers(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sentence_transformers", "xorag.retrieval.encoder"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it is an error from here on

    opened = open_named_encoder(encoder.spec, None, None)

    assert len(opened.encode_queries(["emma"])) == 1
    with pytest.raises(ImportError):
        opened.encode_passages(["emma"])


def test_what_asking_imports_does_not_import_sentence_transformers() -> None:
    reached: set[str] = set()
    waiting = {"xorag.pipeline.flow", "xorag.retrieval.index", "xorag.retrieval.search"}
    while waiting:
        reached |= waiting
        waiting = {found for name in waiting for found in imported_at_once_by(name)} - reached

    assert "xorag.retrieval.plain_encoder" in reached
    assert not {name for name in reached if name.startswith("sentence_transformers")}


def imported_at_once_by(name: str) -> set[str]:
    """What one of our modules imports when it is imported itself; none for those of others."""
    place = Path(xorag.__file__).parent.parent.joinpath(*name.split("."))
    files = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
    if not name.startswith("xorag") or not files:
        return set()
    found: set[str] = set()
    for node in ast.parse(files[0].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{item.name}" for item in node.names)}
    return found


def test_other_weights_under_the_same_name_are_refused(
    folder: Path, raw_encoder_folder: Path
) -> None:
    spec = Encoder.open(str(folder), device="cpu").spec
    shutil.copy(raw_encoder_folder / "model.safetensors", folder / "model.safetensors")

    with pytest.raises(IndexMismatchError, match="other weights"):
        open_named_encoder(spec, None, None)


def test_weights_that_cannot_be_read_are_told(folder: Path) -> None:
    spec = Encoder.open(str(folder), device="cpu").spec
    (folder / "model.safetensors").write_bytes(b"cut short")

    with pytest.raises(ModelNotFoundError, match="cannot be loaded"):
        open_named_encoder(spec, None, None)
    with pytest.raises(ModelNotFoundError, match="cannot be loaded"):
        Encoder.open(str(folder), device="cpu")


@pytest.mark.parametrize(
    "options",
    [EncoderOptions(pooling="max"), EncoderOptions(append_eos=True)],
    ids=["another pooling", "an end mark"],
)
def test_what_transformers_alone_does_not_do_is_left_to_sentence_transformers(
    folder: Path, options: EncoderOptions
) -> None:
    if options.append_eos:
        edit(folder / "tokenizer_config.json", lambda it: it.update({"eos_token": "[SEP]"}))
    spec = Encoder.open(str(folder), device="cpu", options=options).spec

    assert open_plain_encoder(spec, "cpu") is None
    assert isinstance(open_named_encoder(spec, None, None), Encoder)


def _add_dense(modules: list[dict[str, Any]]) -> None:
    modules.append({"idx": 3, "path": "3_Dense", "type": "sentence_transformers.models.Dense"})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", lambda it: it.update(model_type="t5")),
        ("config.json", lambda it: it.update(auto_map={"AutoModel": "own.Model"})),
        (
            "tokenizer_config.json",
            lambda it: it.update(auto_map={"AutoTokenizer": ["own.T", None]}),
        ),
        ("modules.json", _add_dense),
        ("modules.json", lambda it: it[0].update(type="own.Transformer")),
        ("modules.json", lambda it: it[0].update(path="0_Transformer")),
        ("modules.json", lambda it: it[1].pop("path")),
        ("1_Pooling/config.json", lambda it: it.update(include_prompt=False)),
        ("sentence_bert_config.json", lambda it: it.update(do_lower_case=True)),
        ("sentence_bert_config.json", lambda it: it.update(query_length=32)),
    ],
)
def test_files_that_ask_for_more_are_not_plain(folder: Path, name: str, change: Edit) -> None:
    assert plain_files(str(folder)) is not None

    edit(folder / name, change)

    assert plain_files(str(folder)) is None


@pytest.mark.parametrize(
    "name", ["modules.json", "sentence_bert_config.json", "1_Pooling/config.json"]
)
def test_a_folder_that_lacks_a_file_or_holds_an_adapter_is_not_plain(
    folder: Path, name: str
) -> None:
    kept = (folder / name).read_text(encoding="utf-8")
    (folder / name).unlink()
    assert plain_files(str(folder)) is None
    (folder / name).write_text(kept[:-2], encoding="utf-8")
    assert plain_files(str(folder)) is None
    (folder / name).write_text(kept, encoding="utf-8")
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")

    assert plain_files(str(folder)) is None
    assert plain_files("intfloat/e5-small-v2") is None
