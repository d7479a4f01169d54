"""Prompt layouts by name: how a question and its passages are worded for a language model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerBase

from xorag.data.questions import Task
from xorag.errors import UsageError
from xorag.generation.control import Piece, Quoted, SoftToken, Trusted

PUBLISHED_PLACEHOLDER = "<xRAG>"
PassageWords = str | Sequence[Piece] | None
"""What stands in a prompt for a passage: its text, pieces of it, or None for one soft token."""
_SENTINEL = "\ue000content\ue001"  # private-use characters, so that no template treats them


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a user's turn, up to where the model begins to write."""

    before: str
    after: str
    with_bos: bool
    """Whether the tokenizer's leading ids come first; a chat template writes its own."""
    before_next: str | None = None
    """What stands before a further turn, after the end mark of an answer; unset: unknown."""

    def around(self, turn: Sequence[Piece]) -> list[Piece]:
        """Put the frame around the pieces of a turn."""
        return [Trusted(self.before), *turn, Trusted(self.after)]


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a question's turn, which are the layout's own and therefore trusted."""

    task: str
    """What to do with a question alone."""
    task_with_background: str
    """What to do with a question and passages."""
    question: str
    """What stands before the question."""
    question_end: str = ""
    answer: str = ""
    """What begins the answer, after the frame."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A frame and the words inside it."""

    name: str
    frame: Frame
    wording: Wording
    stop: str | None = None
    """Text at which an answer ends, where the model may not write an end mark."""
    by_task: Mapping[Task, Wording] = field(default_factory=dict)
    """Words for tasks that `wording` does not suit."""

    def question_pieces(
        self, question: str, passages: Sequence[PassageWords], task: Task = "qa"
    ) -> list[Piece]:
        """The whole prompt of a question.

        Args:
            question: As the user wrote it, with the choices that it offers, if any.
            passages: What stands for each passage.
            task: What the question wants; the layout may have words of its own for it.
        """
        words = self._words(task)
        end = words.question_end
        if end:
            question = question.rstrip().removesuffix(end)
        opening = words.task_with_background + "Background: " if passages else words.task
        turn: list[Piece] = [Trusted(opening)]
        follows_soft = False
        for number, passage in enumerate(passages):
            pieces = _pieces(passage)
            is_soft = not any(isinstance(piece, Quoted) for piece in pieces)
            if number:
                turn.append(Trusted(" " if is_soft and follows_soft else "\n\n"))
            turn += pieces
            follows_soft = is_soft
        before_question = "\n\n" + words.question if passages else words.question
        turn += [Trusted(before_question), Quoted(question.strip()), Trusted(end)]
        return [*self.frame.around(turn), Trusted(words.answer)]

    def begins_answer(self, task: Task = "qa") -> bool:
        """Whether the layout writes the answer's first words, after which a space comes."""
        return bool(self._words(task).answer)

    def _words(self, task: Task) -> Wording:
        return self.by_task.get(task, self.wording)


def _pieces(words: PassageWords) -> Sequence[Piece]:
    if words is None:
        return [SoftToken()]
    return [Quoted(words)] if isinstance(words, str) else words


# Of seven wordings tried with the default model, the one that answered most questions of training
# rows from text (docs/log.md).
_SHORT = Wording(
    task="Answer the questions:\n\n",
    task_with_background="Refer to the background document and answer the questions:\n\n",
    question="Question: ",
    answer="Answer:",
)
_SHORT_BY_TASK: Mapping[Task, Wording] = MappingProxyType(
    {
        "claim": Wording(
            task='Is the claim true? Answer with "True" or "False".\n\n',
            task_with_background=(
                'Is the claim true? Answer with "True" or "False"; the background may help.\n\n'
            ),
            question="Claim: ",
        ),
        "choice": Wording(
            task="Answer the question with the letter of the right choice.\n\n",
            task_with_background=(
                "Answer the question with the letter of the right choice; "
                "the background may help.\n\n"
            ),
            question="Question: ",
        ),
        "long": Wording(
            task="Answer the question in one or two sentences.\n\n",
            task_with_background=(
                "Answer the question in one or two sentences; the background may help.\n\n"
            ),
            question="Question: ",
        ),
    }
)
_PLAIN = Wording(
    task="", task_with_background="", question="Question: ", question_end="?", answer="Answer:"
)
_PLAIN_BY_TASK: Mapping[Task, Wording] = MappingProxyType(
    {
        "claim": Wording(
            task="", task_with_background="", question="Claim: ", answer="True or False:"
        ),
        "choice": replace(_PLAIN, question_end=""),
    }
)
_XRAG = Wording(
    task="Answer the questions:\n\n",
    task_with_background="Refer to the background document and answer the questions:\n\n",
    question="Question: ",
    question_end="?",
    answer=" The answer is:",
)
_XRAG_CLAIMS = Wording(
    task='Verify the following claims with "True" or "False":\n\n',
    task_with_background=(
        "Refer to the background document and verify the following claims with "
        '"True" or "False":\n\n'
    ),
    question="Claim: ",
    answer=" The answer is:",
)
_XRAG_BY_TASK: Mapping[Task, Wording] = MappingProxyType(
    {"claim": _XRAG_CLAIMS, "choice": replace(_XRAG, question_end="")}
)
# Open-RAG (arXiv 2410.01782): the question itself is the instruction. What a task other than plain
# questions wants is said in the words of the chat layout.
_OPENRAG = Wording(task="", task_with_background="", question="")
_OPENRAG_BY_TASK: Mapping[Task, Wording] = MappingProxyType(
    {
        task: replace(words, question="Claim: " if task == "claim" else "")
        for task, words in _SHORT_BY_TASK.items()
    }
)
_RESPONSE = Frame("### Instruction:\n", "\n\n### Response:\n", with_bos=True)
_MISTRAL_TURN = Frame("[INST] ", " [/INST]", with_bos=True, before_next="[INST] ")


