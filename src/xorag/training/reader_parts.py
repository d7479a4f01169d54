"""What a reader's training run is made of, built from its recipe."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from xorag.artifact.manifest import BaseModelShape
from xorag.compression.projector_artifact import base_model_shape
from xorag.config.reader_recipe import ReaderModelOptions, ReaderRecipe
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import PromptBuilder
from xorag.generation.reader.tokens import put_token_rows
from xorag.pipeline.forms.choosing import Forms
from xorag.reflection.vocabulary import (
    RELEVANCE_GROUP,
    RETRIEVAL_GROUP,
    SUPPORT_GROUP,
    UTILITY_GROUP,
    ReflectionVocabulary,
    add_reflection_tokens,
)
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.loading import LanguageModel, load_language_model
from xorag.runtime.quantized import load_in_four_bits
from xorag.runtime.seeds import seed_libraries
from xorag.training.forms import ChosenDetails, paragraph_forms
from xorag.training.progress import OnMessage
from xorag.training.reader_adapters import make_trainable
from xorag.training.reader_examples import ReaderCollator, ReaderPrompts
from xorag.training.reader_forms import ParagraphForms
from xorag.training.reader_objective import ReaderObjective
from xorag.training.reader_rows import ReaderRow, read_reader_rows
from xorag.training.reader_splits import ReaderSplits, split_rows
from xorag.training.reader_start import reader_to_start_from, take_over

LAYOUT = "openrag"
_JUDGEMENTS = (*RETRIEVAL_GROUP, *RELEVANCE_GROUP, *SUPPORT_GROUP, *UTILITY_GROUP)


@dataclass(frozen=True, slots=True)
class ReaderRunParts:
    """The parts of a run."""

    language: LanguageModel
    base: BaseModelShape
    """Of the dense model, before it got the reflection tokens."""
    vocabulary: ReflectionVocabulary
    splits: ReaderSplits
    paragraphs: ParagraphForms
    objective: ReaderObjective

    @property
    def collate(self) -> ReaderCollator:
        """Stacks examples; padding is hidden by the mask, so any id does."""
        return ReaderCollator(int(self.language.tokenizer.pad_token_id or 0))


def build_reader_parts(recipe: ReaderRecipe, device: str | None, say: OnMessage) -> ReaderRunParts:
    """Open the dense model, read and split the rows, and put in what trains.

    Raises:
        ArtifactError: If the reader to start from is missing, incomplete or altered.
        ConfigError: If too few rows are left, adapters do not fit the model, or the reader to start
            from has others.
        ExpertError: If experts do not fit the model.
        MissingExtraError: If peft, or bitsandbytes for 4 bits, is not installed.
        ModelNotFoundError: If the language model is not found.
        ReaderMismatchError: If the reader to start from belongs to another language model.
        SourceError: If a file of rows cannot be read.
        UsageError: If 4 bits are asked for without a CUDA GPU.
    """
    language, dtype = _load(recipe.model, device, say)
    base = base_model_shape(language.model, language.name)
    seed_libraries(recipe.train.seed)  # torch draws adapters' weights from the global generator
    begun = reader_to_start_from(recipe, language)
    vocabulary = add_reflection_tokens(language.tokenizer, language.model, seed=recipe.train.seed)
    if begun is not None and begun.tokens is not None:
        put_token_rows(language.model, vocabulary, begun.tokens)
    say("reading the rows")
    prompts = _prompts(language, vocabulary)
    splits = _split(recipe, prompts)
    say(f"{len(splits.train)} examples to train on; dropped: {splits.dropped}")
    make_trainable(language.model, vocabulary, recipe.lora, recipe.experts, seed=recipe.train.seed)
    if begun is not None:
        take_over(language.model, begun)
    if recipe.model.gradient_checkpointing:
        language.model.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[no-untyped-call]
    objective = ReaderObjective(
        language.model,
        dtype,
        balance_weight=recipe.experts.balance_weight,
        judgement_ids=vocabulary.ids_of(_JUDGEMENTS),
        judgement_weight=recipe.train.judgement_weight,
    )
    paragraphs = _paragraphs(recipe, language, prompts).balanced(splits.train_turns)
    return ReaderRunParts(language, base, vocabulary, splits, paragraphs, objective)


def _prompts(language: LanguageModel, vocabulary: ReflectionVocabulary) -> ReaderPrompts:
    layout = layout_named(LAYOUT, language.tokenizer)
    return ReaderPrompts(PromptEncoder(language.tokenizer), layout.frame, vocabulary)


def _paragraphs(
    recipe: ReaderRecipe, language: LanguageModel, prompts: ReaderPrompts
) -> ParagraphForms:
    """Without an encoder: what is shown is chosen by words alone."""
    builder = PromptBuilder(prompts.encoder, layout_named(LAYOUT, language.tokenizer))
    forms = paragraph_forms(recipe.examples)
    return ParagraphForms(prompts, ChosenDetails(Forms(prompts.encoder), builder, forms))


def _split(recipe: ReaderRecipe, prompts: ReaderPrompts) -> ReaderSplits:
    return split_rows(
        _read(recipe.examples.rows),
        prompts,
        validation=recipe.examples.validation,
        report=recipe.examples.report,
        max_tokens=recipe.examples.max_tokens,
        limit=recipe.examples.limit,
    )


def _read(files: tuple[Path, ...]) -> Iterator[ReaderRow]:
    for file in files:
        yield from read_reader_rows(file)


def _load(
    options: ReaderModelOptions, device: str | None, say: OnMessage
) -> tuple[LanguageModel, torch.dtype]:
    """The dense model, and the type that it computes in."""
    place = pick_device(device)
    dtype = pick_dtype(place, options.dtype)
    load = load_in_four_bits if options.quantization == "nf4" else load_language_model
    language = load(
        options.language_model,
        device=place,
        dtype=dtype,
        # On the CPUs tried, the backward pass of eager attention is the faster one.
        attention=options.attention or ("eager" if place.type == "cpu" else None),
        on_message=say,
    )
    return language, dtype
