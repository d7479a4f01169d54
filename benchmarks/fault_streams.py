"""A server that is killed while it streams an answer."""

import time
from collections.abc import Callable

import httpx

from benchmarks.fault_world import QUESTION, Finding, World, outcome_of
from xorag.retrieval.index import PassageIndex

SOON_SECONDS = 5.0


def killed_in_a_stream(world: World) -> Finding:
    """The client sees the connection break at once, and no answer that looks whole.

    The index is as it was, and a server that is started anew answers.
    """
    index = world.copy_of_index("killed")
    before = PassageIndex.open(index).passage_count()
    with world.server(index) as server:
        events, seconds, said = _kill_in_stream(server.address, server.process.kill)
    with world.server(index) as server:
        again = outcome_of(server)
    unharmed = PassageIndex.open(index).passage_count() == before
    broke = said is not None and seconds < SOON_SECONDS and "answer" not in events
    return Finding(
        broke and unharmed and again == "200",
        f"the client saw {said} {seconds:.2f} s after the kill, no whole answer "
        f"{'before' if 'answer' not in events else 'MISSING: it came'}; the index "
        f"{'is unharmed' if unharmed else 'LOST passages'}; a new server answers {again}",
        {"events_before": len(events)},
    )


def _kill_in_stream(address: str, kill: Callable[[], None]) -> tuple[list[str], float, str | None]:
    """Kill at the first piece of text; gives the events, the seconds after it, and the error."""
    events: list[str] = []
    killed_at = 0.0
    body = {"question": QUESTION, "stream": True, "max_new_tokens": 400}
    try:
        with httpx.stream("POST", f"{address}/api/ask", json=body, timeout=60) as stream:
            for line in stream.iter_lines():
                if line.startswith("event:"):
                    events.append(line.removeprefix("event:").strip())
                if not killed_at and events[-1:] == ["text"]:
                    kill()
                    killed_at = time.perf_counter()
    except httpx.TransportError as error:
        return events, time.perf_counter() - killed_at, type(error).__name__
    return events, time.perf_counter() - killed_at, None
