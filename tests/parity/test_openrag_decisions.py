"""Our read-and-judge loop decides, scores and answers as the published program does."""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from xorag.generation.control import PromptEncoder
from xorag.generation.judging import Begun, Decided, Judge
from xorag.generation.judging import Path as JudgedPath
from xorag.generation.judging_prompts import Paragraph
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context
from xorag.generation.reader.opening import Reader, open_reader
from xorag.pipeline.reading import given_hits
from xorag.reflection.gates import Gate
from xorag.reflection.scoring import Weights, choose_path
from xorag.types import Form, GateKind, Passage, ReflectionToken

BESIDE = Path(__file__).parents[2] / ".." / "shared" / "golden"
GOLDEN = Path(os.environ.get("XORAG_GOLDEN") or BESIDE).resolve() / "openrag"
TOLERANCE = 1e-4
KINDS = {
    "adaptive_retrieval": GateKind.TOKEN,
    "always_retrieve": GateKind.ALWAYS,
    "no_retrieval": GateKind.NEVER,
}
BEFORE, AFTER = "### Instruction:\n", "\n\n### Response:\n"

pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(
        not GOLDEN.is_dir(), reason=f"no golden numbers at {GOLDEN}; set XORAG_GOLDEN"
    ),
]


@cache
def stated() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    return content


def cases(**wanted: object) -> list[dict[str, Any]]:
    """The listed runs, or those of them with the given values."""
    listed: list[dict[str, Any]] = stated()["decision_cases"]
    return [case for case in listed if all(case[k] == v for k, v in wanted.items())]


@cache
def reader() -> Reader:
    return open_reader(
        GOLDEN / "merged",
        device=torch.device("cpu"),
        dtype=torch.float32,
        tokenizer=GOLDEN / "tokenizer",
        attention="eager",
    )


@cache
def judge() -> Judge:
    tokenizer = reader().language.tokenizer
    encoder = PromptEncoder(tokenizer)
    return Judge(reader().language.model, encoder, layout_named("openrag", tokenizer))


def begin(some: list[dict[str, Any]]) -> Begun:
    questions = [case["prompt"].removeprefix(BEFORE).removesuffix(AFTER) for case in some]
    return judge().begin(questions, max_new_tokens=stated()["max_new_tokens"])


def decide(begun: Begun, case: Mapping[str, Any]) -> list[Decided]:
    gate = Gate(KINDS[case["mode"]], case["threshold"] or 0.0)
    return judge().decide(begun, gate, max_new_tokens=stated()["max_new_tokens"])


def weights(case: Mapping[str, Any]) -> Weights:
    given = stated()["weights"]
    return Weights(given["w_rel"], given["w_sup"], given["w_use"], sequence=case["use_seqscore"])


def paragraphs(case: Mapping[str, Any]) -> list[Paragraph]:
    passages = [Passage(str(i), "", "", text, i) for i, text in enumerate(case["evidences"])]
    return [Paragraph((Context(hit, Form.TEXT),)) for hit in given_hits(passages)]


def text_of(path: JudgedPath) -> str:
    """As the published program prints it: without special tokens, with the white space."""
    return str(reader().language.tokenizer.decode(list(path.token_ids), skip_special_tokens=True))


def answer_closed(begun: Begun) -> list[str]:
    paths = judge().answer_closed(
        begun, range(len(begun.questions)), max_new_tokens=stated()["max_new_tokens"]
    )
    return [text_of(path) for path in paths]


def read(begun: Begun, some: list[dict[str, Any]]) -> dict[int, list[JudgedPath]]:
    return judge().read(
        begun,
        {i: paragraphs(case) for i, case in enumerate(some)},
        max_new_tokens=stated()["max_new_tokens"],
        weights=weights(some[0]),
    )


def test_all_cases_are_covered_by_the_modes_below() -> None:
    assert {case["mode"] for case in cases()} == set(KINDS)


def assert_as_published(begun: Begun, some: list[dict[str, Any]]) -> None:
    """Runs that differ in their questions and passages only, asked together."""
    decided = decide(begun, some[0])
    assert [item.gate.retrieved for item in decided] == [case["did_retrieve"] for case in some]
    paths = read(begun, some)
    closed = answer_closed(begun)
    for i, case in enumerate(some):
        if not case["did_retrieve"]:
            assert closed[i] == case["answer"]
            continue
        critiques = [path.critique for path in paths[i] if path.critique]
        scores = [critique.score for critique in critiques]
        assert scores == pytest.approx(case["passage_scores"], abs=TOLERANCE)
        assert [text_of(path) for path in paths[i]] == case["passage_predictions"]
        best = choose_path(critiques)
        assert best is not None
        assert text_of(paths[i][best]) == case["answer"]


@pytest.mark.parametrize("use_seqscore", [True, False])
@pytest.mark.parametrize("mode", list(KINDS))
def test_each_case_decides_answers_and_scores_as_published(
    mode: str, *, use_seqscore: bool
) -> None:
    listed = cases(mode=mode, use_seqscore=use_seqscore)
    assert listed

    for threshold in {case["threshold"] for case in listed}:
        some = cases(mode=mode, use_seqscore=use_seqscore, threshold=threshold)
        assert_as_published(begin(some), some)


@pytest.mark.parametrize("mode", list(KINDS))
def test_a_case_that_is_asked_alone_comes_out_as_published(mode: str) -> None:
    for case in cases(mode=mode, use_seqscore=True)[:3]:
        assert_as_published(begin([case]), [case])


def test_the_gate_reads_the_published_probabilities() -> None:
    for case in cases(mode="adaptive_retrieval", use_seqscore=True):
        begun = begin([case])

        logprobs = torch.tensor(begun.beginnings.watched[0])
        probabilities = dict(zip(ReflectionToken, logprobs.exp().tolist(), strict=True))

        retrieves, refrains = case["p_retrieval"], case["p_no_retrieval"]
        assert probabilities[ReflectionToken.RETRIEVAL] == pytest.approx(retrieves, abs=TOLERANCE)
        assert probabilities[ReflectionToken.NO_RETRIEVAL] == pytest.approx(refrains, abs=TOLERANCE)
        (decided,) = decide(begun, case)
        share = retrieves / (retrieves + refrains)
        assert decided.gate.confidence == pytest.approx(share, abs=TOLERANCE)
