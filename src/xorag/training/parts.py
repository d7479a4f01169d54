"""What a training run is made of, built from its recipe."""

from dataclasses import dataclass

from transformers import PreTrainedModel

from xorag.compression.model import SoftTokenModel, embedding_width
from xorag.compression.projector import Projector
from xorag.config.passage_options import PassageOptions
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.config.training_options import ModelOptions
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import layout_named
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.loading import LanguageModel, load_language_model
from xorag.runtime.seeds import seed_libraries
from xorag.training.objective import ParaphraseObjective
from xorag.training.progress import OnMessage
from xorag.training.restating import Restating, open_restating


@dataclass(frozen=True, slots=True)
class RunParts:
    """The parts of a run."""

    language: LanguageModel
    restating: Restating
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
    seed_libraries(recipe.train.seed)  # torch draws a layer's weights from the global generator
    projector = Projector(
        index.spec.dimensions,
        embedding_width(language.model),
        recipe.projector.depth,
        linear_path=recipe.projector.linear_path,
        word_vocab=_vocabulary(language.model) if recipe.projector.words else 0,
    )
    reader = SoftTokenModel(language.model, projector.to(language.model.device))
    restating = open_restating(
        recipe.passages,
        index,
        reader,
        PromptEncoder(language.tokenizer),
        layout_named(recipe.model.layout, language.tokenizer),
        _pieces(recipe.passages, index, device, say),
    )
    objective = ParaphraseObjective(
        reader,
        contrast_weight=recipe.loss.contrast_weight,
        contrast_margin=recipe.loss.contrast_margin,
    )
    return RunParts(language, restating, objective)


def _vocabulary(model: PreTrainedModel) -> int:
    """Rows of the table that tokens are looked up in."""
    return len(model.get_input_embeddings().get_parameter("weight"))


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
