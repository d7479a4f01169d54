"""How known encoders are used by their authors."""

import pytest

from xorag.errors import ConfigError
from xorag.retrieval.families import EncoderOptions, family_options


def test_sfr_is_used_as_xrag_trained_its_projector() -> None:
    options = family_options("Salesforce/SFR-Embedding-Mistral")

    assert options.pooling == "lasttoken"
    assert options.max_tokens == 180
    assert options.normalize is False
    assert options.query_prompt is not None
    assert options.query_prompt.startswith("Instruct: ")
    assert options.query_prompt.endswith("\nQuery: ")


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("intfloat/e5-large-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-base", "query: ", "passage: "),
        ("/models/e5-small/", "query: ", "passage: "),
        (
            "BAAI/bge-base-en-v1.5",
            "Represent this sentence for searching relevant passages: ",
            "",
        ),
    ],
)
def test_prompts_are_those_of_the_authors(name: str, query: str, passage: str) -> None:
    options = family_options(name)

    assert (options.query_prompt, options.passage_prompt) == (query, passage)


def test_e5_mistral_ends_with_eos() -> None:
    assert family_options("intfloat/e5-mistral-7b-instruct").append_eos is True


def test_dpr_has_another_encoder_for_questions() -> None:
    options = family_options("sentence-transformers/facebook-dpr-ctx_encoder-single-nq-base")

    assert (
        options.query_encoder
        == "sentence-transformers/facebook-dpr-question_encoder-single-nq-base"
    )
    assert (options.metric, options.pooling, options.title_separator) == ("dot", "cls", " [SEP] ")


def test_dpr_for_questions_has_no_other_encoder() -> None:
    options = family_options("sentence-transformers/facebook-dpr-question_encoder-single-nq-base")

    assert options.query_encoder is None


def test_an_unknown_model_leaves_everything_to_its_files() -> None:
    assert family_options("someone/best-e5-large-model-ever") == EncoderOptions()


def test_options_win_over_the_family_also_when_they_are_empty_or_false() -> None:
    family = EncoderOptions(query_prompt="query: ", append_eos=True, pooling="cls")

    options = EncoderOptions(query_prompt="", append_eos=False).over(family)

    assert options == EncoderOptions(query_prompt="", append_eos=False, pooling="cls")


def test_options_are_read_from_words() -> None:
    words = ["pooling=cls", "normalize=false", "max_tokens=180", "query_prompt=a = b: "]

    options = EncoderOptions.parse(words)

    assert options == EncoderOptions(
        pooling="cls", normalize=False, max_tokens=180, query_prompt="a = b: "
    )


def test_all_faults_of_options_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        EncoderOptions.parse(["poling=cls", "normalize=perhaps", "max_tokens=0", "metric"])

    for part in ("poling=cls", "normalize cannot be 'perhaps'", "max_tokens cannot be '0'"):
        assert part in str(caught.value)
    assert "'metric' is not one of query_prompt" in str(caught.value)
