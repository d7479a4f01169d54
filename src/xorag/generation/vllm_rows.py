"""Rows of a judge that a vLLM server writes: prompts go whole, and log-probabilities come back.

The server keeps what prompts begin with alike by itself. Knows nothing of what the tokens mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from xorag.generation.judging_notes import Written
from xorag.generation.judging_sharing import Beginnings, Row
from xorag.generation.protocol import IsWanted
from xorag.generation.vllm_client import Connection, run
from xorag.generation.vllm_flight import Flight, fly
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_wire import Step
from xorag.types import Prompt


class RemoteRows:
    """A language model on a vLLM server that goes on from prompts, many in flight."""

    def __init__(self, remote: RemoteModel, *, watched_ids: Sequence[int]) -> None:
        """Wrap a model; nothing is asked of its server yet.

        Args:
            remote: The model.
            watched_ids: Tokens whose log-probabilities are kept at each step.
        """
        self._remote = remote
        self._watched_ids = tuple(watched_ids)

    @cached_property
    def limit(self) -> int | None:
        """Tokens that the model reads and writes at most, as the server was started.

        Raises:
            GenerationServerError: If the server cannot be reached or serves another model.
        """
        return run(self._remote.server, self._remote.limit)

    def begin(self, prompts: Sequence[Prompt], is_wanted: IsWanted = lambda _: True) -> Beginnings:
        """Ask what the model would write next, without soft tokens.

        Raises:
            GenerationServerError: If the server cannot be reached, serves another model or fails.
        """
        wanted = list(range(len(prompts)))
        written = self._write(prompts, wanted, lambda _: True, max_new_tokens=1)
        watched = tuple(row.watched[0] for row in written)
        return Beginnings(tuple(prompts), (), watched, is_wanted)

    def read_on(self, beginnings: Beginnings, token_ids: Sequence[int]) -> Beginnings:  # noqa: ARG002
        """The same: the server finds by itself what rows begin with alike."""
        return beginnings

    def write(
        self,
        beginnings: Beginnings,
        rows: Sequence[Row],
        *,
        max_new_tokens: int,
        first_id: int | None = None,
    ) -> list[Written]:
        """Write on from each row, in the order given.

        Args:
            beginnings: What the rows share; only whether they are still wanted is looked at.
            rows: Whole prompts.
            max_new_tokens: Where a row is cut.
            first_id: The token that each row begins with, one of those watched; unset, the most
                probable one.

        Raises:
            GenerationServerError: If the server cannot be reached, lacks `--enable-prompt-embeds`
                where soft tokens are read, or breaks off.
            PromptTooLongError: If a row exceeds what the model reads.
        """
        prompts = [row.prompt for row in rows]
        wanted = [row.beginning for row in rows]
        if first_id is None:
            return self._write(prompts, wanted, beginnings.is_wanted, max_new_tokens=max_new_tokens)
        # What the model itself would write there is asked for, because it is judged.
        first = self._write(prompts, wanted, beginnings.is_wanted, max_new_tokens=1)
        after = [replace(p, token_ids=(*p.token_ids, first_id)) for p in prompts]
        rest = (
            self._write(after, wanted, beginnings.is_wanted, max_new_tokens=max_new_tokens - 1)
            if max_new_tokens > 1
            else [Written((), (), (), None)] * len(rows)
        )
        place = self._watched_ids.index(first_id)
        return [
            _joined(first_id, place, one, other) for one, other in zip(first, rest, strict=True)
        ]

    def _write(
        self,
        prompts: Sequence[Prompt],
        wanted: Sequence[int],
        is_wanted: IsWanted,
        *,
        max_new_tokens: int,
    ) -> list[Written]:
        """Write on from prompts, each as long as what stands at its place is wanted.

        One token at least is asked for, whatever is wanted: it is what judgements are read from.
        """
        notes = [_Noting(self._remote.end_ids, partial(is_wanted, place)) for place in wanted]

        async def work(connection: Connection) -> None:
            remote = self._remote
            await remote.check(connection, prompts, max_new_tokens)
            served = await remote.served(connection)
            flights = [
                Flight(
                    partial(remote.request, prompt, max_new_tokens, self._watched_ids),
                    remote.name_for(prompt, served),
                    note.take,
                    lambda: None,
                    note.is_wanted,
                )
                for prompt, note in zip(prompts, notes, strict=True)
            ]
            await fly(connection, flights, remote.server.in_flight)

        if prompts:
            run(self._remote.server, work)
        return [note.written() for note in notes]


@dataclass(slots=True)
class _Noting:
    """A row while its tokens come."""

    end_ids: Sequence[int]
    is_waited_for: Callable[[], bool]
    steps: list[Step] = field(default_factory=list)
    end_logprob: float | None = None

    def take(self, step: Step) -> bool:
        """Note the next token; more is always wanted, for the server ends by itself."""
        self.steps.append(step)
        if step.token_id in self.end_ids:
            self.end_logprob = step.logprob
        return True

    def is_wanted(self) -> bool:
        """Whether the next token is wanted."""
        return not self.steps or self.is_waited_for()

    def written(self) -> Written:
        """What the row holds."""
        kept = self.steps if self.end_logprob is None else self.steps[:-1]
        return Written(
            tuple(step.token_id for step in kept),
            tuple(step.logprob for step in kept),
            tuple(step.watched for step in self.steps),
            self.end_logprob,
        )


def _joined(first_id: int, place: int, first: Written, rest: Written) -> Written:
    """A row that begins with a token that was put there, and goes on as the model wrote."""
    watched = first.watched[0]
    return Written(
        (first_id, *rest.token_ids),
        (watched[place], *rest.logprobs),
        (watched, *rest.watched),
        rest.end_logprob,
    )
