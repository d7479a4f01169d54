"""The whole of xorag in one place: retrieve, put passages into the prompt, generate, answer.

    from xorag import Pipeline
    pipeline = Pipeline.open(index="my-index")
    print(pipeline.ask("Who wrote Emma?", mode="xrag").answer)

Each step is a part of its own that can be swapped: a retriever, a choice of forms, a prompt
builder, a generator. What they take and return is in `xorag.types`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch

from xorag.compression.model import SoftTokenModel
from xorag.compression.pretrained import open_projector
from xorag.compression.projector_artifact import base_model_shape
from xorag.errors import IndexNotFoundError, ProjectorMismatchError, UsageError
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import Generator, TransformersGenerator
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import Context, PromptBuilder
from xorag.retrieval.timed import IndexOnDemand, TimedHits, TimedRetriever
from xorag.runtime.device import pick_device, pick_dtype
from xorag.runtime.loading import load_language_model
from xorag.runtime.sources import default_index_path
from xorag.types import Answer, Cost, Evidence, Form, Generation, Hit, Mode, Prompt, Seconds

MAX_NEW_TOKENS = 32
ChooseForms = Callable[[Mode, Sequence[Hit]], list[Form]]
"""In which form each passage of a question stands in the prompt."""

_FORM_OF_MODE: Mapping[Mode, Form] = MappingProxyType({Mode.TEXT: Form.TEXT, Mode.XRAG: Form.TOKEN})


def one_form(mode: Mode, hits: Sequence[Hit]) -> list[Form]:
    """All passages as text, or all as soft tokens, as the mode says."""
    return [_FORM_OF_MODE[mode]] * len(hits)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way to an answer."""

    question: str
    mode: Mode
    context: tuple[Context, ...]
    prompt: Prompt


