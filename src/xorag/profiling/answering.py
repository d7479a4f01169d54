"""One measured run: a batch of questions answered as the pipeline answers them.

The search in the index is left out: it is the same for every mode that retrieves, and no
operations of a model. Knows nothing of repetitions.
"""

from collections.abc import Sequence

from xorag.generation.prompting import Context
from xorag.profiling.cells import Cell
from xorag.profiling.material import Material
from xorag.profiling.meter import Meter, Part
from xorag.profiling.parts import Parts
from xorag.retrieval.pieces import PieceEmbedder
from xorag.types import FloatArray, Form, Hit, Mode, Prompt


class Answering:
    """Answers batches of a material's questions."""

    def __init__(self, parts: Parts, material: Material, *, stored_pieces: int = 0) -> None:
        """Take what is to be read.

        Args:
            parts: Models and prompt code.
            material: Questions and passages.
            stored_pieces: Pieces a passage whose embeddings the index holds, so that they need
                not be encoded; 0: none but the passage's own.
        """
        self.parts = parts
        self._material = material
        self._stored_pieces = stored_pieces
        self._kept = PieceEmbedder(parts.encoder)
        self._on_the_fly = PieceEmbedder(parts.encoder, cached_pieces=0)

    def run(self, cell: Cell, meter: Meter) -> list[Prompt]:
        """Answer one batch, and give the prompts that were read.

        Raises:
            PromptTooLongError: If a prompt exceeds what the language model reads.
        """
        setting, parts = cell.setting, self.parts
        questions = [self._material.questions[i] for i in self._places(cell)]
        hits = [self._material.hits[i][: setting.k] for i in self._places(cell)]
        with meter.watching(parts.language.model, parts.reader.projector, parts.encoder.networks):
            if cell.mode is not Mode.CLOSED:
                with meter.part(Part.ENCODE_QUERY):
                    parts.encoder.encode_queries(questions)
            pieces = self._pieces(hits, setting.tokens_per_passage, meter)
            with meter.part(Part.WORD):
                prompts = [
                    parts.builder.build(question, _context(cell.mode, row, of_row))
                    for question, row, of_row in zip(questions, hits, pieces, strict=True)
                ]
            with meter.part(Part.LOOP):
                parts.generator.generate(prompts, max_new_tokens=setting.new_tokens)
        return prompts

    def tokens_of_a_question(self, cell: Cell) -> float:
        """Tokens of a prompt with its passages taken out, q of the formula, on average.

        Of a closed cell, its whole prompt.
        """
        counts = [self._tokens_without_passages(i, cell) for i in self._places(cell)]
        return sum(counts) / len(counts)

    def tokens_of_a_passage(self, cell: Cell) -> float | None:
        """Tokens that the cell's passages would take as text, on average; None without any."""
        rows = [self._material.hits[i] for i in self._places(cell)]
        counts = [
            self.parts.builder.tokens_as_text(hit.passage)
            for hits in rows
            for hit in hits[: cell.setting.k]
        ]
        return sum(counts) / len(counts) if counts else None

    def _tokens_without_passages(self, place: int, cell: Cell) -> int:
        """Tokens of a prompt with one soft token, less that one; nothing parts it from others."""
        question, build = self._material.questions[place], self.parts.builder.build
        if cell.mode is Mode.CLOSED:
            return len(build(question, []).token_ids)
        first = Context(self._material.hits[place][0], Form.TOKEN)
        return len(build(question, [first]).token_ids) - 1

    def _places(self, cell: Cell) -> list[int]:
        """Which questions the batch holds; from the first again where there are too few."""
        return [i % len(self._material.questions) for i in range(cell.setting.batch)]

    def _pieces(
        self, hits: Sequence[Sequence[Hit]], tokens: int, meter: Meter
    ) -> list[list[FloatArray | None]]:
        """What each passage's soft tokens are made from; None: its stored embedding."""
        if tokens <= 1:
            return [[None] * len(row) for row in hits]
        passages = [hit.passage for row in hits for hit in row]
        counts = [tokens] * len(passages)
        if tokens == self._stored_pieces:
            found = iter(self._kept.embed(passages, counts))
        else:
            with meter.part(Part.ENCODE_PIECES):
                found = iter(self._on_the_fly.embed(passages, counts))
        return [[next(found) for _ in row] for row in hits]


def _context(mode: Mode, hits: Sequence[Hit], pieces: Sequence[FloatArray | None]) -> list[Context]:
    form = Form.TOKEN if mode is Mode.XRAG else Form.TEXT
    return [Context(hit, form, of_hit) for hit, of_hit in zip(hits, pieces, strict=True)]
