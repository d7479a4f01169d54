"""A judge whose rows a server writes judges as one that computes here."""

from collections.abc import Iterator

import pytest

from tests.generation.test_judging_rows import BEGINNINGS, END_IDS, NEW, assert_same, rows
from tests.generation.tiny_judges import (
    POSITIONS,
    QUESTIONS,
    TEXTS,
    make_judge,
    make_reader,
    paragraph,
    watched_ids,
)
from tests.generation.vllm.stub_server import Stub, serving
from xorag.errors import PromptTooLongError
from xorag.generation.judging import Begun, Judge, Path
from xorag.generation.judging_notes import Written
from xorag.generation.judging_rows import RowModel
from xorag.generation.layouts import layout_named
from xorag.generation.vllm_client import Server
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_rows import RemoteRows
from xorag.reflection.gates import Gate
from xorag.types import GateKind, Prompt

EACH = {0: [paragraph(text) for text in TEXTS], 2: [paragraph(TEXTS[0])]}


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    model, encoder = make_reader()
    with serving(Stub(model, encoder.tokenizer)) as stub:
        yield stub


def remote_model(stub: Stub) -> RemoteModel:
    model, encoder = make_reader()
    return RemoteModel(Server(stub.url, wait_seconds=(0.01,)), model, encoder)


def remote_judge(stub: Stub) -> Judge:
    model, encoder = make_reader()
    return Judge(
        model,
        encoder,
        layout_named("openrag", encoder.tokenizer),
        rows=RemoteRows(remote_model(stub), watched_ids=watched_ids()),
    )


def write_there(stub: Stub, first_id: int | None = None) -> list[Written]:
    remote = remote_model(stub)
    remote.end_ids = END_IDS
    writer = RemoteRows(remote, watched_ids=watched_ids())
    beginnings = writer.begin([Prompt(ids) for ids in BEGINNINGS])
    return writer.write(beginnings, rows(), max_new_tokens=NEW, first_id=first_id)


def write_here(first_id: int | None = None) -> list[Written]:
    writer = RowModel(make_reader()[0], end_ids=END_IDS, watched_ids=watched_ids())
    beginnings = writer.begin([Prompt(ids) for ids in BEGINNINGS])
    return writer.write(beginnings, rows(), max_new_tokens=NEW, first_id=first_id)


def test_a_server_writes_the_rows_of_this_process(stub: Stub) -> None:
    assert_same(write_there(stub), write_here())


def test_a_token_put_first_is_judged_and_gone_on_from_as_here(stub: Stub) -> None:
    first_id = watched_ids()[4]

    there = write_there(stub, first_id)

    assert {row.token_ids[0] for row in there} == {first_id}
    assert_same(there, write_here(first_id))


def begin(judge: Judge) -> Begun:
    return judge.begin(QUESTIONS, max_new_tokens=NEW)


def assert_same_paths(there: list[Path], here: list[Path]) -> None:
    for a, b in zip(there, here, strict=True):
        assert a.token_ids == b.token_ids
        assert a.generation.text == b.generation.text
        assert a.prompt_tokens == b.prompt_tokens
        assert a.critique is not None
        assert b.critique is not None
        assert a.critique.score == pytest.approx(b.critique.score, abs=1e-3)
        assert a.critique.relevance == pytest.approx(b.critique.relevance, abs=1e-3)


@pytest.mark.parametrize("kind", [GateKind.TOKEN, GateKind.MEANP])
def test_a_gate_decides_alike(stub: Stub, kind: GateKind) -> None:
    here, there = make_judge(), remote_judge(stub)

    decided = there.decide(begin(there), Gate(kind, 0.5), max_new_tokens=NEW)

    expected = here.decide(begin(here), Gate(kind, 0.5), max_new_tokens=NEW)
    assert [item.gate.confidence for item in decided] == pytest.approx(
        [item.gate.confidence for item in expected], abs=1e-3
    )


@pytest.mark.parametrize("as_relevant", [False, True])
def test_passages_are_judged_alike(stub: Stub, *, as_relevant: bool) -> None:
    here, there = make_judge(), remote_judge(stub)

    paths = there.read(begin(there), EACH, max_new_tokens=NEW, as_relevant=as_relevant)

    expected = here.read(begin(here), EACH, max_new_tokens=NEW, as_relevant=as_relevant)
    assert paths.keys() == expected.keys()
    for i in paths:
        assert_same_paths(paths[i], expected[i])


def test_a_passage_too_long_for_the_server_is_cut(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub, "max_model_len", 160)
    judge = remote_judge(stub)

    paths = judge.read(begin(judge), {0: [paragraph(TEXTS[2] * 6)]}, max_new_tokens=NEW)

    assert paths[0][0].cut
    asked = [len(body["prompt"]) for body in stub.seen if body["max_tokens"] == NEW]
    assert POSITIONS > 160 >= asked[-1] + NEW


def test_a_question_too_long_for_the_server_is_refused(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub, "max_model_len", 20)

    with pytest.raises(PromptTooLongError, match="the language model reads 20"):
        begin(remote_judge(stub))


def test_a_question_given_up_ends_after_one_token(stub: Stub) -> None:
    judge = remote_judge(stub)
    begun = judge.begin(QUESTIONS, max_new_tokens=NEW, is_wanted=lambda place: place != 0)

    paths = judge.read(begun, EACH, max_new_tokens=300)

    assert all(0 < len(path.token_ids) < 300 for path in paths[0])
