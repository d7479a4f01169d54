"""Router logits are noted on demand, and tell load and loss."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

from tests.compression.tiny_models import make_model
from tests.moe.tiny_experts import IDS, make_sparse_model
from xorag.errors import ExpertError
from xorag.moe.balance import balance_loss, published_balance_loss
from xorag.moe.health import expert_health, health_on
from xorag.moe.options import ExpertOptions
from xorag.moe.routing import record_routing
from xorag.moe.upcycle import expert_layers, expert_parameters

EVEN = torch.eye(4).repeat(2, 1) * 5
MASK = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])


def drawn_logits(seed: int, layers: int, tokens: int, experts: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(3 * torch.randn(tokens, experts, generator=generator) for _ in range(layers))


def test_logits_of_each_layer_are_those_of_the_last_pass() -> None:
    model = make_sparse_model()

    with record_routing(model) as routing:
        model(input_ids=IDS[:, :2])
        model(input_ids=IDS)

    assert routing.layers == (0, 1)
    assert [tuple(logits.shape) for logits in routing.logits] == [(10, 4), (10, 4)]


def test_logits_are_the_router_on_the_input_of_the_mlp() -> None:
    model = make_sparse_model()
    layer = expert_layers(model)[1]
    seen: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))

    with record_routing(model) as routing:
        model(input_ids=IDS)

    hook.remove()
    assert torch.allclose(routing.logits[1], seen[0].flatten(0, 1) @ layer.router.T, atol=1e-6)


def test_nothing_is_noted_after_the_block() -> None:
    model = make_sparse_model()
    with record_routing(model) as routing:
        model(input_ids=IDS)
    noted = routing.logits

    model(input_ids=IDS[:, :2])

    assert all(map(torch.equal, routing.logits, noted))


def test_asking_before_a_pass_is_refused() -> None:
    with (
        record_routing(make_sparse_model()) as routing,
        pytest.raises(ExpertError, match="0 of 2 layers are noted; run the model"),
    ):
        _ = routing.logits


def test_a_dense_model_has_no_routing() -> None:
    with pytest.raises(ExpertError, match="no experts"), record_routing(make_model("llama")):
        pass


def test_a_wrapped_model_is_noted_alike() -> None:
    wrapped = nn.Sequential(make_sparse_model())

    with record_routing(wrapped) as routing:
        wrapped(IDS)

    assert len(routing.logits) == 2


@pytest.mark.parametrize("is_checkpointed", [False, True])
def test_the_balance_loss_trains_the_routers(*, is_checkpointed: bool) -> None:
    model = make_sparse_model().train()
    if is_checkpointed:
        model.activation_checkpointing_enable()

    with record_routing(model) as routing:
        model(input_ids=IDS, use_cache=False)
    loss: Any = balance_loss(routing.logits, 2)
    loss.backward()

    for router in list(expert_parameters(model))[::3]:
        assert router.grad is not None
        assert router.grad.any()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 99),
    layers=st.integers(1, 3),
    tokens=st.integers(1, 12),
    experts=st.integers(2, 8),
    data=st.data(),
)
def test_the_balance_loss_is_that_of_transformers(
    seed: int, layers: int, tokens: int, experts: int, data: st.DataObject
) -> None:
    top_k = data.draw(st.integers(1, experts))
    mask = data.draw(st.lists(st.booleans(), min_size=tokens, max_size=tokens).filter(any))
    logits, shown = drawn_logits(seed, layers, tokens, experts), torch.tensor([mask])
    theirs_of: Any = load_balancing_loss_func

    for ours, theirs in (
        (balance_loss(logits, top_k), theirs_of(logits, experts, top_k)),
        (
            balance_loss(logits, top_k, shown),
            theirs_of(logits, experts, top_k, shown.int()),
        ),
    ):
        assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_an_even_load_costs_top_k_and_a_single_expert_costs_more() -> None:
    collapsed = torch.tensor([[9.0, 0, 0, 0]]).repeat(8, 1)

    assert float(balance_loss([EVEN], 1)) == pytest.approx(1.0)
    assert float(balance_loss([collapsed], 1)) == pytest.approx(4.0, abs=0.01)


@settings(max_examples=30)
@given(seed=st.integers(0, 99), experts=st.integers(2, 8), data=st.data())
def test_the_published_loss_is_a_constant(seed: int, experts: int, data: st.DataObject) -> None:
    top_k = data.draw(st.integers(1, experts))

    loss = published_balance_loss(drawn_logits(seed, 2, 7, experts), top_k)

    assert float(loss) == pytest.approx(experts / top_k, rel=1e-5)


def test_health_of_an_even_load_and_of_a_collapsed_one() -> None:
    collapsed = torch.tensor([[9.0, 1, 0, -1]]).repeat(8, 1)

    even, bad = expert_health([EVEN, collapsed], 1, layers=[3, 7])

    assert (even.layer, even.load, even.dead) == (3, (0.25,) * 4, ())
    assert even.entropy == pytest.approx(1.0)
    assert (bad.layer, bad.load, bad.dead, bad.entropy) == (7, (1.0, 0, 0, 0), (1, 2, 3), 0.0)


def test_health_of_a_load_on_two_of_four_experts_is_a_half() -> None:
    (health,) = expert_health([torch.tensor([[5.0, 4, 1, 0]])], 2)

    assert health.entropy == pytest.approx(math.log(2) / math.log(4))
    assert health.dead == (2, 3)


def test_masked_tokens_do_not_count() -> None:
    logits = torch.cat([torch.eye(4)[:1].repeat(2, 1), torch.eye(4)[1:2]])

    (health,) = expert_health([logits], 1, torch.tensor([1, 1, 0]))

    assert health.load == (1.0, 0.0, 0.0, 0.0)


def test_health_on_a_batch_counts_shown_tokens_of_each_layer_with_experts() -> None:
    model = make_sparse_model(options=ExpertOptions(experts=4, width=6, layers=(1,)))

    (health,) = health_on(model, IDS, MASK)

    assert health.layer == 1
    assert sum(health.load) == pytest.approx(1.0)
    sixteenths = [share * 16 for share in health.load]
    assert sixteenths == pytest.approx([round(count) for count in sixteenths])


def test_a_single_expert_is_even() -> None:
    (health,) = expert_health([torch.zeros(3, 1)], 1)

    assert (health.load, health.entropy, health.dead) == ((1.0,), 1.0, ())


def test_wrong_input_is_refused() -> None:
    logits = drawn_logits(0, 1, 4, 3)

    with pytest.raises(ExpertError, match="there are no router logits"):
        balance_loss([], 2)
    with pytest.raises(ExpertError, match="mask has 3 tokens, but the routers read 4"):
        balance_loss(logits, 2, torch.ones(3))
    with pytest.raises(ExpertError, match="the mask leaves no token"):
        expert_health(logits, 2, torch.zeros(4))
    with pytest.raises(ExpertError, match="no experts, so no health"):
        health_on(make_model("llama"), IDS)
    with pytest.raises(ExpertError, match="the text has no token"):
        health_on(make_sparse_model(), IDS[:, :0])
