"""How encoders of known families are used by their authors, keyed by name.

A literal table: nothing is looked up or imported by it. An option overrides it, and it
overrides what the model's own files say. Knows nothing of how a model is loaded.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Literal

from xorag.errors import ConfigError

Metric = Literal["cosine", "dot", "l2"]

MISTRAL_QUERY_PROMPT = (
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "
)
BGE_QUERY_PROMPT = "Represent this sentence for searching relevant passages: "
BGE_CHINESE_QUERY_PROMPT = "为这个句子生成表示以用于检索相关文章："  # noqa: RUF001 - the authors' own colon
DPR_CONTEXT = "dpr-ctx_encoder"
DPR_QUESTION = "dpr-question_encoder"


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """What changes the embedding of a text; None leaves it to the family or the model."""

    query_prompt: str | None = None
    passage_prompt: str | None = None
    pooling: str | None = None
    """mean, cls, max, lasttoken, weightedmean ..., as sentence-transformers names them."""
    max_tokens: int | None = None
    """Where passages are cut; queries are cut where the model is."""
    normalize: bool | None = None
    append_eos: bool | None = None
    metric: Metric | None = None
    query_encoder: str | None = None
    title_separator: str | None = None

    def over(self, base: "EncoderOptions") -> "EncoderOptions":
        """These options, with those of `base` where none is given."""
        given = {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None
        }
        return replace(base, **given)

    @classmethod
    def parse(cls, settings: Sequence[str]) -> "EncoderOptions":
        """Options from words such as `pooling=cls` or `normalize=false`.

        Raises:
            ConfigError: If any of them is unknown or has a wrong value; says all faults.
        """
        faults: list[str] = []
        values: dict[str, object] = {}
        for setting in settings:
            name, equals, value = setting.partition("=")
            reader = READERS.get(name) if equals else None
            if reader is None:
                faults.append(f"{setting!r} is not one of {', '.join(READERS)} with =value")
                continue
            try:
                values[name] = reader(value)
            except (ValueError, KeyError):
                faults.append(f"{name} cannot be {value!r}")
        if faults:
            raise ConfigError(f"wrong encoder options: {'; '.join(faults)}; correct them")
        return cls(**values)  # type: ignore[arg-type]  # READERS gives each its type


def _count(value: str) -> int:
    if (number := int(value)) < 1:
        raise ValueError(value)
    return number


METRICS: Mapping[str, Metric] = MappingProxyType({"cosine": "cosine", "dot": "dot", "l2": "l2"})
TRUTHS: Mapping[str, bool] = MappingProxyType({"true": True, "false": False})
READERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "query_prompt": str,
        "passage_prompt": str,
        "pooling": str,
        "max_tokens": _count,
        "normalize": TRUTHS.__getitem__,
        "append_eos": TRUTHS.__getitem__,
        "metric": METRICS.__getitem__,
        "query_encoder": str,
        "title_separator": str,
    }
)
"""How each option is read from a word."""


FAMILIES: Mapping[str, EncoderOptions] = MappingProxyType(
    {
        # xRAG's: the projector reads it before normalisation, passages cut at 180 tokens.
        r"sfr-embedding-(mistral|2_r)": EncoderOptions(
            query_prompt=MISTRAL_QUERY_PROMPT,
            passage_prompt="",
            pooling="lasttoken",
            max_tokens=180,
            normalize=False,
            metric="cosine",
        ),
        r"e5-mistral-7b-instruct": EncoderOptions(
            query_prompt=MISTRAL_QUERY_PROMPT,
            passage_prompt="",
            pooling="lasttoken",
            append_eos=True,
            metric="cosine",
        ),
        r"multilingual-e5-large-instruct": EncoderOptions(
            query_prompt=MISTRAL_QUERY_PROMPT, passage_prompt="", pooling="mean", metric="cosine"
        ),
        r"(multilingual-)?e5-(small|base|large)(-v2)?": EncoderOptions(
            query_prompt="query: ", passage_prompt="passage: ", pooling="mean", metric="cosine"
        ),
        r"bge-(small|base|large)-en(-v1\.5)?": EncoderOptions(
            query_prompt=BGE_QUERY_PROMPT, passage_prompt="", pooling="cls", metric="cosine"
        ),
        r"bge-(small|base|large)-zh(-v1\.5)?": EncoderOptions(
            query_prompt=BGE_CHINESE_QUERY_PROMPT, passage_prompt="", pooling="cls", metric="cosine"
        ),
        r"(facebook-)?dpr-(ctx|question)_encoder-.*": EncoderOptions(
            pooling="cls", metric="dot", normalize=False, title_separator=" [SEP] "
        ),
    }
)
"""Patterns of a model's last name, in lower case, to how its authors use it."""


def family_options(name: str) -> EncoderOptions:
    """The options of the family that a model's name, or its folder's name, belongs to."""
    last_name = name.rstrip("/").rsplit("/", maxsplit=1)[-1].lower()
    for pattern, options in FAMILIES.items():
        if re.fullmatch(pattern, last_name):
            return (
                options if DPR_CONTEXT not in last_name else _with_question_encoder(name, options)
            )
    return EncoderOptions()


def _with_question_encoder(name: str, options: EncoderOptions) -> EncoderOptions:
    """DPR has two models: the one for questions differs in its name only."""
    parent, slash, last_name = name.rstrip("/").rpartition("/")
    question = last_name.replace(DPR_CONTEXT, DPR_QUESTION)
    return replace(options, query_encoder=f"{parent}{slash}{question}")
