"""Rows that go on from a shared beginning write what each would write alone."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

from tests.generation.tiny_judges import make_reader, watched_ids, write_alone
from xorag.generation.judging_attention import plain_attention
from xorag.generation.judging_notes import Notes, Written
from xorag.generation.judging_padding import PASS_TOKENS, alike
from xorag.generation.judging_rows import HELD_BYTES, RowModel
from xorag.generation.judging_sharing import Row
from xorag.types import Prompt

FAMILIES = ["llama", "mistral", "qwen3", "gemma2", "gemma3", "phi3"]
BEGINNINGS = ((1, 9, 30, 31, 7), (1, 9, 44), (1, 50, 51, 52, 53, 54, 55, 56))
ENDINGS = ((60, 61), (62,), (63, 64, 65, 66, 67, 68), (70, 71, 72))
NEW = 12
END_IDS = (2, 14, 33, 100, 101, 102, 140, 141, 200, 201)
"""Many, so that tiny random rows end at different times."""


def rows() -> list[Row]:
    """Each beginning with each ending."""
    return [
        Row(i, Prompt((*beginning, *ending)))
        for i, beginning in enumerate(BEGINNINGS)
        for ending in ENDINGS
    ]


def write(
    model: PreTrainedModel,
    some: Sequence[Row],
    *,
    batch_tokens: int = 4096,
    held_bytes: int = HELD_BYTES,
) -> list[Written]:
    writer = RowModel(
        model,
        end_ids=END_IDS,
        watched_ids=watched_ids(),
        batch_tokens=batch_tokens,
        held_bytes=held_bytes,
    )
    beginnings = writer.begin([Prompt(ids) for ids in BEGINNINGS])
    return writer.write(beginnings, some, max_new_tokens=NEW)


def assert_same(ours: Sequence[Written], theirs: Sequence[Written]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert a.token_ids == b.token_ids
        assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)
        assert (a.end_logprob is None) == (b.end_logprob is None)
        for step, expected in zip(a.watched, b.watched, strict=True):
            assert step == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_write_what_each_writes_alone(family: str) -> None:
    model, _ = make_reader(family)
    alone = [write_alone(model, row.prompt.token_ids, END_IDS, tokens=NEW) for row in rows()]

    together = write(model, rows())

    assert_same(together, alone)


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_in_blocks_writes_the_same(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = make_reader(family, attn_logit_softcapping=None)  # a model of its own: it is changed
    as_it_was = write(model, rows())
    monkeypatch.setattr("xorag.generation.judging_attention._BLOCK", 2)
    AttentionInterface.register("in_blocks", plain_attention)
    AttentionMaskInterface.register("in_blocks", eager_mask)
    model.set_attn_implementation("in_blocks")

    assert_same(write(model, rows()), as_it_was)


@pytest.mark.parametrize("batch_tokens", [1, 100, 150])
@pytest.mark.parametrize("held_bytes", [0, 30_000, HELD_BYTES])
def test_small_batches_write_the_same(batch_tokens: int, held_bytes: int) -> None:
    model, _ = make_reader()

    parted = write(model, rows(), batch_tokens=batch_tokens, held_bytes=held_bytes)

    assert_same(parted, write(model, rows()))


def test_rows_read_in_parts_of_like_length_write_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = make_reader()
    together = write(model, rows())
    monkeypatch.setattr("xorag.generation.judging_padding.PASS_TOKENS", 0)

    assert_same(write(model, rows()), together)


@given(
    lengths=st.lists(st.integers(1, 900), min_size=1, max_size=9),
    most=st.integers(1, 9000),
)
def test_parts_hold_all_rows_in_order_and_cost_the_least(lengths: list[int], most: int) -> None:
    lengths = sorted(lengths)

    parts = alike(lengths, most)

    assert [i for part in parts for i in part] == list(range(len(lengths)))
    allowed = [
        each for each in all_parts(lengths) if all(fits(part, lengths, most) for part in each)
    ]
    assert cost_of(parts, lengths) == min(cost_of(each, lengths) for each in allowed)
    assert parts in allowed


def fits(part: list[int], lengths: list[int], most: int) -> bool:
    """Whether the rows of a part, padded, are few enough tokens, or one."""
    return len(part) == 1 or len(part) * max(lengths[i] for i in part) <= most


def cost_of(parts: list[list[int]], lengths: list[int]) -> int:
    return sum(PASS_TOKENS + len(part) * max(lengths[i] for i in part) for part in parts)


def all_parts(lengths: list[int]) -> Iterator[list[list[int]]]:
    """Every way to part the places, in their order."""
    places = range(1, len(lengths))
    for count in range(len(lengths)):
        for cuts in combinations(places, count):
            yield [list(range(a, b)) for a, b in pairwise([0, *cuts, len(lengths)])]


def test_rows_share_only_the_tokens_that_they_begin_with() -> None:
    model, _ = make_reader()
    unlike = [Row(0, Prompt((1, 9, 77, 78))), Row(2, Prompt((5, 6))), Row(1, Prompt((1, 9)))]
    alone = [write_alone(model, row.prompt.token_ids, END_IDS, tokens=NEW) for row in unlike]

    together = write(model, unlike)

    assert_same(together, alone)


@pytest.mark.parametrize("family", ["mistral", "gemma3"])
def test_a_model_that_sees_a_window_writes_what_each_row_writes_alone(family: str) -> None:
    model, _ = make_reader(family, sliding_window=8)
    alone = [write_alone(model, row.prompt.token_ids, END_IDS, tokens=NEW) for row in rows()]

    together = write(model, rows())

    assert_same(together, alone)


def test_what_all_rows_go_on_with_is_read_once_a_beginning() -> None:
    model, _ = make_reader()
    same = (77, 78)
    longer = [
        Row(i, Prompt((*begun, *same, *end)))
        for i, begun in enumerate(BEGINNINGS)
        for end in ENDINGS
    ]
    alone = [write_alone(model, row.prompt.token_ids, END_IDS, tokens=NEW) for row in longer]
    reader = RowModel(model, end_ids=END_IDS, watched_ids=watched_ids())
    begun = reader.begin([Prompt(tuple(ids)) for ids in BEGINNINGS])

    further = reader.read_on(begun, same)

    assert [prompt.token_ids for prompt in further.prompts] == [(*ids, *same) for ids in BEGINNINGS]
    assert_same(reader.write(further, longer, max_new_tokens=NEW), alone)
    whole = reader.begin(further.prompts)
    for ours, theirs in zip(further.watched, whole.watched, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("family", ["mistral", "gemma3"])
def test_a_model_that_sees_a_window_reads_nothing_on_past_it(family: str) -> None:
    model, _ = make_reader(family, sliding_window=4)
    reader = RowModel(model, end_ids=END_IDS, watched_ids=watched_ids())
    begun = reader.begin([Prompt(tuple(ids)) for ids in BEGINNINGS])

    assert reader.read_on(begun, [77, 78]) is begun


def test_one_token_is_written_without_another_pass() -> None:
    model, _ = make_reader()
    reader = RowModel(model, end_ids=END_IDS, watched_ids=watched_ids())
    begun = reader.begin([Prompt(tuple(ids)) for ids in BEGINNINGS])
    passes: list[object] = []
    hook = model.register_forward_pre_hook(lambda *_: passes.append(None))

    written = reader.write(begun, rows(), max_new_tokens=1)
    hook.remove()

    assert len(passes) == 1
    assert all(len(item.watched) == 1 for item in written)


def test_a_beginning_is_read_once_and_ended_rows_leave_the_batch() -> None:
    model, _ = make_reader()
    shapes: list[tuple[int, int]] = []

    def note(_module: object, _inputs: object, named: dict[str, Any]) -> None:
        given = named.get("input_ids")
        given = named["inputs_embeds"] if given is None else given
        shapes.append((given.shape[0], given.shape[1]))

    hook = model.register_forward_pre_hook(note, with_kwargs=True)
    written = write(model, rows())
    hook.remove()

    beginnings, endings, *steps = shapes
    assert beginnings == (len(BEGINNINGS), max(map(len, BEGINNINGS)))
    assert endings == (len(rows()), max(map(len, ENDINGS)))
    alive = [count for count, _ in steps]
    lengths = [len(item.token_ids) + (item.end_logprob is not None) for item in written]
    assert alive == [sum(n > step for n in lengths) for step in range(1, max(lengths))]
    assert alive[-1] < alive[0]


@settings(max_examples=30)
@given(
    texts=st.lists(st.lists(st.integers(3, 19), max_size=6), min_size=1, max_size=6),
    width=st.integers(20, 24),
)
def test_notes_keep_each_rows_tokens_apart_however_rows_end(
    texts: list[list[int]], width: int
) -> None:
    end = 2
    scripts = [[*text, end] for text in texts]
    notes, alive = Notes(len(scripts), [end], [0, end]), list(range(len(scripts)))
    said = [0] * len(scripts)

    while alive:
        logits = torch.full((len(alive), width), -5.0)
        for place, row in enumerate(alive):
            logits[place, scripts[row][said[row]]] = 5.0
            said[row] += 1
        ids, moves = notes.note(logits)
        for place, mover in zip(moves.places, moves.movers, strict=True):
            alive[place] = alive[mover]
        alive = alive[: moves.count]
        assert ids.tolist() == [scripts[row][said[row] - 1] for row in alive]

    written = notes.written()
    assert [list(row.token_ids) for row in written] == texts
    assert all(len(row.watched) == len(row.token_ids) + 1 for row in written)
    assert all(row.end_logprob is not None for row in written)
