"""Requests over real connections to a pipeline that can be held: waiting, grouping, giving up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import httpx
import pytest

from tests.serving.held_pipeline import TOO_LONG, HeldPipeline
from tests.serving.live import eventually, held_app, live
from xorag.serving.options import ServeOptions

OPTIONS = ServeOptions(max_queue=4, batch_size=3, timeout_seconds=15)


@pytest.fixture
def pipeline() -> HeldPipeline:
    return HeldPipeline()


@pytest.fixture
def client(pipeline: HeldPipeline) -> Iterator[httpx.Client]:
    with live(held_app(pipeline, OPTIONS)) as address, httpx.Client(base_url=address) as client:
        yield client


def ask(client: httpx.Client, question: str, **fields: object) -> httpx.Response:
    body = {"question": question, **fields}
    return client.post("/api/ask", json=body, timeout=20)


def is_in_line(client: httpx.Client, pipeline: HeldPipeline, place: int) -> bool:
    """Whether the first is answered, and so many wait behind it."""
    return waiting(client) == place and bool(pipeline.batches)


def waiting(client: httpx.Client) -> int:
    return metric(client, "xorag_waiting")


def metric(client: httpx.Client, name: str) -> int:
    """The value of a gauge without labels."""
    lines = client.get("/metrics").text.splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith(f"{name} "))))


def test_requests_that_wait_are_answered_together_by_options_and_like_length(
    client: httpx.Client, pipeline: HeldPipeline
) -> None:
    pipeline.may_go_on.clear()
    asked = [
        ("first", {}),
        ("aaaa", {}),
        ("in another mode", {"mode": "closed"}),
        ("b" * 90, {}),
        ("cccc", {}),
    ]
    with ThreadPoolExecutor(5) as pool:
        answers = []
        for place, (question, fields) in enumerate(asked):
            answers.append(pool.submit(ask, client, question, **fields))
            eventually(partial(is_in_line, client, pipeline, place))
        pipeline.may_go_on.set()
        told = [answer.result().json()["answer"] for answer in answers]

    assert told == [f"It says: {question}" for question, _ in asked]
    assert pipeline.batches == [["first"], ["aaaa", "cccc", "b" * 90], ["in another mode"]]


def test_past_the_end_of_the_line_a_request_is_told_to_come_again(
    client: httpx.Client, pipeline: HeldPipeline
) -> None:
    pipeline.may_go_on.clear()
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(ask, client, "first")
        eventually(lambda: bool(pipeline.batches))
        others = [pool.submit(ask, client, f"number {i}") for i in range(4)]
        eventually(lambda: waiting(client) == 4)

        refused = ask(client, "one too many")

        pipeline.may_go_on.set()
        assert all(answer.result().status_code == 200 for answer in [first, *others])
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["error"]["type"] == "rate_limit_error"


def test_a_request_that_spoils_its_batch_fails_alone(
    client: httpx.Client, pipeline: HeldPipeline
) -> None:
    pipeline.may_go_on.clear()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(ask, client, "first")
        eventually(lambda: bool(pipeline.batches))
        answers = [pool.submit(ask, client, q) for q in ("good", TOO_LONG, "better")]
        eventually(lambda: waiting(client) == 3)
        pipeline.may_go_on.set()
        codes = [answer.result().status_code for answer in [first, *answers]]

    assert codes == [200, 200, 400, 200]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_frees_its_place_within_a_second(
    *, stream: bool, client: httpx.Client, pipeline: HeldPipeline
) -> None:
    pipeline.may_go_on.clear()

    leave(client, "I shall not wait", stream=stream)

    assert eventually(lambda: bool(pipeline.given_up), seconds=5) < 1.0
    assert pipeline.given_up == ["I shall not wait"]
    pipeline.may_go_on.set()
    assert ask(client, "the next").json()["answer"] == "It says: the next"


def test_a_client_that_goes_away_while_it_waits_is_not_asked_for(
    client: httpx.Client, pipeline: HeldPipeline
) -> None:
    pipeline.may_go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, client, "first")
        eventually(lambda: bool(pipeline.batches))

        leave(client, "I shall not wait", stream=False)

        eventually(lambda: waiting(client) == 0, seconds=1)
        pipeline.may_go_on.set()
        assert first.result().status_code == 200
    assert pipeline.batches == [["first"]]


def test_a_request_past_its_deadline_is_told_so(pipeline: HeldPipeline) -> None:
    pipeline.may_go_on.clear()
    options = ServeOptions(timeout_seconds=0.3)
    with live(held_app(pipeline, options)) as address, httpx.Client(base_url=address) as client:
        late = ask(client, "in vain")
        eventually(lambda: bool(pipeline.given_up), seconds=5)

    assert late.status_code == 504
    assert late.json()["error"]["type"] == "timeout_error"


def test_a_server_that_stops_answers_what_it_has_taken(pipeline: HeldPipeline) -> None:
    pipeline.may_go_on.clear()
    with ExitStack() as kept, ThreadPoolExecutor(3) as pool:
        with live(held_app(pipeline)) as address:
            client = kept.enter_context(httpx.Client(base_url=address))
            first = pool.submit(ask, client, "first")
            eventually(lambda: bool(pipeline.batches))
            answers = [first, pool.submit(ask, client, "second")]
            eventually(lambda: waiting(client) == 1)
            pipeline_goes_on_later(pipeline, pool)

        assert [answer.result().status_code for answer in answers] == [200, 200]


def pipeline_goes_on_later(pipeline: HeldPipeline, pool: ThreadPoolExecutor) -> None:
    """Let it go on half a second from now, when the server has been told to stop."""

    def go_on() -> None:
        pipeline.may_go_on.wait(0.5)
        pipeline.may_go_on.set()

    pool.submit(go_on)


def leave(client: httpx.Client, question: str, *, stream: bool) -> None:
    """Ask, and hang up before the answer."""
    body = {"question": question, "stream": stream}
    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.Client(base_url=client.base_url, timeout=httpx.Timeout(5, read=0.3)) as leaving,
        leaving.stream("POST", "/api/ask", json=body) as answer,
    ):
        answer.read()
