"""Encoders are used as their files, their families and the options say."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import DPRConfig, DPRContextEncoder

from tests.retrieval.tiny_encoders import TOKENS, WIDTH, save_bert, save_encoder, save_tokenizer
from xorag.errors import IndexMismatchError, ModelNotFoundError, UsageError
from xorag.retrieval.encoder import Encoder, titled
from xorag.retrieval.families import EncoderOptions
from xorag.retrieval.specify import recorded_name
from xorag.types import Passage

TEXTS = ["emma was a novel", "paris is the capital of france", "a"]


def open_encoder(folder: Path, **options: object) -> Encoder:
    return Encoder.open(str(folder), device="cpu", options=EncoderOptions(**options))  # type: ignore[arg-type]


def test_embeddings_are_those_of_the_library(encoder: Encoder, encoder_folder: Path) -> None:
    expected = SentenceTransformer(str(encoder_folder), device="cpu").encode(TEXTS)

    np.testing.assert_allclose(encoder.encode_passages(TEXTS), expected, atol=1e-6)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), expected, atol=1e-6)


def test_the_spec_says_how_the_model_is_used(encoder: Encoder, encoder_folder: Path) -> None:
    spec = encoder.spec

    assert spec.name == str(encoder_folder)
    assert (spec.dimensions, spec.normalized, spec.pooling) == (WIDTH, True, "mean")
    assert (spec.max_tokens, spec.metric, len(spec.fingerprint)) == (256, "cosine", 16)


def test_normalisation_can_be_left_out_and_only_scales(encoder_folder: Path) -> None:
    unscaled = open_encoder(encoder_folder, normalize=False)

    rows = unscaled.encode_passages(TEXTS)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)

    assert not unscaled.spec.normalized
    assert np.abs(lengths - 1).min() > 0.01
    np.testing.assert_allclose(
        rows / lengths, open_encoder(encoder_folder).encode_passages(TEXTS), atol=1e-6
    )


def test_normalisation_can_be_added(raw_encoder: Encoder, raw_encoder_folder: Path) -> None:
    scaled = open_encoder(raw_encoder_folder, normalize=True)

    assert (raw_encoder.spec.normalized, scaled.spec.normalized) == (False, True)
    np.testing.assert_allclose(np.linalg.norm(scaled.encode_passages(TEXTS), axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("pooling", ["cls", "lasttoken", "max"])
def test_pooling_can_be_another(raw_encoder_folder: Path, tmp_path: Path, pooling: str) -> None:
    folder = save_encoder(tmp_path, seed=7, normalize=False, pooling=pooling)

    changed = open_encoder(raw_encoder_folder, pooling=pooling)

    assert changed.spec.pooling == pooling
    np.testing.assert_allclose(
        changed.encode_passages(TEXTS), open_encoder(folder).encode_passages(TEXTS), atol=1e-5
    )


def test_an_unknown_pooling_is_refused(encoder_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"'middle' is no pooling; give one of cls, max, mean"):
        open_encoder(encoder_folder, pooling="middle")


def test_prompts_of_the_model_are_used(tmp_path: Path) -> None:
    folder = save_encoder(tmp_path, prompts={"query": "query : ", "document": "passage : "})

    found = open_encoder(folder)
    plain = open_encoder(folder, query_prompt="", passage_prompt="")

    assert (found.spec.query_prompt, found.spec.passage_prompt) == ("query : ", "passage : ")
    assert np.array_equal(found.encode_queries(["emma"]), plain.encode_queries(["query : emma"]))
    assert np.array_equal(
        found.encode_passages(["emma"]), plain.encode_passages(["passage : emma"])
    )
    assert not np.allclose(found.encode_queries(["emma"]), found.encode_passages(["emma"]))


def test_prompts_of_a_family_are_used_whatever_folder_it_is_in(tmp_path: Path) -> None:
    folder = save_encoder(tmp_path / "made").rename(tmp_path / "e5-small-v2")

    spec = open_encoder(folder).spec

    assert (spec.query_prompt, spec.passage_prompt) == ("query: ", "passage: ")


def test_passages_are_cut_and_queries_are_not(encoder_folder: Path) -> None:
    cut = open_encoder(encoder_folder, max_tokens=6)
    long, start = "the cat and the dog of the king", "the cat and the"

    assert np.allclose(cut.encode_passages([long]), cut.encode_passages([start]), atol=1e-6)
    assert not np.allclose(cut.encode_queries([long]), cut.encode_queries([start]), atol=1e-3)


def test_a_cut_beyond_what_the_model_reads_is_refused(encoder_folder: Path) -> None:
    with pytest.raises(UsageError, match="reads 256 tokens, but 1000 were asked for"):
        open_encoder(encoder_folder, max_tokens=1000)


def test_counts_hold_special_tokens_and_the_prompt(encoder_folder: Path) -> None:
    found = open_encoder(encoder_folder, passage_prompt="passage : ", max_tokens=20)

    assert found.count_tokens(["", "emma", "emma " * 300]) == [4, 5, 304]
    assert found.count_tokens([]) == []


def test_eos_ends_every_text_and_is_kept_when_it_is_cut(tmp_path: Path) -> None:
    folder = save_encoder(tmp_path, pooling="lasttoken")
    add_eos_token(folder, "queen")

    found = open_encoder(folder, append_eos=True, max_tokens=5)

    assert found.spec.append_eos
    assert found.count_tokens(["emma"]) == [4]
    tokens = found._model.tokenizer("the cat and the dog", truncation=True, max_length=5)
    words = found._model.tokenizer.convert_ids_to_tokens(tokens["input_ids"])
    assert words == ["[CLS]", "the", "cat", "[SEP]", "queen"]


def test_eos_cannot_be_appended_where_there_is_none(encoder_folder: Path) -> None:
    with pytest.raises(UsageError, match="no eos"):
        open_encoder(encoder_folder, append_eos=True)


def test_queries_may_have_an_encoder_of_their_own(
    encoder_folder: Path, raw_encoder_folder: Path
) -> None:
    pair = open_encoder(encoder_folder, query_encoder=str(raw_encoder_folder), normalize=True)
    passages, queries = open_encoder(encoder_folder), open_encoder(raw_encoder_folder)

    assert pair.spec.query_encoder == str(raw_encoder_folder)
    assert pair.spec.fingerprint == f"{passages.spec.fingerprint}+{queries.spec.fingerprint}"
    assert np.allclose(pair.encode_passages(TEXTS), passages.encode_passages(TEXTS), atol=1e-6)
    rows = queries.encode_queries(TEXTS)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.allclose(pair.encode_queries(TEXTS), rows, atol=1e-6)


def test_the_encoder_of_a_manifest_is_made_again(raw_encoder_folder: Path) -> None:
    made = open_encoder(
        raw_encoder_folder,
        pooling="cls",
        passage_prompt="passage : ",
        max_tokens=50,
        normalize=True,
    )

    again = Encoder.from_spec(made.spec, device="cpu")

    assert again.spec == made.spec
    assert np.array_equal(again.encode_passages(TEXTS), made.encode_passages(TEXTS))


def test_other_weights_under_the_same_name_are_noticed(tmp_path: Path) -> None:
    spec = open_encoder(save_encoder(tmp_path)).spec
    save_encoder(tmp_path, seed=5)

    with pytest.raises(IndexMismatchError, match="other weights"):
        Encoder.from_spec(spec, device="cpu")


def test_the_fingerprint_does_not_depend_on_folder_or_number_format(
    tmp_path: Path, encoder: Encoder
) -> None:
    from xorag.retrieval.fingerprint import fingerprint  # noqa: PLC0415 - tested through models only here

    model = SentenceTransformer(str(save_encoder(tmp_path)), device="cpu")

    assert fingerprint(model) == encoder.spec.fingerprint
    assert fingerprint(model.to(torch.bfloat16)) == encoder.spec.fingerprint


def test_a_plain_hugging_face_folder_is_an_encoder(tmp_path: Path) -> None:
    found = open_encoder(save_bert(tmp_path / "bert"), pooling="cls")

    assert (found.spec.pooling, found.spec.normalized) == ("cls", False)
    assert found.encode_passages([]).shape == (0, WIDTH)


def test_a_folder_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "nothing-known"}')

    with pytest.raises(ModelNotFoundError, match="cannot be loaded as an encoder"):
        open_encoder(tmp_path)


def test_dpr_in_its_original_form_is_refused_with_the_way_out(tmp_path: Path) -> None:
    config = DPRConfig(
        vocab_size=len(TOKENS),
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=WIDTH,
    )
    DPRContextEncoder(config).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)

    with pytest.raises(ModelNotFoundError, match="use sentence-transformers/facebook-dpr-ctx_enc"):
        open_encoder(tmp_path)


def test_static_embeddings_are_an_encoder_without_a_limit(tmp_path: Path) -> None:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "dog": 1, "cat": 2}, unk_token="[UNK]"))  # noqa: S106 - a mark
    tokenizer.pre_tokenizer = Whitespace()
    static = StaticEmbedding(tokenizer, embedding_dim=24)
    SentenceTransformer(modules=[static], device="cpu").save_pretrained(str(tmp_path / "static"))

    found = open_encoder(tmp_path / "static")

    assert (found.spec.dimensions, found.spec.max_tokens, found.spec.pooling) == (24, None, None)
    assert found.count_tokens(["dog cat dog", ""]) == [3, 0]
    assert found.encode_passages(["dog"]).shape == (1, 24)
    with pytest.raises(UsageError, match="this encoder does not pool tokens"):
        open_encoder(tmp_path / "static", pooling="mean")


def test_a_similarity_that_no_index_offers_is_refused_unless_a_metric_is_given(
    tmp_path: Path,
) -> None:
    folder = save_encoder(tmp_path)
    config = folder / "config_sentence_transformers.json"
    config.write_text(config.read_text().replace('"cosine"', '"manhattan"'))

    with pytest.raises(UsageError, match="compares embeddings by 'manhattan'"):
        open_encoder(folder)
    assert open_encoder(folder, metric="dot").spec.metric == "dot"


def test_the_title_is_joined_as_the_encoders_authors_do(encoder: Encoder) -> None:
    passage = Passage("a#0", "a", "Emma", "A novel.", 0)
    dpr = encoder.spec.model_copy(update={"title_separator": " [SEP] "})

    assert titled(passage, encoder.spec) == passage.titled_text
    assert titled(passage, dpr) == "Emma [SEP] A novel."
    assert titled(Passage("a#0", "a", "", "A novel.", 0), dpr) == "A novel."


def test_a_packaged_encoder_keeps_its_name_so_that_an_index_can_move(tmp_path: Path) -> None:
    assert recorded_name(None, "/venv/lib/model") == "all-minilm-l6-v2"
    assert recorded_name("All-MiniLM-L6-v2", "/venv/lib/model") == "all-minilm-l6-v2"
    assert recorded_name("someone/encoder", "someone/encoder") == "someone/encoder"
    assert recorded_name(str(tmp_path), str(tmp_path)) == str(tmp_path.resolve())


def add_eos_token(folder: Path, word: str) -> None:
    """Make a word of the vocabulary the tokenizer's eos."""
    from transformers import AutoTokenizer  # noqa: PLC0415 - used by one test

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.eos_token = word
    tokenizer.save_pretrained(folder)
