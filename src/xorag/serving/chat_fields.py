"""What OpenAI's clients send to `/v1/chat/completions`, and what of it is read.

What would change the answer and cannot be done is refused by name. What clients send by habit is
taken, not read, and told of in the answer's `xorag.ignored`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from xorag.errors import UsageError
from xorag.serving.ask_fields import AskFields

MAX_NEW_TOKENS = 128
"""Where an answer is cut, if the request does not say it."""
SAMPLING = ("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty")
LABELS = ("user", "metadata", "store", "service_tier", "parallel_tool_calls")
_Tokens = Annotated[int | None, Field(ge=1, le=2**31 - 1)]


class TextPart(BaseModel):
    """A part of a message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A turn of a conversation; further fields, such as a name, are not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """How a stream ends."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    include_usage: bool = False


class ChatBody(BaseModel):
    """A conversation whose last message is a question."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: Annotated[str, Field(description="`xorag-` and a mode; see `/v1/models`.")]
    messages: Annotated[
        list[Message], Field(min_length=1, description="The last, a user's, is the question.")
    ]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: _Tokens = None
    max_completion_tokens: _Tokens = None
    n: Annotated[int | None, Field(ge=1, le=1)] = None
    xorag: Annotated[AskFields, Field(description="As in `/api/ask`.")] = AskFields()
    temperature: Annotated[float | None, Field(description="Not read: decoding is greedy.")] = None
    top_p: Annotated[float | None, Field(description="Not read.")] = None
    seed: Annotated[int | None, Field(description="Not read.")] = None
    presence_penalty: Annotated[float | None, Field(description="Not read.")] = None
    frequency_penalty: Annotated[float | None, Field(description="Not read.")] = None
    user: Annotated[str | None, Field(description="Not read.")] = None
    metadata: Annotated[dict[str, Any] | None, Field(description="Not read.")] = None
    store: Annotated[bool | None, Field(description="Not read.")] = None
    service_tier: Annotated[str | None, Field(description="Not read.")] = None
    parallel_tool_calls: Annotated[bool | None, Field(description="Not read.")] = None

    @property
    def question(self) -> str:
        """The last message.

        Raises:
            UsageError: If it is not a user's.
        """
        last = self.messages[-1]
        if last.role != "user":
            raise UsageError(
                f"messages: the last one is the question and must be a user's, got {last.role!r}"
            )
        return last.text

    @property
    def new_tokens(self) -> int:
        """Where the answer is cut."""
        return self.max_completion_tokens or self.max_tokens or MAX_NEW_TOKENS

    @property
    def ignored(self) -> list[str]:
        """What came and was not read."""
        return list(self._ignored())

    def _ignored(self) -> Iterator[str]:
        if len(self.messages) > 1:
            yield "messages before the last"
        for name in (*SAMPLING, *LABELS):
            if getattr(self, name) is not None:
                yield name
