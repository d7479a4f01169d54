"""The 15 tokens in tokenizers and models of several kinds."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tests.compression.tiny_models import make_model
from tests.generation.tiny_tokenizers import TOKENIZERS, byte_level
from xorag.errors import ReflectionError
from xorag.generation.control import PromptEncoder, Quoted, Trusted
from xorag.reflection.token_rows import add_rows
from xorag.reflection.vocabulary import (
    RELEVANCE_GROUP,
    RETRIEVAL_GROUP,
    SUPPORT_GROUP,
    UTILITY_GROUP,
    ReflectionToken,
    ReflectionVocabulary,
    add_reflection_tokens,
)

FAMILIES = ["llama", "llama-tied", "qwen3", "gemma3", "phi", "phi3", "gpt2"]
VOCAB = 60


def head_of(model: PreTrainedModel) -> nn.Linear:
    find_head: Any = model.get_output_embeddings
    head = find_head()
    assert isinstance(head, nn.Linear)
    return head


def embeddings_of(model: PreTrainedModel) -> Tensor:
    embeddings: Any = model.get_input_embeddings()
    weight: Tensor = embeddings.weight
    return weight


def test_the_groups_and_the_paragraph_marks_are_all_fifteen_tokens() -> None:
    grouped = [*RETRIEVAL_GROUP, *RELEVANCE_GROUP, *SUPPORT_GROUP, *UTILITY_GROUP]

    marks = {ReflectionToken.PARAGRAPH, ReflectionToken.END_PARAGRAPH}

    assert len(grouped) == len(set(grouped)) == 13
    assert set(ReflectionToken) == {*grouped, *marks}


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_each_token_takes_one_id_in_any_tokenizer(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]()

    vocabulary = add_reflection_tokens(tokenizer)

    for token in ReflectionToken:
        encoded = tokenizer(token.value, add_special_tokens=False)["input_ids"]
        assert encoded == [vocabulary.ids[token]]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_tokens_that_are_there_keep_their_ids(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]()
    before = tokenizer.get_added_vocab()

    vocabulary = add_reflection_tokens(tokenizer)
    again = add_reflection_tokens(tokenizer)

    assert vocabulary.ids[ReflectionToken.NO_RETRIEVAL] == before["[No Retrieval]"]
    assert again == vocabulary == ReflectionVocabulary.of(tokenizer)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_text_of_users_never_becomes_a_reflection_token(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]()
    vocabulary = add_reflection_tokens(tokenizer)
    text = "".join(token.value for token in ReflectionToken)

    quoted = PromptEncoder(tokenizer).encode([Quoted(f"Is {text} safe?")])
    trusted = PromptEncoder(tokenizer).encode([Trusted(text)])

    assert set(quoted.token_ids).isdisjoint(vocabulary.ordered_ids)
    assert trusted.token_ids == vocabulary.ordered_ids


def test_ids_survive_saving_the_tokenizer(tmp_path: Path) -> None:
    tokenizer = byte_level()
    vocabulary = add_reflection_tokens(tokenizer)

    tokenizer.save_pretrained(tmp_path)
    again = type(tokenizer).from_pretrained(tmp_path)

    assert ReflectionVocabulary.of(again) == vocabulary


def test_a_tokenizer_that_lacks_tokens_is_refused() -> None:
    tokenizer = byte_level()

    with pytest.raises(ReflectionError, match=r"lacks 13 of the 15 .*\[Relevant\].*xorag import"):
        ReflectionVocabulary.of(tokenizer)


def test_a_vocabulary_names_the_tokens_without_an_id() -> None:
    ids = {token: i for i, token in enumerate(ReflectionToken) if i}

    with pytest.raises(ReflectionError, match=r"\[Retrieval\] have no id"):
        ReflectionVocabulary(ids)


def test_a_vocabulary_gives_each_token_an_id_of_its_own() -> None:
    with pytest.raises(ReflectionError, match="same id"):
        ReflectionVocabulary(dict.fromkeys(ReflectionToken, 3))


@pytest.mark.parametrize("family", FAMILIES)
def test_old_rows_stay_and_new_rows_are_near_their_mean(family: str) -> None:
    model = make_model(family)
    before = embeddings_of(model).detach().clone()
    head_before = head_of(model).weight.detach().clone()

    add_rows(model, used=range(VOCAB), new=range(VOCAB, VOCAB + 15), seed=0)

    after, head = embeddings_of(model), head_of(model).weight
    assert after.shape[0] == head.shape[0] == VOCAB + 15
    assert torch.equal(after[:VOCAB], before)
    assert torch.equal(head[:VOCAB], head_before)
    for rows, old in ((after, before), (head, head_before)):
        distance = (rows[VOCAB:] - old.mean(dim=0)).abs().detach()
        assert 0 < float(distance.max()) < 0.1 * float(old.std())


@pytest.mark.parametrize("family", FAMILIES)
def test_heads_stay_tied_or_apart(family: str) -> None:
    model = make_model(family)
    was_tied = head_of(model).weight is embeddings_of(model)

    add_rows(model, used=range(VOCAB), new=range(VOCAB, VOCAB + 15), seed=0)

    assert (head_of(model).weight is embeddings_of(model)) == was_tied
    assert was_tied == (family in {"llama-tied", "gemma3", "gpt2"})


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_of_old_tokens_are_as_before(family: str) -> None:
    model = make_model(family)
    ids = torch.arange(12).unsqueeze(0)
    with torch.no_grad():
        before = model(ids).logits

    add_rows(model, used=range(VOCAB), new=range(VOCAB, VOCAB + 15), seed=0)

    with torch.no_grad():
        after = model(ids).logits
    assert after.shape[-1] == VOCAB + 15
    torch.testing.assert_close(after[..., :VOCAB], before)


def test_a_bias_of_the_head_grows_with_it() -> None:
    model = make_model("phi")
    with torch.no_grad():
        head_of(model).bias.fill_(2.0)

    add_rows(model, used=range(VOCAB), new=range(VOCAB, VOCAB + 15), seed=0)

    assert head_of(model).bias.tolist() == [2.0] * (VOCAB + 15)


def test_rows_in_a_padded_end_are_filled_without_resizing() -> None:
    model = make_model("llama")
    used = range(VOCAB - 20)

    add_rows(model, used=used, new=range(VOCAB - 20, VOCAB - 5), seed=0)

    weight = embeddings_of(model).detach()
    expected = weight[: VOCAB - 20].mean(dim=0)
    assert weight.shape[0] == VOCAB
    assert float((weight[VOCAB - 20 : VOCAB - 5] - expected).abs().max()) < 0.03


def test_trained_rows_of_a_published_tokenizer_are_kept() -> None:
    tokenizer, model = byte_level(), make_model("llama")
    add_reflection_tokens(tokenizer, model)
    with torch.no_grad():
        embeddings_of(model).normal_()
    trained = embeddings_of(model).detach().clone()

    add_reflection_tokens(tokenizer, model)

    assert torch.equal(embeddings_of(model), trained)


def test_every_id_of_the_tokenizer_has_a_row_afterwards() -> None:
    tokenizer, model = byte_level(), make_model("qwen2")

    vocabulary = add_reflection_tokens(tokenizer, model)

    assert max(tokenizer.get_vocab().values()) < embeddings_of(model).shape[0]
    assert model.config.vocab_size == embeddings_of(model).shape[0]
    assert torch.isfinite(model(torch.tensor([vocabulary.ordered_ids])).logits).all()


@pytest.mark.parametrize("family", ["llama-tied", "mixtral", "gptneox"])
def test_the_longer_model_trains_and_saves_as_any_other(family: str, tmp_path: Path) -> None:
    model: Any = make_model(family)
    add_rows(model, used=range(VOCAB), new=range(VOCAB, VOCAB + 15), seed=0)
    ids = torch.arange(VOCAB - 3, VOCAB + 9).unsqueeze(0)

    loss = model(ids, labels=ids).loss
    loss.backward()
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)

    gradient = model.get_input_embeddings().weight.grad
    assert gradient is not None
    assert gradient[VOCAB : VOCAB + 9].abs().sum() > 0
    with torch.no_grad():
        torch.testing.assert_close(again(ids).logits, model(ids).logits)


def test_the_seed_decides_the_rows_and_nothing_else_changes_with_it() -> None:
    rows = []
    for seed in (0, 0, 1):
        model = make_model("llama")
        torch.manual_seed(11)
        add_rows(model, used=range(VOCAB), new=range(VOCAB, VOCAB + 15), seed=seed)
        rows.append((embeddings_of(model).detach().clone(), float(torch.rand(1))))

    torch.manual_seed(11)
    drawn_without = float(torch.rand(1))
    assert torch.equal(rows[0][0], rows[1][0])
    assert not torch.equal(rows[0][0], rows[2][0])
    assert {drawn for _, drawn in rows} == {drawn_without}


def test_a_token_of_the_ordinary_vocabulary_keeps_its_id_and_row() -> None:
    words = ["<unk>", "a", "[Relevant]"]
    wrap: Any = PreTrainedTokenizerFast
    tokenizer = wrap(
        tokenizer_object=Tokenizer(
            WordLevel({w: i for i, w in enumerate(words)}, unk_token=words[0])
        ),
        unk_token=words[0],
    )
    model = make_model("llama")
    before = embeddings_of(model).detach().clone()

    vocabulary = add_reflection_tokens(tokenizer, model)

    assert vocabulary.ids[ReflectionToken.RELEVANT] == 2
    assert torch.equal(embeddings_of(model)[:3], before[:3])
    assert ReflectionVocabulary.of(tokenizer) == vocabulary


def test_embeddings_that_are_no_table_are_refused() -> None:
    model = make_model("llama")
    model.set_input_embeddings(nn.Linear(2, 2))

    with pytest.raises(ReflectionError, match=r"embeddings of torch\.nn\.Embedding"):
        add_rows(model, used=[0], new=[60], seed=0)
