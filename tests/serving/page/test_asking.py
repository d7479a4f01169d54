"""Questions and answers on the page, in a real browser."""

from playwright.sync_api import expect

from tests.serving.page.canned import MARKUP
from tests.serving.page.window import QUESTION, Window


def test_an_answer_is_shown_as_it_is_written_after_its_passages(window: Window) -> None:
    window.stub.held_at = 1
    window.open()

    window.page.get_by_label("Question", exact=True).fill(QUESTION)
    window.page.get_by_role("button", name="Ask", exact=True).click()

    card = window.cards
    expect(card.locator(".said")).to_have_text("Mount")
    expect(card.locator(".passage")).to_have_count(1)
    assert card.get_attribute("aria-busy") == "true"
    window.stub.held_at = None
    expect(card.locator(".said")).to_have_text("Mount Kilimanjaro, 5,895 metres above the sea.")
    expect(card).to_have_attribute("aria-busy", "false")
    assert window.complaints == []


def test_a_passage_shows_its_score_its_form_and_what_it_would_have_cost(window: Window) -> None:
    window.ask(mode="xrag", k=2)

    assert "136 tokens saved" not in window.cards.inner_text()
    assert "272 tokens saved: 99%" in window.cards.inner_text()
    first = window.page.get_by_role("listitem").filter(has_text="Mount Kilimanjaro").first
    assert "score 0.67" in first.inner_text()
    assert "soft token" in first.inner_text()
    assert "1 token instead of 137" in first.inner_text()


def test_a_passage_read_in_part_or_dropped_says_so_and_why(window: Window) -> None:
    passages = window.ask(mode="text", k=4).locator(".passage")

    in_part, dropped = passages.nth(2), passages.nth(3)
    assert "soft tokens and exact strings" in in_part.inner_text()
    assert "14 tokens instead of 137" in in_part.inner_text()
    shown = in_part.get_by_role("list", name="Read word by word").get_by_role("listitem")
    assert shown.all_inner_texts() == ["5,895 metres", "Tanzania"]
    assert dropped.locator(".badge.as-dropped").inner_text() == "dropped"
    assert "0 tokens instead of 137: the budget is spent" in dropped.inner_text()


def test_two_modes_stand_beside_each_other_with_what_one_saves(window: Window) -> None:
    cards = window.ask(mode="text", beside="xrag", k=2)

    left, right = (cards.nth(place).bounding_box() for place in (0, 1))
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    difference = window.page.locator("#difference").inner_text()
    assert difference == (
        "“Soft tokens” read 272 fewer tokens than “Full text” (50 instead of 322) and took 0.27 s "
        "less."
    )
    assert difference in window.told


def test_judgements_are_bars_and_the_chosen_passage_is_marked(window: Window) -> None:
    cards = window.ask(mode="openrag", k=2)

    passages = cards.locator(".passage")
    meters = passages.first.get_by_role("meter")
    assert meters.evaluate_all("all => all.map(m => [m.ariaLabel, m.min, m.value, m.max])") == [
        ["relevance", 0, 0.97, 1],
        ["support", 0, 0.88, 1],
        ["utility", -1, 0.9, 1],
    ]
    assert passages.first.get_by_text("answered from").is_visible()
    assert not passages.nth(1).get_by_text("answered from").is_visible()
    assert "The reader wanted passages: probability 0.83, threshold 0.50." in cards.inner_text()


def test_a_mode_is_asked_with_what_it_understands_and_nothing_else(window: Window) -> None:
    window.ask(mode="openrag", beside="closed", k=3, tokens=4, gate="always", longest=9)
    window.ask(mode="xrag", k=3, tokens=4, gate="always")

    by_mode = {question.pop("mode"): question for question in window.questions}
    usual = {"question": QUESTION, "stream": True}
    assert by_mode == {
        "openrag": {**usual, "max_new_tokens": 9, "k": 3, "gate": "always"},
        "closed": {**usual, "max_new_tokens": 9},
        "xrag": {**usual, "max_new_tokens": 32, "k": 3, "tokens_per_passage": 4},
    }


def test_the_address_keeps_the_question_and_back_returns_to_the_one_before(window: Window) -> None:
    page = window.page
    window.ask(mode="text", k=2)
    page.get_by_label("Question", exact=True).fill("Who was first?")
    page.get_by_role("radio", name="Memory").check()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(window.cards.locator(".said")).to_contain_text("Kenya")
    assert page.url.endswith("?q=Who+was+first%3F&mode=closed")

    page.go_back()

    expect(window.cards.locator(".passage")).to_have_count(2)
    assert page.get_by_label("Question", exact=True).input_value() == QUESTION
    assert page.get_by_role("radio", name="Full text").is_checked()
    assert page.get_by_label("Passages", exact=True).input_value() == "2"


def test_an_address_that_holds_nonsense_is_read_as_the_usual(window: Window) -> None:
    window.ask(mode="xrag", k="many", tokens="-1", longest="1e9", gate="'")

    assert window.questions == [
        {
            "question": QUESTION,
            "mode": "xrag",
            "k": 1,
            "max_new_tokens": 32,
            "tokens_per_passage": 1,
            "stream": True,
        }
    ]


def test_search_alone_lists_passages_without_an_answer(window: Window) -> None:
    cards = window.ask(mode="search", k=3)

    assert cards.locator(".passage").count() == 3
    assert not cards.locator(".said").is_visible()
    assert window.questions == []


def test_a_long_passage_is_shown_whole_on_demand(window: Window) -> None:
    passage = window.ask(mode="text").locator(".passage")
    text = passage.locator(".text")
    before = text.evaluate("text => text.clientHeight")

    passage.get_by_role("button", name="Show all").click()

    assert text.evaluate("text => text.scrollHeight === text.clientHeight")
    assert text.evaluate("text => text.clientHeight") > before
    less = passage.get_by_role("button", name="Show less")
    assert less.get_attribute("aria-expanded") == "true"


def test_markup_in_passages_and_answers_is_shown_and_not_run(window: Window) -> None:
    window.stub.is_hostile = True

    cards = window.ask(mode="text")

    assert MARKUP in cards.locator(".said").inner_text()
    assert cards.locator(".passage h4").inner_text() == MARKUP
    assert cards.locator("img").count() == 0
    assert window.page.evaluate("window.hacked") is None


def test_the_keyboard_alone_asks_stops_and_chooses(window: Window) -> None:
    page, keyboard = window.page, window.page.keyboard
    window.stub.held_at = 0
    window.open()

    keyboard.press("Tab")
    keyboard.press("Enter")
    keyboard.type("Who?")
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    ring = "node => getComputedStyle(node.closest('label')).outlineStyle"
    assert page.locator(":focus").evaluate(ring) == "solid"
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    expect(window.cards).to_have_attribute("data-state", "reading")
    keyboard.press("Escape")

    expect(window.cards).to_have_attribute("data-state", "stopped")
    assert [(q["question"], q["mode"]) for q in window.questions] == [("Who?", "text")]
    assert page.get_by_label("Question", exact=True).evaluate("n => n === document.activeElement")
    assert "Stopped." in window.told


def test_the_answer_is_told_to_screen_readers_once_it_is_whole(window: Window) -> None:
    window.ask(mode="xrag")

    assert window.told == "Soft tokens: Mount Kilimanjaro, 5,895 metres above the sea."
