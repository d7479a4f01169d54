"""How passages are read, and whether answers are looked up in them, on the page."""

from playwright.sync_api import expect

from tests.serving.page.window import QUESTION, Window

USUAL = {"question": QUESTION, "stream": True, "max_new_tokens": 32, "k": 2}


def test_a_form_is_asked_with_its_own_amount_and_nothing_else(window: Window) -> None:
    amounts = {"k": 2, "strings": 16, "sentences": 3, "budget": 128, "tokens": 4}

    window.ask(mode="xrag", form="strings", **amounts)
    window.ask(mode="openrag", form="sentences", **amounts)
    window.ask(mode="xrag", beside="text", form="auto", **amounts)

    strings, sentences, *beside = window.questions
    assert strings == {
        **USUAL,
        "mode": "xrag",
        "form": "strings",
        "strings_tokens": 16,
        "tokens_per_passage": 4,
    }
    assert sentences == {
        **USUAL,
        "mode": "openrag",
        "form": "sentences",
        "sentences": 3,
        "tokens_per_passage": 4,
    }
    assert sorted(beside, key=lambda question: str(question["mode"])) == [
        {**USUAL, "mode": "text"},
        {**USUAL, "mode": "xrag", "form": "auto", "budget": 128},
    ]
    # What the form does not use is not shared either.
    assert window.page.url.endswith("&mode=xrag&beside=text&k=2&form=auto&budget=128")


def test_only_what_the_chosen_form_and_mode_use_is_offered(window: Window) -> None:
    page = window.page
    window.open(q="Who?", mode="closed")
    page.get_by_text("More options").click()
    form = page.get_by_label("Passages are read as")
    verify = page.get_by_label("Look up names, numbers and dates of the answer in the passages")
    withhold = page.get_by_label("Give no answer where one of them is in no passage")
    budget = page.get_by_label("Tokens for all passages together")
    expect(form).not_to_be_visible()
    expect(verify).not_to_be_visible()

    page.get_by_role("radio", name="Soft tokens").check()
    form.select_option("each as it needs")
    verify.check()

    expect(budget).to_have_value("64")
    expect(withhold).to_be_visible()
    expect(page.get_by_label("Soft tokens a passage, at most")).not_to_be_visible()
    page.get_by_role("radio", name="Full text").check()
    expect(budget).not_to_be_visible()
    expect(withhold).to_be_visible()


def test_a_passage_whose_form_was_chosen_tells_what_was_weighed(window: Window) -> None:
    passage = window.ask(mode="xrag", form="auto").locator(".passage")

    assert "14 tokens instead of 137: 0.02 a token" in passage.inner_text()
    passage.get_by_text("What was weighed").click()
    rows = passage.get_by_role("row").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["form", "tokens", "expected gain"],
        ["token", "1", "0.050"],
        ["strings16", "14", "0.280"],
        ["text", "137", "0.300"],
    ]


def test_what_was_looked_up_of_an_answer_stands_below_it(window: Window) -> None:
    cards = window.ask(mode="xrag", k=2, verify="yes")

    found = cards.get_by_role("region", name="What was looked up")
    assert window.questions == [{**USUAL, "mode": "xrag", "tokens_per_passage": 1, "verify": True}]
    assert "Unverified: 1 of these stands in no passage." in found.inner_text()
    assert found.get_by_role("listitem").all_inner_texts() == [
        "5,895 metres in passages 1 and 2",
        "Mount Kenya in no passage",
    ]
    assert (
        "Read again with “Mount Kilimanjaro” as text, since no passage holds “K2” of the first "
        "answer “It is K2.”: 140 tokens and 0.40 s more."
    ) in found.inner_text()


def test_an_answer_that_was_taken_back_says_why(window: Window) -> None:
    cards = window.ask(mode="text", verify="yes", withhold="yes")

    assert window.questions[0]["abstain_unverified"] is True
    assert cards.locator(".state").inner_text() == (
        "No passage holds “Mount Kenya” of the answer “Mount Kilimanjaro, 5,895 metres above the "
        "sea.”, so none is given."
    )


def test_a_cascade_is_asked_with_counts_of_its_own_and_lists_its_passages_in_steps(
    window: Window,
) -> None:
    cards = window.ask(mode="cascade", beside="xrag", k=2, judged=23, keep=2)

    by_mode = {question["mode"]: question for question in window.questions}
    assert (by_mode["cascade"]["k"], by_mode["cascade"]["keep"]) == (23, 2)
    assert (by_mode["xrag"]["k"], "keep" in by_mode["xrag"]) == (2, False)
    passages = cards.first.locator(".passage")
    assert passages.count() == 10
    assert passages.nth(1).get_by_role("meter").count() == 3
    assert passages.nth(2).get_by_role("meter").count() == 0
    assert (
        "1 token instead of 137: relevance 0.02 by its soft token" in passages.nth(2).inner_text()
    )
    cards.first.get_by_role("button", name="Show more: 13 passages left").click()
    assert passages.nth(10).evaluate("n => n === document.activeElement")
    cards.first.get_by_role("button", name="Show more: 3 passages left").click()
    assert passages.count() == 23
    assert cards.first.get_by_role("button", name="Show more").count() == 0
