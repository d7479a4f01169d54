"""What a distillation run is made of, built from its recipe."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.compression.model import SoftTokenModel
from xorag.compression.pretrained import find_projector, shipped_projector
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import (
    SavedProjector,
    base_model_shape,
    check_fits_encoder,
    check_fits_model,
    load_projector,
)
from xorag.config.distill_recipe import DistillRecipe
from xorag.data.instructions.reading import Instruction, read_instructions
from xorag.errors import ProjectorMismatchError
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import PromptBuilder, word_means
from xorag.pipeline.forms.choosing import Forms
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.retrieval.timed import PiecesOnDemand
from xorag.runtime.device import pick_device
from xorag.runtime.loading import LanguageModel
from xorag.runtime.seeds import seed_libraries
from xorag.training.adapters import add_adapters
from xorag.training.distill_objective import DistillObjective, LossWeights
from xorag.training.distillation import Alignment
from xorag.training.embeddings import embed_with_words
from xorag.training.forms import ChosenDetails, StudentPassages, shown_forms
from xorag.training.instruction_prompts import InstructionPrompts
from xorag.training.instruction_splits import InstructionSplits, split_instructions
from xorag.training.parts import load_to_train
from xorag.training.progress import OnMessage
from xorag.training.restating import Restating, open_restating


@dataclass(frozen=True, slots=True)
class DistillParts:
    """The parts of a run."""

    language: LanguageModel
    prompts: InstructionPrompts
    passages: StudentPassages
    encoder: EncoderSpec
    splits: InstructionSplits
    objective: DistillObjective
    restating: Restating | None
    started_from: Path

    @property
    def pad_id(self) -> int:
        """What fills up short rows; hidden by the mask, so any id does."""
        return int(self.language.tokenizer.pad_token_id or 0)

    @property
    def projector(self) -> Projector:
        """The part that trains."""
        return self.objective.reader.projector


def build_distill_parts(recipe: DistillRecipe, device: str | None, say: OnMessage) -> DistillParts:
    """Open the models and the projector, read the examples and split them.

    Raises:
        ConfigError: If too few examples or passages are left, or adapters are asked for in layers
            that the model does not have.
        IndexNotFoundError: If there is no index of the passages to restate.
        ModelNotFoundError: If the language model or the encoder is not found.
        ProjectorMismatchError: If there is no projector to go on from, or it does not fit, or has
            other adapters than the recipe asks for.
        SourceError: If an instruction file cannot be read.
    """
    language = load_to_train(recipe.model, device, say)
    start = _start(recipe, language)
    saved = load_projector(start)
    check_fits_model(saved.manifest, base_model_shape(language.model, language.name))
    encoder = _encoder(recipe, saved.manifest.encoder, device)
    check_fits_encoder(saved.manifest, encoder.spec)
    objective = _objective(recipe, language, saved)
    prompts = InstructionPrompts(
        PromptEncoder(language.tokenizer), layout_named(recipe.model.layout, language.tokenizer)
    )
    say("reading the examples, and dropping those whose two versions disagree")
    splits = split_instructions(
        _read(recipe.examples.instructions),
        prompts,
        validation=recipe.examples.validation,
        report=recipe.examples.report,
        max_tokens=recipe.examples.max_tokens,
        limit=recipe.examples.limit,
    )
    say(f"{len(splits.train)} examples to train on; dropped: {splits.dropped}")
    pieces = PieceEmbedder(encoder)
    restating = _restating(recipe, prompts, pieces, objective.reader, saved.manifest)
    passages = StudentPassages(
        embed_with_words(pieces, word_means(objective.reader, prompts.encoder)),
        ChosenDetails(
            Forms(prompts.encoder),
            PromptBuilder(prompts.encoder, prompts.layout),
            shown_forms(recipe.examples),
            PiecesOnDemand(lambda: encoder),
        ),
    )
    spec = encoder.spec
    return DistillParts(language, prompts, passages, spec, splits, objective, restating, start)


def _restating(
    recipe: DistillRecipe,
    prompts: InstructionPrompts,
    pieces: PieceEmbedder,
    reader: SoftTokenModel,
    saved: Manifest,
) -> Restating | None:
    if recipe.restating is None:
        return None
    index = PassageIndex.open(recipe.restating.index)
    check_fits_encoder(saved, index.spec)
    return open_restating(recipe.restating, index, reader, prompts.encoder, prompts.layout, pieces)


def _start(recipe: DistillRecipe, language: LanguageModel) -> Path:
    """The projector to go on from."""
    if recipe.start_from is not None:
        return find_projector(recipe.start_from)
    found = shipped_projector(base_model_shape(language.model, language.name), None)
    if found is None:
        raise ProjectorMismatchError(
            f"no projector for {language.name!r} comes with xorag; name one with start_from, "
            "made by `xorag train projector`"
        )
    return found


def _encoder(recipe: DistillRecipe, named: EncoderSpec | None, device: str | None) -> Encoder:
    """The encoder of the recipe, else the one that the projector was trained with."""
    place = pick_device(device)
    if recipe.encoder is not None:
        return Encoder.open(recipe.encoder, device=place)
    if named is None:
        raise ProjectorMismatchError(
            "the projector to go on from names no encoder; name it with encoder=NAME"
        )
    return Encoder.from_spec(named, device=place)


def _read(files: tuple[Path, ...]) -> Iterator[Instruction]:
    for file in files:
        yield from read_instructions(file)


def _objective(
    recipe: DistillRecipe, language: LanguageModel, saved: SavedProjector
) -> DistillObjective:
    seed_libraries(recipe.train.seed)  # torch draws adapters' weights from the global generator
    reader = SoftTokenModel(language.model, saved.projector.to(language.model.device))
    add_adapters(language.model, recipe.lora, saved.adapters)
    weights = LossWeights(
        nll=recipe.loss.nll_weight,
        kl=recipe.loss.kl_weight,
        temperature=recipe.loss.temperature,
        top_k=recipe.loss.top_k,
        alignment=Alignment(recipe.loss.alignment),
        contrast=recipe.loss.contrast_weight,
        contrast_margin=recipe.loss.contrast_margin,
    )
    return DistillObjective(reader, weights)
