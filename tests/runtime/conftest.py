"""A GGUF file of a tiny random Llama, and a cache that no other test sees."""

from pathlib import Path

import gguf
import numpy as np
import pytest

TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"abcdefgh", "ab", "cd"]
CONTROL, NORMAL = 3, 1
HIDDEN, MLP, HEADS = 32, 64, 2


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("XORAG_CACHE", str(folder))
    return folder


@pytest.fixture
def tiny_gguf(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(1)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([CONTROL] * 3 + [NORMAL] * (len(TOKENS) - 3))
    writer.add_token_merges(["a b", "c d"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    for name, shape in _shapes().items():
        values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes() -> dict[str, tuple[int, ...]]:
    square, block = (HIDDEN, HIDDEN), "blk.0."
    return {
        "token_embd.weight": (len(TOKENS), HIDDEN),
        "output_norm.weight": (HIDDEN,),
        block + "attn_norm.weight": (HIDDEN,),
        block + "ffn_norm.weight": (HIDDEN,),
        block + "attn_q.weight": square,
        block + "attn_k.weight": square,
        block + "attn_v.weight": square,
        block + "attn_output.weight": square,
        block + "ffn_gate.weight": (MLP, HIDDEN),
        block + "ffn_up.weight": (MLP, HIDDEN),
        block + "ffn_down.weight": (HIDDEN, MLP),
    }
