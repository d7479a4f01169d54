"""Tiny tokenizers of each kind, trained here on a few lines."""

from collections.abc import Callable, Mapping
from typing import Any

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AddedToken, PreTrainedTokenizerBase, PreTrainedTokenizerFast
from transformers.tokenization_python import PythonBackend

SPECIAL = ["<unk>", "<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>"]
ROLES = dict(zip(("unk_token", "bos_token", "eos_token", "pad_token"), SPECIAL, strict=False))
UNKNOWN = {"unk_token": "<unk>"}
PLAIN_ADDED = ["<xRAG>", "[No Retrieval]", "[Utility:1]"]
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LINES = [
    "The lighthouse at Cape Finisterre was built in 1853, said user and assistant.",
    "Marie Curie discovered polonium and radium; Question: who? Answer: she.",
    "Background: the river Ebro flows through Zaragoza before it reaches the sea (930 km).",
] * 4
ALPHABET = sorted({chr(i) for i in range(32, 127)} | {"\n"})


def _wrap(
    tokenizer: Tokenizer, *, normalized: bool = False, with_bos: bool = False
) -> PreTrainedTokenizerFast:
    if with_bos:
        bos_id = tokenizer.token_to_id("<s>")
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", bos_id)]
        )
    wrap: Any = PreTrainedTokenizerFast
    wrapped: PreTrainedTokenizerFast = wrap(
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **ROLES
    )
    _add(wrapped, normalized=normalized)
    return wrapped


def _add(tokenizer: PreTrainedTokenizerBase, *, normalized: bool) -> None:
    tokenizer.add_tokens([AddedToken(t, special=True) for t in SPECIAL[4:]], special_tokens=True)
    tokenizer.add_tokens([AddedToken(t, normalized=normalized) for t in PLAIN_ADDED])
    tokenizer.chat_template = CHATML


def byte_level() -> PreTrainedTokenizerBase:
    """GPT-2's kind, with `<s>` in front."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=SPECIAL[:4],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return _wrap(tokenizer, with_bos=True)


def normalizing() -> PreTrainedTokenizerBase:
    """Byte level after NFKC, whose added tokens are found in the normalised text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL[:4],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return _wrap(tokenizer, normalized=True)


def llama_legacy() -> PreTrainedTokenizerBase:
    """Llama 2's kind: a space put in front of each stretch, bytes for unknown characters."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, **UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=SPECIAL[:4] + [f"<0x{i:02X}>" for i in range(256)],
        initial_alphabet=[*ALPHABET, "\u2581"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return _wrap(tokenizer, with_bos=True)


def unigram() -> PreTrainedTokenizerBase:
    """T5's kind: SentencePiece pieces with a space in front of the text's first word."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.UnigramTrainer(
        vocab_size=260,
        special_tokens=SPECIAL[:4],
        **UNKNOWN,
        initial_alphabet=[*ALPHABET, "\u2581"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return _wrap(tokenizer)


def word_piece() -> PreTrainedTokenizerBase:
    """BERT's kind, which lowers case and loses white space."""
    tokenizer = Tokenizer(models.WordPiece(**UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=SPECIAL[:4], initial_alphabet=ALPHABET, show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return _wrap(tokenizer, normalized=True)


class CharacterTokenizer(PythonBackend):
    """A slow tokenizer, in Python alone: one token a character."""

    def __init__(self, **options: object) -> None:
        self._characters = {char: i for i, char in enumerate(ALPHABET)}
        super().__init__(**options)  # type: ignore[no-untyped-call]

    @property
    def vocab_size(self) -> int:
        return len(self._characters)

    def get_vocab(self) -> dict[str, int]:
        return {**self._characters, **self.added_tokens_encoder}

    def _tokenize(self, text: str, **_options: object) -> list[str]:
        return list(text)

    def _convert_token_to_id(self, token: str) -> int | None:
        unknown: int | None = self.unk_token_id
        return self._characters.get(token, unknown)

    def _convert_id_to_token(self, index: int) -> str:
        return ALPHABET[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)


def slow() -> PreTrainedTokenizerBase:
    """A slow tokenizer with the same control tokens."""
    tokenizer = CharacterTokenizer(**ROLES)
    _add(tokenizer, normalized=False)
    return tokenizer


TOKENIZERS: Mapping[str, Callable[[], PreTrainedTokenizerBase]] = {
    "byte level": byte_level,
    "normalizing": normalizing,
    "llama legacy": llama_legacy,
    "unigram": unigram,
    "word piece": word_piece,
    "slow": slow,
}
KEEPS_TEXT = ["byte level", "llama legacy", "unigram", "slow"]
"""The kinds whose decoding gives printable ASCII back as it was."""
