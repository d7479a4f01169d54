"""Generate answers with a vLLM server over HTTP, many prompts in flight."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from xorag.generation.control import PromptEncoder
from xorag.generation.decoding import GrowingText
from xorag.generation.protocol import IsWanted, OnBatch, OnText, Watch
from xorag.generation.vllm_client import Connection, run
from xorag.generation.vllm_flight import Flight, fly
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_wire import Step
from xorag.types import Generation, Prompt


class VllmGenerator:
    """Greedy generation with a vLLM server, many prompts in flight."""

    def __init__(self, remote: RemoteModel) -> None:
        """Answer with a model on a server."""
        self._remote = remote

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        stop: str | None = None,
        on_text: OnText | None = None,
        on_batch: OnBatch | None = None,
        is_wanted: IsWanted | None = None,
    ) -> list[Generation]:
        """Answer each prompt greedily, in the order given.

        Args:
            prompts: Any number, with any numbers of soft tokens.
            max_new_tokens: Where an answer is cut.
            stop: Text at which an answer ends; it is left out.
            on_text: Gets each answer's text piece by piece as it grows.
            on_batch: Gets each answer by itself as soon as it is done.
            is_wanted: Asked before and while a prompt is answered, several times a second; once it
                says no, the server is told to stop.

        Raises:
            GenerationServerError: If the server cannot be reached, serves another model, lacks
                `--enable-prompt-embeds` where soft tokens are read, or breaks off.
            PromptTooLongError: If a prompt and its answer exceed what the model can read.
            ProjectorMismatchError: If a prompt has soft tokens, and there is no projector or its
                adapters are not served.
            UsageError: If fewer than one new token is asked for.
        """
        watch = Watch(on_text, is_wanted)
        answers = [
            _Growing(self._remote.encoder, self._remote.end_ids, stop, watch.of_rows([place]))
            for place in range(len(prompts))
        ]

        def finish(place: int) -> None:
            answers[place].end()
            if on_batch is not None:
                on_batch({place: answers[place].generation()})

        async def work(connection: Connection) -> None:
            remote = self._remote
            await remote.check(connection, prompts, max_new_tokens)
            served = await remote.served(connection)
            flights = [
                Flight(
                    partial(remote.request, prompt, max_new_tokens),
                    remote.name_for(prompt, served),
                    answers[place].take,
                    partial(finish, place),
                    answers[place].is_wanted,
                )
                for place, prompt in enumerate(prompts)
            ]
            await fly(connection, flights, remote.server.in_flight)

        if prompts:
            run(self._remote.server, work)
        return [answer.generation() for answer in answers]


@dataclass(slots=True)
class _Growing:
    """An answer while its tokens come."""

    encoder: PromptEncoder
    end_ids: Sequence[int]
    stop: str | None
    watch: Watch
    """Who looks on, who knows it as row 0."""
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    text: GrowingText = field(init=False)

    def __post_init__(self) -> None:
        self.text = GrowingText(self.encoder, self.stop)

    def take(self, step: Step) -> bool:
        """Take the next token; says whether more is to be written."""
        if step.token_id in self.end_ids:
            return True  # the server ends here by itself
        self.ids.append(step.token_id)
        self.logprobs.append(step.logprob)
        self._tell(self.text.grown(step.token_id))
        return self.stop is None or self.stop not in self.encoder.decode(self.ids).lstrip()

    def is_wanted(self) -> bool:
        """Whether it is still waited for."""
        return self.watch.is_wanted is None or self.watch.is_wanted(0)

    def end(self) -> None:
        """Tell what was held back."""
        self._tell(self.text.rest())

    def generation(self) -> Generation:
        """The answer as far as it has come."""
        return Generation("".join(self.pieces), tuple(self.ids), tuple(self.logprobs))

    def _tell(self, piece: str) -> None:
        if piece:
            self.pieces.append(piece)
            if self.watch.on_text is not None:
                self.watch.on_text(0, piece)
