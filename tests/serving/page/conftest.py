"""The page in a window of headless Chromium, asked of a stub server."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.chromium import CHROMIUM, running_chromium
from tests.serving.page.stub_service import Stub, running_stub
from tests.serving.page.window import Window

PATIENCE_MILLISECONDS = 15_000


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Debian's chromium is not installed")
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def server() -> Iterator[Stub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def stub(server: Stub) -> Iterator[Stub]:
    server.reset()
    address = server.address
    yield server
    server.address = address


@pytest.fixture
def window(browser: Browser, stub: Stub, request: pytest.FixtureRequest) -> Iterator[Window]:
    given = getattr(request.node, "callspec", None)
    asked = given.params if given else {}
    context = browser.new_context(
        viewport={"width": asked.get("width", 1100), "height": 900},
        color_scheme=asked.get("scheme", "light"),
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    yield Window(context.new_page(), stub)
    context.close()
