"""An MLP with experts computes Open-RAG's formula, in every way that a model is used."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.compression.tiny_models import make_model
from tests.moe.tiny_experts import IDS, OPTIONS, make_sparse_model
from xorag.moe.experts import ExpertMLP
from xorag.moe.kernels import Kernel, choose_kernel, mix
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_layers, expert_parameters, upcycle

every_kernel = pytest.mark.parametrize("kernel", list(Kernel))
some_families = pytest.mark.parametrize("family", ["llama-tied", "gemma2", "phi3", "qwen3"])


def make_layer(hidden: int, options: ExpertOptions, kernel: Kernel | None = None) -> ExpertMLP:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    dense = nn.Linear(hidden, hidden).double()
    layer = ExpertMLP(dense, hidden, options, layer=0).double()
    layer.initialize(generator)
    layer.up.data.normal_(generator=generator)
    layer.kernel = kernel
    return layer


def by_the_formula(layer: ExpertMLP, token: Tensor) -> Tensor:
    """Sum over k of w_k (m + s E_k(m)) of one token, as the paper writes it."""
    m = layer.dense(token)
    logits = layer.router @ token
    best = sorted(range(len(logits)), key=lambda e: -float(logits[e]))[: layer.options.top_k]
    total = sum(float(torch.exp(logits[e])) for e in best)
    out = torch.zeros_like(m)
    for e in best:
        expert = layer.up[e].T @ functional.gelu(layer.down[e] @ m)
        out += float(torch.exp(logits[e])) / total * (m + layer.options.scale * expert)
    return out


@settings(max_examples=20)
@given(
    tokens=st.integers(0, 5),
    experts=st.integers(1, 6),
    width=st.integers(1, 5),
    data=st.data(),
)
def test_every_kernel_computes_the_formula(
    tokens: int, experts: int, width: int, data: st.DataObject
) -> None:
    top_k = data.draw(st.integers(1, experts))
    options = ExpertOptions(experts=experts, width=width, top_k=top_k, scale=0.7)
    inputs = torch.randn(tokens, 4, generator=torch.Generator().manual_seed(2)).double()

    for kernel in Kernel:
        layer = make_layer(4, options, kernel)
        with torch.inference_mode():
            given_out = layer(inputs)
            expected = [by_the_formula(layer, token) for token in inputs]

        assert given_out.shape == inputs.shape
        for row, wanted in zip(given_out, expected, strict=True):
            assert torch.allclose(row, wanted, atol=1e-12)


@every_kernel
def test_a_kernel_has_the_gradients_of_the_plain_loop(kernel: Kernel) -> None:
    inputs = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(2)).double()
    gradients = []

    for way in (Kernel.LOOP, kernel):
        layer = make_layer(8, OPTIONS, way)
        read = inputs.clone().requires_grad_()
        layer(read).square().sum().backward()
        gradients.append([read.grad, *(p.grad for p in layer.parameters())])

    for wanted, found in zip(*gradients, strict=True):
        assert wanted is not None
        assert found is not None
        assert torch.allclose(found, wanted, atol=1e-10)


@every_kernel
def test_experts_that_no_token_chose_get_gradients_of_zero_which_ddp_needs(kernel: Kernel) -> None:
    layer = make_layer(8, ExpertOptions(experts=6, width=3, top_k=1), kernel)

    layer(torch.ones(2, 8).double()).sum().backward()

    chosen = int((layer.router @ torch.ones(8).double()).argmax())
    for parameter in (layer.down, layer.up):
        assert parameter.grad is not None
        assert [e for e in range(6) if parameter.grad[e].any()] == [chosen]


@every_kernel
def test_every_shape_of_batch_is_kept(kernel: Kernel) -> None:
    layer = make_layer(8, OPTIONS, kernel)

    for shape in ((8,), (3, 8), (2, 3, 8), (1, 1, 8)):
        assert layer(torch.randn(shape).double()).shape == shape


def test_sorting_is_chosen_where_it_saves_much_and_picking_for_one_token() -> None:
    wide, narrow = ExpertOptions(experts=8, width=512), ExpertOptions(experts=8, width=16)
    dense = ExpertOptions(experts=2, width=16, top_k=2)

    assert choose_kernel(torch.empty(1, 576), narrow) is Kernel.PICKED
    assert choose_kernel(torch.empty(1, 576), dense) is Kernel.ALL
    assert choose_kernel(torch.empty(8, 576), narrow) is Kernel.ALL
    assert choose_kernel(torch.empty(2000, 576), narrow) is Kernel.GROUPED
    assert choose_kernel(torch.empty(2000, 576, dtype=torch.bfloat16), narrow) is Kernel.ALL
    assert choose_kernel(torch.empty(64, 4096, dtype=torch.bfloat16), wide) is Kernel.GROUPED


def test_dropout_acts_in_training_only() -> None:
    layer = make_layer(8, ExpertOptions(experts=4, width=6, dropout=0.5))
    inputs = torch.randn(4, 8).double()

    layer.train()
    torch.manual_seed(0)
    first, second = layer(inputs), layer(inputs)
    layer.train(mode=False)

    assert not torch.equal(first, second)
    assert torch.equal(layer(inputs), layer(inputs))


def test_experts_may_be_of_a_wider_type_than_the_dense_model() -> None:
    layer = make_layer(8, OPTIONS)
    layer.dense.to(torch.bfloat16)
    inputs = torch.randn(4, 8)

    out = layer(inputs.bfloat16())

    assert out.dtype == torch.bfloat16
    assert torch.allclose(out.double(), make_layer(8, OPTIONS)(inputs.double()), atol=0.2)


@every_kernel
def test_autocast_computes_nearly_the_same_and_trains(kernel: Kernel) -> None:
    model = make_sparse_model()
    for layer in expert_layers(model).values():
        layer.kernel = kernel
    plain = model(input_ids=IDS).logits

    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(input_ids=IDS, labels=IDS)

    assert torch.allclose(loss.logits.float(), plain, atol=0.5)
    loss.loss.backward()
    assert all(p.grad is not None for p in expert_parameters(model))


@some_families
def test_generation_with_a_cache_gives_what_reading_everything_anew_gives(family: str) -> None:
    model = make_sparse_model(family)
    ids = IDS
    for _ in range(5):
        with torch.inference_mode():
            ids = torch.cat([ids, model(input_ids=ids).logits[:, -1:].argmax(-1)], dim=1)

    generate: Any = model.generate
    made = generate(
        IDS,
        attention_mask=torch.ones_like(IDS),
        max_new_tokens=5,
        do_sample=False,
        eos_token_id=-1,
        pad_token_id=0,
    )

    assert made.tolist() == ids.tolist()


@some_families
def test_gradient_checkpointing_changes_no_gradient(family: str) -> None:
    plain = make_sparse_model(family).train()
    checkpointed = deepcopy(plain)
    checkpointed.activation_checkpointing_enable()

    for model in (plain, checkpointed):
        model(input_ids=IDS, labels=IDS, use_cache=False).loss.backward()

    for wanted, found in zip(
        expert_parameters(plain), expert_parameters(checkpointed), strict=True
    ):
        assert wanted.grad is not None
        assert found.grad is not None
        assert torch.allclose(found.grad, wanted.grad, atol=1e-5)


@pytest.mark.slow
def test_torch_compile_computes_the_same() -> None:
    model = make_sparse_model()
    with torch.inference_mode():
        plain = model(input_ids=IDS).logits

        # The tracer is what could stumble over the model; generating machine code takes long.
        compiled = torch.compile(model, backend="eager")(input_ids=IDS).logits

    assert torch.allclose(compiled, plain, atol=1e-5)


def test_a_padded_batch_gives_each_row_what_it_gets_alone() -> None:
    model = make_sparse_model()
    padded = torch.tensor([[0, 0, 1, 5, 9], [1, 5, 9, 6, 11]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])

    with torch.inference_mode():
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        together = model(input_ids=padded, attention_mask=mask, position_ids=positions).logits
        alone = model(input_ids=padded[:1, 2:]).logits

    assert torch.allclose(together[0, 2:], alone[0], atol=1e-4)


def test_only_experts_train_where_the_rest_is_frozen() -> None:
    model = make_model("llama")
    model.requires_grad_(requires_grad=False)
    upcycle(model, OPTIONS)

    model(input_ids=IDS, labels=IDS).loss.backward()

    with_gradient = {name for name, p in model.named_parameters() if p.grad is not None}
    assert {name.rsplit(".", 1)[-1] for name in with_gradient} == {"router", "down", "up"}


def test_all_kernels_agree_on_a_tie_between_experts() -> None:
    tokens = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).double()
    down, up = torch.randn(2, 3, 2, 4, generator=torch.Generator().manual_seed(1)).double()
    values, chosen = torch.zeros(5, 3).double().topk(2)

    outs = [mix(way, tokens, values.softmax(-1), chosen, down, up) for way in Kernel]

    assert all(torch.allclose(out, outs[0]) for out in outs)
