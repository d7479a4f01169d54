"""Whether vLLM with xorag's plugin judges and answers as this process: `make test-vllm`.

Makes a tiny random reader with experts, merged; starts vLLM on it, which loads the plugin; and
compares, after text and after soft tokens, each row's tokens and the log-probabilities of all
reflection tokens, and the answers of mode openrag with each gate. Prints JSON; exits with 1 if a
token or an answer differs, or a log-probability by more than 0.001.
"""

import argparse
import copy
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from benchmarks.vllm_server import NAME, Starting, versions_of, vllm_serving
from tests.generation.tiny_tokenizers import byte_level
from xorag.artifact.manifest import Manifest
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import base_model_shape
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import end_ids_of
from xorag.generation.judging import Judge
from xorag.generation.judging_notes import Written
from xorag.generation.judging_prompts import JudgingPrompts, Paragraph
from xorag.generation.judging_protocol import Rows
from xorag.generation.judging_rows import RowModel
from xorag.generation.judging_sharing import Row
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context
from xorag.generation.reader.experts import Experts
from xorag.generation.reader.merging import save_merged
from xorag.generation.reader.opening import open_reader
from xorag.generation.reader.parts import ReaderParts
from xorag.generation.reader.remote import open_remote_reader
from xorag.generation.reader.tokens import ends
from xorag.generation.vllm_client import Server
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_rows import RemoteRows
from xorag.generation.vllm_served import ServedNames
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_state, upcycle
from xorag.pipeline.openrag import Found, OpenRag
from xorag.pipeline.options import checked
from xorag.pipeline.watching import Onlooker
from xorag.reflection.vocabulary import ReflectionVocabulary, add_reflection_tokens
from xorag.runtime.loading import LanguageModel
from xorag.types import Answer, Form, GateKind, Hit, Passage, ReflectionToken

# Heads are 64 wide: vLLM's kernels for CPUs know no narrower ones.
HIDDEN, HEADS, IN_DIM, CONTEXT, NEW_TOKENS, TOLERANCE = 128, 2, 12, 512, 16, 1e-3
CPU = torch.device("cpu")
QUESTIONS = tuple(f"Question {i}: who sailed to river {i * 7}?" for i in range(8))
TEXTS = ("The lighthouse was built in 1853.", "Marie Curie discovered radium, and polonium.")
MARKS = "".join(ReflectionToken)


def main() -> int:
    """Compare, print what was found, and give the exit code."""
    given = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given.reader or f"{scratch}/reader")
        if not folder.exists():
            make_reader(folder)
        start = time.perf_counter()
        starting = Starting(given.server_python or "", given.port, given.start_seconds, CONTEXT)
        with (
            nullcontext(given.base_url)
            if given.base_url
            else vllm_serving(starting, folder / "model", Path(scratch))
        ) as url:
            started = time.perf_counter() - start
            compared = [_compare(url, folder, form) for form in (Form.TEXT, Form.TOKEN)]
            versions = versions_of(url)
    is_same = all(row["is_same"] for row in compared)
    found = {"versions": versions, "start_seconds": round(started, 1), "compared": compared}
    print(json.dumps({"is_same": is_same, **found}, indent=2))
    return 0 if is_same else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-python", help="of an environment with vLLM and xorag")
    parser.add_argument("--base-url", help="of a server that runs on the model in --reader")
    parser.add_argument("--reader", help="folder for the tiny reader; unset, a temporary one")
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--start-seconds", type=float, default=900.0, help="longest wait")
    given = parser.parse_args()
    if not given.server_python and not (given.base_url and given.reader):
        parser.error("give --server-python, or --base-url and --reader")
    return given


def make_reader(folder: Path) -> None:
    """Write a merged reader of random weights, which likes to write reflection tokens."""
    tokenizer = byte_level()
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        initializer_range=0.4,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model: PreTrainedModel = LlamaForCausalLM(config)
    shape = base_model_shape(model, NAME)
    vocabulary = add_reflection_tokens(tokenizer, model)
    rows = list(vocabulary.ordered_ids)
    with torch.no_grad():
        for layer in ends(model):
            layer.weight[rows] = torch.randn(len(rows), HIDDEN) * 0.6
    options = ExpertOptions(experts=4, width=16)
    with_experts = copy.deepcopy(model)
    upcycle(with_experts, options)
    drawn = {k: torch.randn_like(v) * 0.3 for k, v in expert_state(with_experts).items()}
    parts = ReaderParts(
        LanguageModel(model, tokenizer, NAME),
        Experts(options, drawn),
        vocabulary,
        Manifest(kind="reader", base_model=shape),
    )
    save_merged(folder, parts, origin="chance")


