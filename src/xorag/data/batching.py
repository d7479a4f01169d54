"""Running many small tasks side by side, so that what they ask for is counted in few calls."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

CountTokens = Callable[[list[str]], list[int]]
"""Counts the tokens of whole texts, special ones included."""

Result = TypeVar("Result")
Counting = Generator[list[str], list[int], Result]
"""A task that yields texts, is sent their token counts, and in the end returns a result."""

CHARACTERS_A_CALL = 400_000


def run_together(tasks: Sequence[Counting[Result]], count_tokens: CountTokens) -> list[Result]:
    """Run tasks in step: each round counts the texts that all of them asked for at once."""
    results: dict[int, Result] = {}
    replies: dict[int, list[int] | None] = dict.fromkeys(range(len(tasks)))
    while replies:
        requests = _advance(tasks, replies, results)
        replies = _reply(requests, count_tokens)
    return [results[number] for number in range(len(tasks))]


def _advance(
    tasks: Sequence[Counting[Result]],
    replies: dict[int, list[int] | None],
    results: dict[int, Result],
) -> dict[int, list[str]]:
    requests: dict[int, list[str]] = {}
    for number, counts in replies.items():
        try:
            # A task that has not begun takes no reply, which `send` writes as None.
            requests[number] = tasks[number].send(counts)  # type: ignore[arg-type]
        except StopIteration as stop:
            results[number] = stop.value
    return requests


def _reply(
    requests: dict[int, list[str]], count_tokens: CountTokens
) -> dict[int, list[int] | None]:
    texts = [text for request in requests.values() for text in request]
    counts = iter([count for call in _calls(texts) for count in count_tokens(call)])
    return {number: [next(counts) for _ in request] for number, request in requests.items()}


def _calls(texts: list[str]) -> Iterator[list[str]]:
    """Part texts into calls of bounded size: a tokenizer's result takes far more than its text."""
    call: list[str] = []
    size = 0
    for text in texts:
        if call and size + len(text) > CHARACTERS_A_CALL:
            yield call
            call, size = [], 0
        call.append(text)
        size += len(text)
    if call:
        yield call
