"""What the page says where something is missing, slow, lost or refused."""

import re

import pytest
from playwright.sync_api import expect

from tests.serving.page.window import QUESTION, Window
from xorag.types import Mode

KEY = "open-sesame-open-sesame"


def test_an_empty_index_is_told_with_what_to_do(window: Window) -> None:
    window.stub.passage_count = 0

    window.open()

    assert window.page.get_by_role("heading", name="The index is empty").is_visible()
    assert window.page.get_by_text("Add documents, or answer from memory.").is_visible()


def test_a_slow_model_is_told_and_can_be_stopped(window: Window) -> None:
    window.stub.held_at = 0
    window.page.clock.install()
    window.open(q=QUESTION, mode="xrag")
    expect(window.cards).to_have_attribute("data-state", "reading")

    window.page.clock.fast_forward(10_000)

    expect(window.cards.locator(".state")).to_contain_text("Nothing has come for a while")
    window.page.get_by_role("button", name="Stop").click()
    expect(window.cards.locator(".state")).to_have_text("Stopped.")
    for _ in range(100):
        if window.stub.gone:
            break
        window.page.wait_for_timeout(10)
    assert window.stub.gone == 1


def test_a_stream_that_breaks_keeps_what_came_and_is_asked_again(window: Window) -> None:
    window.stub.held_at = 1
    window.open(q=QUESTION, mode="xrag")
    cards = window.cards
    expect(cards.locator(".said")).to_have_text("Mount")

    window.stub.breaks, window.stub.held_at = True, None

    expect(cards).to_have_attribute("data-state", "lost")
    assert cards.locator(".said").inner_text() == "Mount"
    assert "The connection was lost before the answer was whole." in cards.inner_text()

    window.stub.breaks = False
    cards.get_by_role("button", name="Ask again").click()

    expect(window.cards).to_have_attribute("data-state", "done")


def test_a_server_that_is_away_is_tried_until_it_is_back(window: Window) -> None:
    page = window.page
    window.open()
    page.clock.install()
    page.route("**/api/ask", lambda route: route.abort())
    page.route("**/healthz", lambda route: route.abort())

    page.get_by_label("Question", exact=True).fill(QUESTION)
    page.get_by_label("Question", exact=True).press("Enter")
    banner = page.get_by_role("alert").filter(has_text="No connection to the server.")
    expect(banner).to_contain_text("Trying again in 1 s.")
    page.clock.fast_forward(1_000)
    expect(banner).to_contain_text("Trying again in 2 s.")
    page.unroute("**/healthz")
    banner.get_by_role("button", name="Try now").click()

    expect(banner).not_to_be_visible()
    assert "Connected again." in window.told


def test_a_page_that_finds_no_server_begins_when_it_is_there(window: Window) -> None:
    page = window.page
    page.route("**/api/about", lambda route: route.abort())
    page.goto(window.stub.address + "?q=Who%3F&mode=text")
    expect(page.get_by_text("No connection to the server.")).to_be_visible()

    page.unroute("**/api/about")
    # Not `click`, which waits for good where the page has looked again by itself and hides it.
    page.get_by_role("button", name="Try now", include_hidden=True).dispatch_event("click")

    expect(window.cards).to_have_attribute("data-state", "done")
    assert window.questions[0]["question"] == "Who?"


def test_an_error_in_a_stream_is_shown_with_its_id(window: Window) -> None:
    window.stub.failure = "the model failed"

    cards = window.ask(mode="xrag")

    trouble = cards.get_by_role("alert")
    assert cards.get_attribute("data-state") == "failed"
    assert "The model failed." in trouble.inner_text()
    assert re.search(r"Error [0-9a-f]{12}", trouble.inner_text())


def test_a_full_queue_says_when_to_come_again(window: Window) -> None:
    window.stub.is_full = True

    cards = window.ask(mode="xrag")

    assert "Too many wait. Try again in 2 seconds." in cards.inner_text()
    assert re.search(r"Error [0-9a-f]{12}", cards.inner_text())


def test_an_abstained_answer_is_told_as_such(window: Window) -> None:
    window.stub.abstains = True

    cards = window.ask(mode="openrag", k=2)

    assert "No passage supports an answer well enough." in cards.inner_text()
    assert "No passage supports an answer well enough." in window.told


@pytest.mark.parametrize("mode", ["openrag", "xrag"])
def test_only_modes_that_the_server_has_are_offered(window: Window, mode: str) -> None:
    window.stub.modes = (Mode.CLOSED, Mode.TEXT)

    window.open(q=QUESTION, mode=mode)

    expect(window.page.get_by_role("radio")).to_have_count(3)
    alert = window.page.get_by_role("alert")
    expect(alert).to_contain_text("This server cannot answer in the mode")
    assert window.questions == []


def test_a_key_is_asked_for_until_it_fits_and_kept(window: Window) -> None:
    page = window.page
    window.stub.reset(key=KEY)
    page.goto(window.stub.address)
    dialog = page.get_by_role("dialog", name="This server wants a key")

    dialog.get_by_label("API key").fill("wrong")
    dialog.get_by_role("button", name="Use it").click()
    expect(dialog).to_contain_text("The key was not accepted.")
    dialog.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")

    expect(page.locator("#about")).to_contain_text("3,201 passages")
    page.reload()
    expect(page.locator("#about")).to_contain_text("3,201 passages")
    assert not dialog.is_visible()


def test_without_a_key_the_page_says_what_it_lacks(window: Window) -> None:
    window.stub.reset(key=KEY)
    window.page.goto(window.stub.address)

    window.page.get_by_role("button", name="Cancel").click()

    expect(window.page.locator("#about")).to_contain_text("This server wants a key")