def _compare(url: str, folder: Path, form: Form) -> dict[str, Any]:
    here = open_reader(folder, device=CPU, dtype=torch.float32).language
    part = open_remote_reader(folder, device=CPU).language
    encoder = PromptEncoder(here.tokenizer)
    soft, soft_part = _with_projector(here.model), _with_projector(part.model)
    watched = ReflectionVocabulary.of(here.tokenizer).ordered_ids
    remote = RemoteModel(Server(url), soft_part, encoder, names=ServedNames(NAME), marks=MARKS)
    there = RemoteRows(remote, watched_ids=watched)
    local = RowModel(soft, end_ids=end_ids_of(here.model, encoder), watched_ids=watched)
    layout = layout_named("openrag", here.tokenizer)
    prompts = JudgingPrompts(encoder, layout)
    expected, _ = _timed(lambda: _rows(local, prompts, form))
    given, seconds = _timed(lambda: _rows(there, prompts, form))
    judges = [
        Judge(m, encoder, layout, rows=rows) for m, rows in ((soft, None), (soft_part, there))
    ]
    ours, theirs = (_answers(judge, form) for judge in judges)
    apart = _apart(expected, given)
    same_tokens = [row.token_ids for row in given] == [row.token_ids for row in expected]
    same_answers = [a.answer for a in theirs] == [a.answer for a in ours]
    judged = sum(len(set(watched) & set(row.token_ids)) for row in given)
    return {
        "reads": form.value,
        "rows": len(given),
        "tokens": sum(len(row.token_ids) for row in given),
        "reflection_tokens_written": judged,
        "same_tokens": same_tokens,
        "logprobs_apart": round(apart, 6),
        "answers": len(theirs),
        "same_answers": same_answers,
        "scores_apart": round(_scores_apart(ours, theirs), 6),
        "server_seconds": round(seconds, 1),
        "is_same": same_tokens and same_answers and apart <= TOLERANCE,
    }


def _with_projector(model: PreTrainedModel) -> SoftTokenModel:
    torch.manual_seed(2)
    return SoftTokenModel(model, Projector(IN_DIM, HIDDEN))


def _contexts(form: Form) -> tuple[Context, ...]:
    drawn = np.random.default_rng(3).normal(size=(len(TEXTS), IN_DIM)).astype(np.float32)
    hits = [
        Hit(Passage(f"p{i}", "", f"Title {i}", text, i), 1.0, embedding=row)
        for i, (text, row) in enumerate(zip(TEXTS, drawn, strict=True))
    ]
    return tuple(Context(hit, form) for hit in hits)


def _rows(rows: Rows, prompts: JudgingPrompts, form: Form) -> list[Written]:
    """What is written after each question with each passage."""
    begun = rows.begin([prompts.question(question, "qa") for question in QUESTIONS])
    asked = [
        Row(i, prompts.read(question, Paragraph((fact,)), "qa", max_tokens=None).prompt)
        for i, question in enumerate(QUESTIONS)
        for fact in _contexts(form)
    ]
    return rows.write(begun, asked, max_new_tokens=NEW_TOKENS)


def _answers(judge: Judge, form: Form) -> list[Answer]:
    """Of mode openrag, with each gate."""
    found: list[Answer] = []
    for gate in GateKind:
        asking = checked(mode="openrag", form=form, gate=gate, k=2, max_new_tokens=NEW_TOKENS)
        found += OpenRag(judge).answer(QUESTIONS, asking, _finder(form), Onlooker())
    return found


def _finder(form: Form) -> Callable[[Sequence[int]], Found]:
    return lambda places: Found([_contexts(form) for _ in places])


def _timed(work: Callable[[], list[Written]]) -> tuple[list[Written], float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _apart(ours: Sequence[Written], theirs: Sequence[Written]) -> float:
    """The most by which a log-probability of a token, written or of reflection, differs."""
    return max(
        abs(a - b)
        for one, other in zip(ours, theirs, strict=True)
        for a, b in zip(_numbers(one), _numbers(other), strict=False)
    )


def _numbers(row: Written) -> list[float]:
    return [*row.logprobs, *(value for step in row.watched for value in step)]


def _scores_apart(ours: Sequence[Answer], theirs: Sequence[Answer]) -> float:
    pairs = [
        (a.critique.score, b.critique.score)
        for one, other in zip(ours, theirs, strict=True)
        for a, b in zip(one.evidence, other.evidence, strict=True)
        if a.critique is not None and b.critique is not None
    ]
    return max(abs(a - b) for a, b in pairs)


if __name__ == "__main__":
    sys.exit(main())
