"""Attention by plain products gives what torch's fused attention gives."""

from typing import Any

import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from tests.generation.tiny_judges import make_reader
from xorag.generation.judging_attention import attention_over_short_rows, plain_attention


@pytest.mark.parametrize("is_masked", [True, False])
@pytest.mark.parametrize(("heads", "shared"), [(6, 2), (4, 4), (3, 1)])
def test_plain_products_are_attention(
    heads: int, shared: int, monkeypatch: pytest.MonkeyPatch, *, is_masked: bool
) -> None:
    monkeypatch.setattr("xorag.generation.judging_attention._BLOCK", 2)
    torch.manual_seed(0)
    layer: Any = torch.nn.Module()
    layer.num_key_value_groups = heads // shared
    query = torch.randn(2, 5, heads, 8).transpose(1, 2)
    key, value = torch.randn(2, shared, 9, 8)[:, :, :7], torch.randn(2, shared, 7, 8)
    is_seen = torch.ones(2, 1, 5, 7, dtype=torch.bool).tril(2)
    is_seen[1, :, :, :2] = False
    bias = torch.zeros(is_seen.shape).masked_fill(~is_seen, torch.finfo(torch.float32).min)
    given = bias if is_masked else None

    ours, _ = plain_attention(layer, query, key, value, given, scaling=0.4)

    fused, _ = sdpa_attention_forward(layer, query, key, value, given, scaling=0.4)
    torch.testing.assert_close(ours, fused, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_positions_that_see_nothing_stay_numbers(dtype: torch.dtype) -> None:
    query, key, value = torch.randn(3, 1, 2, 2, 4, dtype=dtype)
    nothing = torch.full((1, 1, 2, 2), torch.finfo(dtype).min, dtype=dtype)

    out, _ = plain_attention(torch.nn.Module(), query, key, value, nothing)

    assert torch.isfinite(out).all()


def test_only_a_model_in_bfloat16_with_fused_attention_is_switched_and_then_back() -> None:
    eager, _ = make_reader("llama", vocab_size=600)  # a model of its own: it is changed
    with attention_over_short_rows(eager):
        assert eager.config._attn_implementation == "eager"
    eager.set_attn_implementation("sdpa")
    with attention_over_short_rows(eager):
        assert eager.config._attn_implementation == "sdpa"
    half = eager.bfloat16()
    with attention_over_short_rows(half):
        assert half.config._attn_implementation == "xorag_short_rows"
    assert half.config._attn_implementation == "sdpa"