class Pipeline:
    """Answers questions over an index, and says what each answer rests on and cost."""

    def __init__(
        self,
        builder: PromptBuilder,
        generator: Generator,
        retriever: TimedRetriever | None = None,
        *,
        choose_forms: ChooseForms = one_form,
        has_projector: bool = True,
    ) -> None:
        """Put a pipeline together from its parts; `Pipeline.open` does it for parts by name.

        Args:
            builder: Words prompts.
            generator: Answers them.
            retriever: Finds passages; without one, only closed questions can be asked.
            choose_forms: Decides how each passage is read.
            has_projector: Whether the generator reads soft tokens.
        """
        self.builder = builder
        self.generator = generator
        self.retriever = retriever
        self._choose_forms = choose_forms
        self._has_projector = has_projector

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        *,
        model: str | None = None,
        encoder: str | None = None,
        projector: str | Path | None = None,
        layout: str | None = None,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
    ) -> "Pipeline":
        """Open an index, the models that belong to it, and the projector between them.

        Args:
            index: A directory made by `xorag index`; unset, the demo's, if it was made.
            model: A causal language model: folder, known name or hub name.
            encoder: Of the queries; unset, the one that the index was made with.
            projector: A directory; unset, one that comes with xorag and fits.
            layout: Of the prompts; unset, the projector's own or the model's chat template.
            device: Such as `cpu` or `cuda`; unset, the best here.
            dtype: Such as `bfloat16`; unset, the fastest here.

        Raises:
            IndexMismatchError: If the index was made with another encoder (at the first search).
            IndexNotFoundError: If an index was named and is not there.
            ModelNotFoundError: If a model was not found.
            ProjectorMismatchError: If the projector fits not this model or index.
        """
        place = device if isinstance(device, torch.device) else pick_device(device)
        retriever = _open_index(index, encoder, place)
        kind = dtype if isinstance(dtype, torch.dtype) else pick_dtype(place, dtype)
        language = load_language_model(model, device=place, dtype=kind)
        saved = open_projector(
            Path(projector) if projector is not None else None,
            base_model_shape(language.model, language.name),
            retriever.manifest.encoder if retriever else None,
        )
        prompts = PromptEncoder(
            language.tokenizer, placeholder=saved.manifest.placeholder if saved else None
        )
        layout = layout or (saved.manifest.settings.get("layout") if saved else None)
        builder = PromptBuilder(prompts, layout_named(layout, language.tokenizer))
        reader = SoftTokenModel(language.model, saved.projector.to(place)) if saved else None
        generator = TransformersGenerator(reader or language.model, prompts)
        return cls(builder, generator, retriever, has_projector=saved is not None)

    def ask(
        self,
        question: str,
        *,
        mode: Mode | str = Mode.XRAG,
        k: int = 1,
        max_new_tokens: int = MAX_NEW_TOKENS,
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        """Answer one question.

        Args:
            question: In plain words; nothing in it becomes a control token.
            mode: `closed`, `text` or `xrag`.
            k: Passages to read.
            max_new_tokens: Where the answer is cut.
            on_text: Gets the answer's text piece by piece as it is written.

        Raises:
            IndexNotFoundError: If passages are to be read and there is no index.
            ProjectorMismatchError: If soft tokens are to be read and there is no projector.
            PromptTooLongError: If the prompt exceeds what the language model reads.
            UsageError: If the question is empty, k less than 1, or the mode unknown.
        """
        answers = self._answer([question], _mode(mode), k, max_new_tokens, on_text)
        return answers[0]

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        mode: Mode | str = Mode.XRAG,
        k: int = 1,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> list[Answer]:
        """Answer questions in batches, in the order given; raises as `ask` does.

        The seconds of each answer are its share: those of all divided by their number.
        """
        return self._answer(questions, _mode(mode), k, max_new_tokens, None)

    def _answer(
        self,
        questions: Sequence[str],
        mode: Mode,
        k: int,
        max_new_tokens: int,
        on_text: Callable[[str], None] | None,
    ) -> list[Answer]:
        found = self._retrieve(questions, mode, k)
        start = time.perf_counter()
        asked = [
            self._word(question, mode, hits)
            for question, hits in zip(questions, found.hits, strict=True)
        ]
        generating = time.perf_counter()
        generations = self.generator.generate(
            [item.prompt for item in asked],
            max_new_tokens=max_new_tokens,
            stop=self.builder.layout.stop,
            on_text=on_text,
        )
        end = time.perf_counter()
        share = 1 / max(1, len(questions))
        seconds = Seconds(
            encode=found.encode_seconds * share,
            search=found.search_seconds * share,
            generate=(end - generating) * share,
            total=(found.encode_seconds + found.search_seconds + end - start) * share,
        )
        pairs = zip(asked, generations, strict=True)
        return [self._finish(item, generation, seconds) for item, generation in pairs]

    def prepare(self, mode: Mode | str) -> None:
        """Open what a mode needs, so that the first question does not wait for it; raises as `ask`.

        Without it, the index's encoder is opened at the first question that needs it.
        """
        if _mode(mode) is not Mode.CLOSED:
            self._needed_retriever(_mode(mode)).open()

    def _retrieve(self, questions: Sequence[str], mode: Mode, k: int) -> TimedHits:
        """Find what the questions shall be answered from."""
        if empty := [question for question in questions if not question.strip()]:
            raise UsageError(f"the question is empty, got {empty[0]!r}; ask something")
        if k < 1:
            raise UsageError(f"k must be at least 1, got {k}; use mode 'closed' for no passage")
        if mode is Mode.CLOSED:
            return TimedHits([[] for _ in questions])
        return self._needed_retriever(mode).find(questions, k=k)

    def _needed_retriever(self, mode: Mode) -> TimedRetriever:
        """The retriever, if there is all that the mode needs."""
        if self.retriever is None:
            raise IndexNotFoundError(
                f"there is no index at {str(default_index_path())!r}, the demo's place; name one "
                "with --index, make the demo's with `make demo`, or use mode 'closed'"
            )
        if mode is Mode.XRAG and not self._has_projector:
            raise ProjectorMismatchError(
                "no projector fits this language model and index; name one with --projector, "
                "train one with `xorag train projector`, or use mode 'text'"
            )
        return self.retriever

    def _word(self, question: str, mode: Mode, hits: Sequence[Hit]) -> _Asked:
        """Put a question and its passages into a prompt."""
        forms = self._choose_forms(mode, hits) if hits else []
        context = tuple(Context(hit, form) for hit, form in zip(hits, forms, strict=True))
        return _Asked(question, mode, context, self.builder.build(question, context))

    def _finish(self, asked: _Asked, generation: Generation, seconds: Seconds) -> Answer:
        """Say what an answer rests on and what it cost."""
        as_text = [self.builder.tokens_as_text(item.hit.passage) for item in asked.context]
        evidence = tuple(
            Evidence(
                item.hit.passage, item.hit.score, item.form, count if item.form is Form.TEXT else 1
            )
            for item, count in zip(asked.context, as_text, strict=True)
        )
        cost = Cost(
            prompt_tokens=len(asked.prompt.token_ids),
            passage_tokens_as_text=sum(as_text),
            passage_tokens_used=sum(item.tokens for item in evidence),
            generated_tokens=len(generation.token_ids),
            seconds=seconds,
        )
        return Answer(asked.question, asked.mode, generation.text, evidence, cost)


def _mode(mode: Mode | str) -> Mode:
    try:
        return Mode(mode)
    except ValueError as error:
        known = ", ".join(known.value for known in Mode)
        raise UsageError(f"no mode {mode!r}; give one of {known}") from error


def _open_index(
    index: str | Path | None, encoder: str | None, device: torch.device
) -> IndexOnDemand | None:
    """The index that was named, else the demo's, else none."""
    directory = default_index_path() if index is None else Path(index)
    if index is None and not directory.exists():
        return None
    return IndexOnDemand(directory, encoder=encoder, device=device)