def _chat(tokenizer: PreTrainedTokenizerBase) -> Layout:
    return Layout("chat", chat_frame(tokenizer), _SHORT, by_task=_SHORT_BY_TASK)


def _plain(_tokenizer: PreTrainedTokenizerBase) -> Layout:
    frame = Frame("", "\n", with_bos=True, before_next="")
    return Layout("plain", frame, _PLAIN, "\n", _PLAIN_BY_TASK)


def _xrag(_tokenizer: PreTrainedTokenizerBase) -> Layout:
    return Layout("xrag", _MISTRAL_TURN, _XRAG, by_task=_XRAG_BY_TASK)


def _xrag_claims(_tokenizer: PreTrainedTokenizerBase) -> Layout:
    return Layout("xrag-claims", _MISTRAL_TURN, _XRAG_CLAIMS)


def _openrag(_tokenizer: PreTrainedTokenizerBase) -> Layout:
    return Layout("openrag", _RESPONSE, _OPENRAG, by_task=_OPENRAG_BY_TASK)


LAYOUTS: Mapping[str, Callable[[PreTrainedTokenizerBase], Layout]] = MappingProxyType(
    {
        "chat": _chat,
        "plain": _plain,
        "xrag": _xrag,
        "xrag-claims": _xrag_claims,
        "openrag": _openrag,
    }
)


def layout_named(name: str | None, tokenizer: PreTrainedTokenizerBase) -> Layout:
    """The layout of that name for a tokenizer; unset, the model's chat layout, else the plain one.

    Raises:
        UsageError: If there is no such layout, or the tokenizer has no usable chat template.
    """
    if name is None:
        name = "chat" if tokenizer.chat_template else "plain"
    if name not in LAYOUTS:
        raise UsageError(f"no prompt layout {name!r}; give one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name](tokenizer)


def chat_frame(tokenizer: PreTrainedTokenizerBase) -> Frame:
    """What the model's own chat template writes around one user turn.

    The template sees a sentinel instead of the turn, so that no user's text passes through it.

    Raises:
        UsageError: If there is no chat template, or it does not write the turn once.
    """
    if not tokenizer.chat_template:
        raise UsageError(
            f"the model {tokenizer.name_or_path!r} has no chat template; give --layout plain"
        )
    parts = _around_contents(tokenizer, [("user", _SENTINEL)])
    if len(parts) != 2:  # noqa: PLR2004 - before and after
        raise UsageError(
            f"the chat template of {tokenizer.name_or_path!r} writes the user's turn "
            f"{len(parts) - 1} times instead of once; give --layout plain"
        )
    return Frame(parts[0], parts[1], with_bos=False, before_next=_before_next(tokenizer, parts))


def _before_next(tokenizer: PreTrainedTokenizerBase, single: Sequence[str]) -> str | None:
    """What the template writes between the end mark of an answer and a second user turn."""
    roles = ("user", "assistant", "user")
    try:
        parts = _around_contents(tokenizer, [(role, _SENTINEL) for role in roles])
    except UsageError:
        return None  # a template for one turn; a second one is refused when it is asked for
    end = str(tokenizer.eos_token)
    if len(parts) != len(roles) + 1 or not parts[2].startswith(end):
        return None
    is_alike = [parts[0], parts[1], parts[3]] == [*single, single[1]]
    return parts[2].removeprefix(end) if is_alike else None


def _around_contents(
    tokenizer: PreTrainedTokenizerBase, turns: Sequence[tuple[str, str]]
) -> list[str]:
    """What the chat template writes around the contents of a conversation's turns.

    Raises:
        UsageError: If the template fails.
    """
    conversation = [{"role": role, "content": content} for role, content in turns]
    try:
        rendered = tokenizer.apply_chat_template(
            conversation, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    except (TemplateError, TypeError, ValueError) as error:
        raise UsageError(
            f"the chat template of {tokenizer.name_or_path!r} fails ({error}); give --layout plain"
        ) from error
    return str(rendered).split(_SENTINEL)
