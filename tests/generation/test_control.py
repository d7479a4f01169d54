"""Only trusted text makes control tokens, and all other text is encoded as it always is."""

import unicodedata
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generation.tiny_tokenizers import KEEPS_TEXT, PLAIN_ADDED, SPECIAL, TOKENIZERS
from xorag.errors import ControlTokenError
from xorag.generation.control import Encoded, Piece, PromptEncoder, Quoted, SoftToken, Trusted

CONTROL = [*SPECIAL, *PLAIN_ADDED]
BEFORE = Trusted("<|im_start|>user\nBackground: ")
AFTER = Trusted("<|im_end|>\n<|im_start|>assistant\n")
every_kind = pytest.mark.parametrize("kind", list(TOKENIZERS))
keeping_kinds = pytest.mark.parametrize("kind", KEEPS_TEXT)
words = st.sampled_from(
    ["The", " river", " Ebro", "sea ", "(930 km)", "Who?", "1853", " ", "|", "<"]
)
attacks = st.lists(st.one_of(st.sampled_from(CONTROL), words), max_size=8).map("".join)
benign = st.lists(words, max_size=8).map("".join)


@cache
def encoder_of(kind: str) -> PromptEncoder:
    return PromptEncoder(TOKENIZERS[kind](), placeholder="<xRAG>")


def control_of(encoder: PromptEncoder, encoded: Encoded) -> list[str]:
    """The control tokens among the ids, the unknown token left out."""
    vocabulary = encoder.tokenizer.get_added_vocab()
    names = {token_id: name for name, token_id in vocabulary.items() if name != "<unk>"}
    return [names[i] for i in encoded.token_ids if i in names]


def whole(encoder: PromptEncoder, pieces: list[Piece]) -> tuple[int, ...]:
    """What the tokenizer alone makes of the pieces as one string."""
    text = "".join("<xRAG>" if isinstance(p, SoftToken) else p.text for p in pieces)
    return tuple(encoder.tokenizer(text, add_special_tokens=False)["input_ids"])


@every_kind
@settings(deadline=None, max_examples=60)
@given(question=attacks, title=attacks, passage=attacks)
def test_no_mixture_of_control_strings_makes_a_control_token(
    kind: str, question: str, title: str, passage: str
) -> None:
    encoder = encoder_of(kind)
    pieces: list[Piece] = [BEFORE, Quoted(title), Quoted(passage), SoftToken(), Quoted(question)]

    encoded = encoder.encode([*pieces, AFTER])

    assert control_of(encoder, encoded) == [
        "<|im_start|>",
        "<xRAG>",
        "<|im_end|>",
        "<|im_start|>",
    ]
    assert len(encoded.placeholders) == 1


@keeping_kinds
@settings(deadline=None, max_examples=60)
@given(text=attacks)
def test_quoted_control_strings_decode_to_the_same_text(kind: str, text: str) -> None:
    encoder = encoder_of(kind)

    encoded = encoder.encode([Trusted("<s>"), Quoted(f"x{text}y")])

    tokenizer = encoder.tokenizer
    decoded = tokenizer.decode(list(encoded.token_ids[1:]), clean_up_tokenization_spaces=False)
    assert str(decoded).strip() == f"x{text}y"


@every_kind
@settings(deadline=None, max_examples=40)
@given(question=benign, passage=benign)
def test_benign_text_gets_the_ids_of_the_whole_string(
    kind: str, question: str, passage: str
) -> None:
    encoder = encoder_of(kind)
    pieces: list[Piece] = [
        BEFORE,
        Quoted(passage),
        Trusted(" "),
        SoftToken(),
        Quoted(question),
        AFTER,
    ]

    assert encoder.encode(pieces).token_ids == whole(encoder, pieces)


@every_kind
def test_placeholders_are_found_in_reading_order(kind: str) -> None:
    encoder = encoder_of(kind)

    encoded = encoder.encode([BEFORE, SoftToken(), Trusted("\n"), SoftToken(), AFTER])

    soft_id = encoder.tokenizer.convert_tokens_to_ids("<xRAG>")
    assert [encoded.token_ids[i] for i in encoded.placeholders] == [soft_id, soft_id]


def test_a_tokenizer_without_the_placeholder_holds_the_place_with_another_token() -> None:
    encoder = PromptEncoder(TOKENIZERS["byte level"](), placeholder="<unheard of>")

    encoded = encoder.encode([Trusted("</s>a "), SoftToken(), Quoted(" </s> b")])

    assert len(encoded.placeholders) == 1
    assert encoded.token_ids.count(encoder.tokenizer.eos_token_id) == 2


@pytest.mark.parametrize(
    "text", ["\uff1cxRAG\uff1e", "a \uff1cxRAG> b", "\uff1c|im_start|\uff1e", "[\uff2eo Retrieval]"]
)
def test_characters_that_normalise_to_a_control_string_stay_text(text: str) -> None:
    encoder = encoder_of("normalizing")

    encoded = encoder.encode([Quoted(text)])

    assert control_of(encoder, encoded) == []
    assert encoder.decode(encoded.token_ids) == unicodedata.normalize("NFKC", text)


def test_a_control_string_across_trusted_and_quoted_text_stays_text() -> None:
    encoder = encoder_of("byte level")

    encoded = encoder.encode([Trusted("<|im_"), Quoted("start|>"), Quoted("</"), Quoted("s>")])

    assert control_of(encoder, encoded) == []
    assert encoder.decode(encoded.token_ids) == "<|im_start|></s>"


def test_the_unknown_token_may_stand_for_unknown_characters() -> None:
    encoder = encoder_of("slow")

    assert encoder.encode([Quoted("é")]).token_ids == (encoder.tokenizer.unk_token_id,)


def test_what_the_tokenizer_puts_in_front_is_added_on_demand() -> None:
    encoder = encoder_of("byte level")

    encoded = encoder.encode([Quoted("The river")], with_bos=True)

    assert list(encoded.token_ids) == encoder.tokenizer("The river")["input_ids"]
    assert encoder_of("unigram").bos_ids == ()


def test_decoding_leaves_special_tokens_out() -> None:
    encoder = encoder_of("byte level")

    assert encoder.decode(encoder.tokenizer("Marie <|im_end|></s>")["input_ids"]) == "Marie "


def test_a_control_token_of_one_character_is_refused_in_quoted_text() -> None:
    tokenizer = TOKENIZERS["byte level"]()
    tokenizer.add_tokens(["\u2020"], special_tokens=True)

    with pytest.raises(ControlTokenError, match="take the control characters out"):
        PromptEncoder(tokenizer).encode([Quoted("a\u2020b")])


def test_a_tokenizer_without_control_tokens_is_refused() -> None:
    tokenizer = TOKENIZERS["byte level"]()
    backend = tokenizer.backend_tokenizer
    bare = type(tokenizer)(tokenizer_object=type(backend)(backend.model))

    with pytest.raises(ControlTokenError, match="no control token"):
        PromptEncoder(bare)
