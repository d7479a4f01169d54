"""Our code reads Open-RAG's checkpoints and computes the logits and the loss that it computes."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from xorag.generation.reader.merging import save_merged
from xorag.generation.reader.opening import Reader, open_parts, open_reader
from xorag.generation.reader.parts import Place
from xorag.generation.reader.published import Beside
from xorag.generation.reader.tokens import ends
from xorag.moe.balance import published_balance_loss
from xorag.moe.routing import record_routing

BESIDE = Path(__file__).parents[2] / ".." / "shared" / "golden"
GOLDEN = Path(os.environ.get("XORAG_GOLDEN") or BESIDE).resolve() / "openrag"
TOLERANCE = 1e-4
CPU = torch.device("cpu")
FORMS = ["merged", "unmerged"]

pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(
        not GOLDEN.is_dir(), reason=f"no golden numbers at {GOLDEN}; set XORAG_GOLDEN"
    ),
]


def published(form: str) -> Reader:
    return open_reader(
        GOLDEN / form,
        device=CPU,
        dtype=torch.float32,
        tokenizer=GOLDEN / "tokenizer",
        attention="eager",
    )


def imported(form: str, folder: Path) -> Reader:
    """The checkpoint after `xorag import`, read from our own files."""
    parts = open_parts(
        GOLDEN / form,
        Place(CPU, torch.float32, "eager"),
        Beside(tokenizer=GOLDEN / "tokenizer"),
    )
    save_merged(folder / form, parts, origin=form)
    return open_reader(folder / form, device=CPU, dtype=torch.float32, attention="eager")


def expected(form: str) -> dict[str, Tensor]:
    name = "merged_expected" if form == "merged" else "unmerged/expected"
    return load_file(GOLDEN / f"{name}.safetensors")


def logits_of(reader: Reader, golden: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Our logits and, by position, whether it is shown."""
    ids = golden["input_ids"]
    mask = golden.get("attention_mask", torch.ones_like(ids))
    with torch.inference_mode():
        logits = reader.language.model(input_ids=ids, attention_mask=mask).logits
    return logits, mask.bool()


def difference(ours: Tensor, theirs: Tensor, mask: Tensor) -> float:
    return float((ours - theirs).abs()[mask].max())


def test_logits_of_the_merged_checkpoint_are_the_published_ones() -> None:
    golden = expected("merged")

    ours, mask = logits_of(published("merged"), golden)

    assert difference(ours, golden["logits"], mask) < TOLERANCE


def test_router_logits_are_the_published_ones() -> None:
    golden, reader = expected("merged"), published("merged")

    with record_routing(reader.language.model) as routing:
        _, mask = logits_of(reader, golden)

    ours = torch.stack(list(routing.logits))
    assert ours.shape == golden["router_logits"].shape
    assert difference(ours, golden["router_logits"], mask.reshape(-1).expand(len(ours), -1)) < (
        TOLERANCE
    )


def test_the_loss_is_the_published_one() -> None:
    golden, reader = expected("merged"), published("merged")
    stated = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))

    with record_routing(reader.language.model) as routing:
        logits, _ = logits_of(reader, golden)

    top_k = json.loads((GOLDEN / "merged" / "config.json").read_text(encoding="utf-8"))["topk"]
    auxiliary = published_balance_loss(routing.logits, top_k)
    nll = functional.cross_entropy(logits[:, :-1].flatten(0, 1), golden["labels"][:, 1:].flatten())
    assert float(auxiliary) == pytest.approx(stated["aux_loss"], abs=TOLERANCE)
    assert float(nll + 0.01 * auxiliary) == pytest.approx(stated["loss_with_aux"], abs=TOLERANCE)


@pytest.mark.parametrize("name", ["logits", "logits_merged"])
def test_logits_of_the_unmerged_checkpoint_are_the_published_ones(name: str) -> None:
    golden = expected("unmerged")

    ours, mask = logits_of(published("unmerged"), golden)

    assert difference(ours, golden[name], mask) < TOLERANCE


def test_the_rows_of_the_new_tokens_are_the_published_ones() -> None:
    golden, reader = expected("unmerged"), published("unmerged")
    ids = sorted(reader.vocabulary.ordered_ids)
    embeddings, head = ends(reader.language.model)

    for name, module in (("new_embed_rows", embeddings), ("new_lm_head_rows", head)):
        assert torch.allclose(module.weight[ids], golden[name], atol=TOLERANCE)


@pytest.mark.parametrize("form", FORMS)
def test_an_imported_checkpoint_computes_the_published_logits(form: str, tmp_path: Path) -> None:
    golden = expected(form)

    ours, mask = logits_of(imported(form, tmp_path), golden)

    assert difference(ours, golden["logits"], mask) < TOLERANCE
