"""The page at each width, in light and dark: what fits, what can be read, what it loads."""

import pytest
from playwright.sync_api import expect

from tests.chromium import LEAST_CONTRAST
from tests.serving.page.window import Window

at_each_width = pytest.mark.parametrize("width", [400, 1000, 1600])
in_each_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])
SMALLEST_TARGET = """() => Math.min(
  ...[...document.querySelectorAll("button, summary, select, input")]
  .map((n) => n.closest("label") ?? n)
  .filter((n) => n.checkVisibility() && !n.matches(".unseen"))
  .map((n) => n.getBoundingClientRect().height))"""


@at_each_width
@in_each_scheme
def test_answers_fit_can_be_read_and_load_nothing_from_elsewhere(
    window: Window, width: int, scheme: str
) -> None:
    window.stub.library.documents = {"a": "A document with a long name " * 5}
    page = window.page
    window.ask(mode="openrag", beside="xrag", k=4, form="strings", verify="yes", withhold="yes")

    worst = page.evaluate(LEAST_CONTRAST)

    assert page.locator("html").evaluate("root => root.scrollWidth") == width
    # WCAG 2.2, 1.4.3 and 2.5.8: 4.5 to 1 for text of usual size, and 24 pixels to press.
    assert worst["contrast"] >= 4.5, (worst, scheme)
    assert page.evaluate(SMALLEST_TARGET) >= 24
    assert {address.startswith(window.stub.address) for address in window.requests} == {True}
    assert window.complaints == []


@pytest.mark.parametrize("width", [400])
@in_each_scheme
def test_troubles_fit_and_can_be_read(window: Window, width: int, scheme: str) -> None:
    page = window.page
    window.stub.passage_count = 0
    window.stub.failure = "it_is_busy_" * 30
    window.ask(mode="text")
    page.route("**/healthz", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("#lost")).to_be_visible()

    worst = page.evaluate(LEAST_CONTRAST)

    assert page.locator("html").evaluate("root => root.scrollWidth") == width
    assert worst["contrast"] >= 4.5, (worst, scheme)


@pytest.mark.parametrize("width", [320])
def test_nothing_is_cut_where_letters_are_four_times_as_large(window: Window, width: int) -> None:
    # WCAG 2.2, 1.4.10: a window of 1,280 pixels at 400 % is 320 wide to the page.
    window.ask(mode="openrag", beside="text", k=2)

    assert window.page.locator("html").evaluate("root => root.scrollWidth") == width
