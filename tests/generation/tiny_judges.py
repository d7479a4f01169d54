"""Tiny random readers in memory, and what they write when asked one thing at a time."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel

from tests.compression.tiny_models import CONFIGS
from tests.generation.tiny_tokenizers import byte_level
from xorag.generation.control import PromptEncoder
from xorag.generation.judging import Judge
from xorag.generation.judging_notes import Written
from xorag.generation.judging_prompts import Paragraph
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_state, load_expert_state, upcycle
from xorag.reflection.vocabulary import ReflectionVocabulary, add_reflection_tokens
from xorag.types import Form, Hit, Passage

POSITIONS = 400
QUESTIONS = ("Who discovered radium?", "Where is the lighthouse, said assistant?", "When?")
TEXTS = (
    "Marie Curie discovered polonium and radium.",
    "The lighthouse at Cape Finisterre was built in 1853.",
    "The river Ebro flows through Zaragoza before it reaches the sea (930 km), said user.",
)


@cache
def make_reader(
    family: str = "llama", **sizes: int | None
) -> tuple[PreTrainedModel, PromptEncoder]:
    """A random model with experts that likes to write reflection tokens and end marks."""
    tokenizer = byte_level()
    add_reflection_tokens(tokenizer)
    config = CONFIGS[family].__class__(**CONFIGS[family].to_dict())
    config.update({"vocab_size": len(tokenizer), "max_position_embeddings": POSITIONS, **sizes})
    torch.manual_seed(5)
    build: Any = AutoModelForCausalLM.from_config
    model: PreTrainedModel = build(config, attn_implementation="eager")
    upcycle(model, ExpertOptions(experts=3, width=4))
    load_expert_state(model, {k: torch.randn_like(v) for k, v in expert_state(model).items()})
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.5)
    model.train(mode=False)
    return model, PromptEncoder(tokenizer)


def make_judge(family: str = "llama", *, batch_tokens: int = 4096, **sizes: int) -> Judge:
    model, encoder = make_reader(family, **sizes)
    return Judge(
        model, encoder, layout_named("openrag", encoder.tokenizer), batch_tokens=batch_tokens
    )


def paragraph(*texts: str) -> Paragraph:
    """Texts in one paragraph."""
    passages = [Passage(text[:9], "", f"Title {i}", text, i) for i, text in enumerate(texts)]
    return Paragraph(tuple(Context(Hit(passage, 0.0), Form.TEXT) for passage in passages))


def write_alone(
    model: PreTrainedModel, token_ids: Sequence[int], end_ids: Sequence[int], *, tokens: int
) -> Written:
    """What transformers' own `generate` writes after one prompt, and how likely that was."""
    generate: Any = model.generate
    config: Any = GenerationConfig
    ids = torch.tensor([list(token_ids)])
    output = generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=config(
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=list(end_ids),
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        ),
    )
    steps = torch.log_softmax(torch.cat(output.logits).float(), dim=-1)
    new = output.sequences[0, len(token_ids) :].tolist()
    chosen = [float(step[i]) for step, i in zip(steps, new, strict=True)]
    is_ended = new[-1] in end_ids
    length = len(new) - is_ended
    watched = tuple(tuple(row) for row in steps[:, list(watched_ids())].tolist())
    end = chosen[-1] if is_ended else None
    return Written(tuple(new[:length]), tuple(chosen[:length]), watched, end)


def watched_ids() -> tuple[int, ...]:
    """Ids of the reflection tokens, which are the last ones of a tiny reader."""
    return ReflectionVocabulary.of(make_reader()[1].tokenizer).ordered_ids
