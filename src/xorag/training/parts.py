"""What a training run is made of, built from its recipe."""

from dataclasses import dataclass

from xorag.compression.model import SoftTokenModel, embedding_width
from xorag.compression.projector import Projector
from xorag.config.projector_recipe import PassageOptions, ProjectorRecipe
from xorag.config.training_options import ModelOptions
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.loading import LanguageModel, load_language_model
from xorag.runtime.seeds import seed_libraries
from xorag.training.embeddings import RowEmbedder
from xorag.training.examples import Wordings
from xorag.training.objective import ParaphraseObjective
from xorag.training.progress import OnMessage
from xorag.training.splits import PassageSplitter, Splits, rows_of
from xorag.training.wordings import PARAPHRASE_INSTRUCTIONS


@dataclass(frozen=True, slots=True)
class RunParts:
    """The parts of a run."""

    index: PassageIndex
    language: LanguageModel
    embed: RowEmbedder
    wordings: Wordings
    splits: Splits
    objective: ParaphraseObjective

    @property
    def pad_id(self) -> int:
        """What fills up short rows; hidden by the mask, so any id does."""
        return int(self.language.tokenizer.pad_token_id or 0)

    @property
    def projector(self) -> Projector:
        """The part that trains."""
        return self.objective.reader.projector


def build_parts(
    recipe: ProjectorRecipe, index: PassageIndex, device: str | None, say: OnMessage
) -> RunParts:
    """Open the models, split the passages, and make a random projector.

    Raises:
        ConfigError: If too few passages are left to train on.
        ModelNotFoundError: If the language model is not found.
    """
    language = load_to_train(recipe.model, device, say)
    say("choosing the passages to train on, to validate and to report on")
    splits = _split(recipe.passages, index)
    wordings = Wordings(
        PromptEncoder(language.tokenizer),
        layout_named(recipe.model.layout, language.tokenizer),
        PARAPHRASE_INSTRUCTIONS,
        recipe.passages.max_tokens,
    )
    seed_libraries(recipe.train.seed)  # torch draws a layer's weights from the global generator
    projector = Projector(
        index.spec.dimensions,
        embedding_width(language.model),
        recipe.projector.depth,
        linear_path=recipe.projector.linear_path,
    )
    objective = ParaphraseObjective(
        SoftTokenModel(language.model, projector.to(language.model.device)),
        contrast_weight=recipe.loss.contrast_weight,
        contrast_margin=recipe.loss.contrast_margin,
    )
    embed = RowEmbedder(index, _pieces(recipe.passages, index, device, say))
    return RunParts(index, language, embed, wordings, splits, objective)


def _pieces(
    options: PassageOptions, index: PassageIndex, device: str | None, say: OnMessage
) -> PieceEmbedder | None:
    """The index's encoder, where a rate above one needs it."""
    if max(options.rates) == 1:
        return None
    say("opening the encoder, which embeds the pieces of passages")
    return PieceEmbedder(Encoder.from_spec(index.spec, device=pick_device(device)))


def load_to_train(options: ModelOptions, device: str | None, say: OnMessage) -> LanguageModel:
    """Open the frozen language model of a recipe.

    Raises:
        ModelNotFoundError: If it is not found.
    """
    place = pick_device(device)
    return load_language_model(
        options.language_model,
        device=place,
        dtype=pick_dtype(place, options.dtype),
        # On the CPUs tried, the backward pass of eager attention is the faster one.
        attention=options.attention or ("eager" if place.type == "cpu" else None),
        on_message=say,
    )


def _split(options: PassageOptions, index: PassageIndex) -> Splits:
    splitter = PassageSplitter(
        validation=options.validation,
        report=options.report,
        keep_out=options.keep_out,
        questions=options.questions,
    )
    return splitter.split(rows_of(index), limit=options.limit)
