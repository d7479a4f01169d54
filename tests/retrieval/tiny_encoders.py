"""Random encoders and rerankers small enough to be made in a test, as checkpoints on disk."""

from pathlib import Path

import torch
from sentence_transformers import CrossEncoder, MultiVectorEncoder, SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
)

WIDTH = 32
VOCABULARY = """
query passage the a of and in is was to emma jane austen wrote novel paris capital france
berlin germany city river mountain sea author book king queen war peace year born first
dog cat number part one two three four five six seven eight nine ten : ? . , | #
"""
WORDS = tuple(VOCABULARY.split())
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN = SPECIALS[1]
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
TOKENS = tuple(
    dict.fromkeys((*SPECIALS, *WORDS, *CHARACTERS, *(f"##{letter}" for letter in CHARACTERS)))
)


def save_tokenizer(folder: Path) -> None:
    """A WordPiece tokenizer of a few words, and letters for all others."""
    vocab = {token: i for i, token in enumerate(TOKENS)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, model_max_length=256, **dict(zip(names, SPECIALS, strict=True))
    )
    fast.save_pretrained(folder)


def bert_config(*, labels: int = 2) -> BertConfig:
    config = BertConfig(
        vocab_size=len(TOKENS),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.5,
    )
    config.num_labels = labels
    return config


def save_bert(folder: Path, *, seed: int = 0) -> Path:
    """A plain Hugging Face folder, without anything of sentence-transformers."""
    torch.manual_seed(seed)
    BertModel(bert_config()).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def save_encoder(
    folder: Path,
    *,
    seed: int = 0,
    normalize: bool = True,
    pooling: str = "mean",
    prompts: dict[str, str] | None = None,
) -> Path:
    """A sentence-transformers checkpoint."""
    transformer = Transformer(str(save_bert(folder / "bert", seed=seed)))
    pool = Pooling(transformer.get_embedding_dimension(), pooling)
    modules = [transformer, pool, *([Normalize()] if normalize else [])]
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save_pretrained(
        str(folder / "encoder")
    )
    return folder / "encoder"


def save_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    torch.manual_seed(1)
    model = BertForSequenceClassification(bert_config(labels=labels))
    model.save_pretrained(folder / "bert")
    save_tokenizer(folder / "bert")
    CrossEncoder(str(folder / "bert"), device="cpu").save_pretrained(str(folder / "cross"))
    return folder / "cross"


def save_colbert(folder: Path, *, seed: int = 0) -> Path:
    save_bert(folder / "bert", seed=seed)
    model = MultiVectorEncoder(str(folder / "bert"), device="cpu")
    model.save_pretrained(str(folder / "colbert"))
    return folder / "colbert"
