"""How passages are read: as the call says, each in its own form, or as a caller decides."""

from collections.abc import Sequence

from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.prompting import PromptBuilder
from xorag.generation.protocol import Generator
from xorag.pipeline.answers import CountsTokens
from xorag.pipeline.forms.auto import Auto
from xorag.pipeline.forms.candidates import ListsCandidates
from xorag.pipeline.forms.first_token import FirstTokens
from xorag.pipeline.forms.fixed import FixedForm
from xorag.pipeline.forms.gain import BySimilarity, ExpectsGains
from xorag.pipeline.forms.rarity import VocabularyRarity
from xorag.pipeline.forms.scoring import scored_sentences
from xorag.pipeline.forms.similarity import with_similarities, with_whole_similarities
from xorag.pipeline.options import Asking
from xorag.retrieval.timed import STORED_PIECES, TimedEmbedder, TimedHits
from xorag.types import MAX_TOKENS_PER_PASSAGE, ChooseReadings, Form, Hit, Reading

_SHOWING = frozenset({Form.STRINGS, Form.SENTENCES})


class Forms:
    """Chooses what is shown of passages, with one language model's vocabulary."""

    def __init__(
        self,
        encoder: PromptEncoder,
        most_tokens: int | None = None,
    ) -> None:
        """Read a vocabulary.

        Args:
            encoder: Of the language model's tokenizer.
            most_tokens: Soft tokens a passage that the projector was trained for, where known.
        """
        self._encoder = encoder
        self._most_tokens = most_tokens or MAX_TOKENS_PER_PASSAGE
        self.gains: ExpectsGains = BySimilarity()
        """What each form is worth, where a call leaves it to be chosen."""
        self.first_tokens: FirstTokens | None = None
        """Asks the language model what calibrated gains rest on; None where there is none."""
        self._rarity = VocabularyRarity(encoder)

    @classmethod
    def of(
        cls, builder: PromptBuilder, generator: Generator, most_tokens: int | None = None
    ) -> "Forms":
        """With a language model that can be asked for its first token."""
        forms = cls(builder.encoder, most_tokens)
        forms.first_tokens = FirstTokens(builder, generator)
        return forms

    def chooser(
        self, asking: Asking, custom: ChooseReadings | None, counter: CountsTokens
    ) -> ChooseReadings | None:
        """What decides how each passage of a call is read; None where none is read.

        Args:
            asking: What the call asks for.
            custom: Decides where the call names neither a form nor a number of soft tokens.
            counter: What words the prompts.
        """
        if asking.reading is None:
            return None
        if custom is not None and not asking.is_reading_named:
            return custom
        if asking.budget is not None:
            lists = self.candidates(counter, asking.reading.tokens)
            return Auto(asking.budget, lists, self.gains)
        return FixedForm(asking.reading, asking.shown, self._rarity, self._count)

    def candidates(self, counter: CountsTokens, tokens: int = 1) -> ListsCandidates:
        """What lists the forms of a passage.

        Args:
            counter: What words the prompts.
            tokens: Soft tokens a passage that the call asks for.
        """
        return ListsCandidates(self._rarity, self._count, counter, tokens, self._most_tokens)

    def compared(
        self,
        questions: Sequence[str],
        found: TimedHits,
        asking: Asking,
        embedder: TimedEmbedder | None,
    ) -> TimedHits:
        """The hits with their pieces compared to the question, where the form uses that.

        Stored pieces always are; others are encoded for those passages only whose sentences share
        no word with the question, since words choose as well and cost nothing (decision 017).
        Where calibrated gains choose the forms, the language model is asked for its first token.
        """
        if asking.reading is None:
            return found
        if asking.budget is not None:
            whole = with_whole_similarities(questions, found, embedder)
            compared = with_similarities(questions, whole, embedder, encode=_never)
            if self.first_tokens is None or not self.gains.needs_first_token:
                return compared
            return self.first_tokens.noted(questions, compared, embedder, asking.task)
        if asking.reading.form not in _SHOWING:
            return found
        is_encoded = asking.reading.form is Form.SENTENCES
        encode = self._is_undecided if is_encoded else _never
        return with_similarities(questions, found, embedder, encode=encode)

    def _count(self, text: str) -> int:
        return self._encoder.count([Quoted(text)])

    def _is_undecided(self, question: str, hit: Hit) -> bool:
        """Whether there are several sentences, and the question's words choose none of them."""
        sentences = scored_sentences(question, hit, self._rarity)
        return len(sentences) > 1 and not any(sentence.score for sentence in sentences)


def wanted_pieces(reading: Reading, *, is_auto: bool = False) -> int:
    """Of how many pieces a passage the stored embeddings are asked for.

    A form that shows something compares whatever pieces there are.

    Args:
        reading: Of all passages.
        is_auto: Whether the form of each is chosen.
    """
    is_any = reading.tokens == 1 and (is_auto or reading.form in _SHOWING)
    return STORED_PIECES if is_any else reading.tokens


def _never(_question: str, _hit: Hit) -> bool:
    return False
