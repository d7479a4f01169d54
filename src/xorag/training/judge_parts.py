"""What a run that teaches a reader to judge soft tokens is made of, built from its recipe."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xorag.artifact.manifest import EncoderSpec
from xorag.compression.model import SoftTokenModel
from xorag.compression.pretrained import find_projector, shipped_projector
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import (
    base_model_shape,
    check_fits_encoder,
    check_fits_model,
    load_projector,
)
from xorag.config.judge_recipe import JudgeRecipe
from xorag.data.instructions.reading import Instruction, read_instructions
from xorag.errors import ProjectorMismatchError
from xorag.generation.calibration_artifact import reader_fingerprint
from xorag.generation.control import PromptEncoder
from xorag.generation.judging_prompts import JudgingPrompts
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import word_means
from xorag.generation.reader.opening import Reader, open_reader
from xorag.generation.token_judge_artifact import is_for_judging
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.seeds import seed_libraries
from xorag.training.adapters import add_adapters
from xorag.training.candidate_embeddings import CandidateEmbeddings
from xorag.training.judge_examples import CandidateSplits, split_candidates
from xorag.training.judge_objective import JudgeObjective
from xorag.training.progress import OnMessage
from xorag.types import ReflectionToken

LAYOUT = "openrag"


@dataclass(frozen=True, slots=True)
class JudgeParts:
    """The parts of a run."""

    reader: Reader
    fingerprint: str
    """Of the reader before it got adapters."""
    encoder: EncoderSpec
    prompts: JudgingPrompts
    splits: CandidateSplits
    embed: CandidateEmbeddings
    objective: JudgeObjective

    @property
    def projector(self) -> Projector:
        """The part that trains."""
        return self.objective.reader.projector


def build_judge_parts(recipe: JudgeRecipe, device: str | None, say: OnMessage) -> JudgeParts:
    """Open the reader, the projector and the encoder, read the questions and split them.

    Raises:
        ArtifactError: If a reader or projector is incomplete or altered.
        ConfigError: If too few questions are left.
        IndexNotFoundError: If there is no index of that name.
        ModelNotFoundError: If there is no such reader, language model or encoder.
        ProjectorMismatchError: If there is no projector to begin with, it does not fit, or a judge
            to go on from has other adapters than the recipe asks for.
        SourceError: If a file of questions cannot be read.
    """
    reader = _reader(recipe, device, say)
    model, ids = reader.language.model, reader.vocabulary.ids
    fingerprint = reader_fingerprint(model, reader.vocabulary.ordered_ids)
    start = load_projector(_start(recipe, reader))
    if reader.manifest is not None and reader.manifest.base_model is not None:
        check_fits_model(start.manifest, reader.manifest.base_model)
    encoder = _encoder(recipe, start.manifest.encoder, device)
    check_fits_encoder(start.manifest, encoder.spec)
    seed_libraries(recipe.train.seed)  # torch draws adapters' weights from the global generator
    soft = SoftTokenModel(model, start.projector.to(model.device))
    # Adapters of a projector that was trained for answers are another model's.
    begun = start.adapters if is_for_judging(start.manifest) else None
    add_adapters(model, recipe.lora, begun)
    prompts = _prompts(reader, soft)
    say("reading the questions")
    splits = split_candidates(
        _read(recipe.examples.files),
        prompts,
        validation=recipe.examples.validation,
        report=recipe.examples.report,
        max_tokens=recipe.examples.max_tokens,
        limit=recipe.examples.limit,
    )
    say(f"{len(splits.train)} questions to train on, {splits.dropped} dropped")
    embed = _embeddings(recipe, encoder, splits, say)
    objective = JudgeObjective(
        soft,
        (ids[ReflectionToken.RELEVANT], ids[ReflectionToken.IRRELEVANT]),
        each_weight=recipe.loss.each_weight,
        list_weight=recipe.loss.list_weight,
    )
    return JudgeParts(reader, fingerprint, encoder.spec, prompts, splits, embed, objective)


def _reader(recipe: JudgeRecipe, device: str | None, say: OnMessage) -> Reader:
    place = pick_device(device)
    return open_reader(
        recipe.reader.source,
        device=place,
        dtype=pick_dtype(place, recipe.reader.dtype),
        model=recipe.reader.language_model,
        # On the CPUs tried, the backward pass of eager attention is the faster one.
        attention=recipe.reader.attention or ("eager" if place.type == "cpu" else None),
        on_message=say,
    )


def _prompts(reader: Reader, soft: SoftTokenModel) -> JudgingPrompts:
    encoder = PromptEncoder(reader.language.tokenizer)
    layout = layout_named(LAYOUT, reader.language.tokenizer)
    return JudgingPrompts(encoder, layout, word_means(soft, encoder))


def _start(recipe: JudgeRecipe, reader: Reader) -> Path:
    """The projector to begin with."""
    if recipe.start_from is not None:
        return find_projector(recipe.start_from)
    made_of = reader.manifest.base_model if reader.manifest else None
    shape = made_of or base_model_shape(reader.language.model, reader.language.name)
    found = shipped_projector(shape, None)
    if found is None:
        raise ProjectorMismatchError(
            f"no projector for {shape.name!r} comes with xorag; name one with start_from, made by "
            "`xorag train projector`"
        )
    return found


def _encoder(recipe: JudgeRecipe, named: EncoderSpec | None, device: str | None) -> Encoder:
    """The encoder of the recipe, else the one that the projector was trained with."""
    place = pick_device(device)
    if recipe.encoder is not None:
        return Encoder.open(recipe.encoder, device=place)
    if named is None:
        raise ProjectorMismatchError(
            "the projector to begin with names no encoder; name it with encoder=NAME"
        )
    return Encoder.from_spec(named, device=place)


def _read(files: tuple[Path, ...]) -> Iterator[Instruction]:
    for file in files:
        yield from read_instructions(file)


def _embeddings(
    recipe: JudgeRecipe, encoder: Encoder, splits: CandidateSplits, say: OnMessage
) -> CandidateEmbeddings:
    embed = CandidateEmbeddings(PieceEmbedder(encoder))
    if recipe.examples.index is None:
        return embed
    say("looking the passages up in the index")
    wanted = {
        (passage.title, passage.text)
        for item in (*splits.train, *splits.validation, *splits.report)
        for passage in (*item.supporting, *item.others)
    }
    found = embed.look_up(PassageIndex.open(recipe.examples.index), wanted)
    say(f"the index holds {found} of {len(wanted)} passages; the others are encoded when needed")
    return embed
