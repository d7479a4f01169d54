"""The passages that a projector learns to restate, as examples to train on and to measure by."""

from dataclasses import dataclass

import numpy as np

from xorag.compression.model import SoftTokenModel
from xorag.config.passage_options import PassageOptions
from xorag.config.training_options import TrainOptions
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import Layout
from xorag.generation.prompting import word_means
from xorag.pipeline.forms.rarity import VocabularyRarity
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.pieces import PieceEmbedder
from xorag.training.embeddings import RowEmbedder
from xorag.training.evaluation import TokenLosses, measure_losses
from xorag.training.examples import Collator, Condition, ParaphraseExamples, Wordings
from xorag.training.forms import shown_forms
from xorag.training.own_details import OwnDetails
from xorag.training.plan import Choices, draw_plan, fixed_plan
from xorag.training.splits import IndexRow, PassageSplitter, Splits, rows_of
from xorag.training.trainer import examples_a_step
from xorag.training.wordings import PARAPHRASE_INSTRUCTIONS

_SEED = 0
"""Of the details that are drawn: a passage shows other ones each time that it is restated."""


@dataclass(frozen=True, slots=True)
class Restating:
    """Passages of an index, split, with what puts them into words and into embeddings."""

    index: PassageIndex
    splits: Splits
    embed: RowEmbedder
    wordings: Wordings
    options: PassageOptions

    def training_examples(self, train: TrainOptions, *, has_contrast: bool) -> ParaphraseExamples:
        """All epochs of the passages to train on, in batches of like length."""
        plan = draw_plan(
            np.array([row.length for row in self.splits.train], np.int64),
            epochs=train.epochs,
            batch_size=examples_a_step(train),
            seed=train.seed,
            choices=Choices(
                len(PARAPHRASE_INSTRUCTIONS),
                self.options.rates,
                [form.share for form in self.wordings.details.forms],
            ),
        )
        return ParaphraseExamples(
            self.splits.train, plan, self.embed, self.wordings, has_contrast=has_contrast
        )

    def conditions(
        self, rows: list[IndexRow], rate: int = 1, form: int = 0
    ) -> dict[Condition, ParaphraseExamples]:
        """The same passages with the right, no and wrong soft tokens."""
        plan = fixed_plan(len(rows), rate, form)
        return {
            condition: ParaphraseExamples(
                rows, plan, self.embed, self.wordings, condition=condition
            )
            for condition in (Condition.RIGHT, Condition.NONE, Condition.WRONG)
        }

    def reported_losses(
        self, reader: SoftTokenModel, *, pad_id: int, batch_size: int
    ) -> dict[int, TokenLosses]:
        """On the passages held out for the report, at one soft token and at each trained rate."""
        return {
            rate: self._measured(reader, pad_id, batch_size, rate=rate)
            for rate in sorted({1, *self.options.rates})
        }

    def reported_losses_by_form(
        self, reader: SoftTokenModel, *, pad_id: int, batch_size: int
    ) -> dict[str, TokenLosses]:
        """On the same, for each form that shows something beside one soft token."""
        showing = list(enumerate(self.wordings.details.forms))[1:]
        return {
            form.name: self._measured(reader, pad_id, batch_size, form=place)
            for place, form in showing
        }

    def _measured(
        self,
        reader: SoftTokenModel,
        pad_id: int,
        batch_size: int,
        *,
        rate: int = 1,
        form: int = 0,
    ) -> TokenLosses:
        return measure_losses(
            reader,
            self.conditions(self.splits.report, rate, form),
            collate=Collator(pad_id),
            batch_size=batch_size,
        )


def open_restating(
    options: PassageOptions,
    index: PassageIndex,
    reader: SoftTokenModel,
    encoder: PromptEncoder,
    layout: Layout,
    pieces: PieceEmbedder | None,
) -> Restating:
    """Split the passages of an index and put them into words.

    Args:
        options: Which passages are for what.
        index: That holds them.
        reader: Whose projector reads them.
        encoder: Of prompts.
        layout: Of prompts.
        pieces: Embeds parts of passages; needed where a rate is above one.

    Raises:
        ConfigError: If too few passages are left to train on.
        SourceError: If a file of ids or questions cannot be read.
    """
    splitter = PassageSplitter(
        validation=options.validation,
        report=options.report,
        keep_out=options.keep_out,
        questions=options.questions,
    )
    details = OwnDetails(encoder, VocabularyRarity(encoder), _SEED, shown_forms(options))
    return Restating(
        index,
        splitter.split(rows_of(index), limit=options.limit),
        RowEmbedder(index, word_means(reader, encoder), pieces),
        Wordings(encoder, layout, PARAPHRASE_INSTRUCTIONS, details, options.max_tokens),
        options,
    )
