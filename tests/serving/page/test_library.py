"""Documents on the page: added by choice or by drag and drop, listed, removed."""

from playwright.sync_api import FilePayload, Page, expect

from tests.serving.page.window import Window

DROP = """([name, event]) => {
  const carried = new DataTransfer();
  carried.items.add(new File(["# Uhuru Peak"], name, { type: "text/markdown" }));
  const details = { dataTransfer: carried, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent(event, details));
}"""


def choose(page: Page, *names: str) -> None:
    """Choose files in the field for them, once it is there: before, nothing listens to it."""
    expect(page.get_by_role("complementary", name="Documents")).to_be_visible()
    page.get_by_label("Choose files").set_input_files(
        [FilePayload(name=name, mimeType="text/plain", buffer=name.encode()) for name in names]
    )


def test_dropped_files_are_added_with_progress_and_then_listed(window: Window) -> None:
    page, library = window.page, window.stub.library
    library.polls_needed = 1_000
    window.open()
    documents = page.get_by_role("complementary", name="Documents")
    expect(documents).to_be_visible()

    page.evaluate(DROP, ["peak.md", "dragover"])
    expect(page.get_by_text("Drop to add to the index")).to_be_visible()
    page.evaluate(DROP, ["peak.md", "drop"])

    expect(page.get_by_text("Drop to add to the index")).not_to_be_visible()
    expect(documents.get_by_text("Encoding 4 of 8 passages")).to_be_visible()
    assert (
        documents.get_by_role("progressbar", name="Adding peak.md").evaluate("p => p.value") == 0.5
    )
    library.polls_needed = 0
    expect(documents.get_by_text("Documents: 1 added.")).to_be_visible()
    expect(documents.get_by_role("button", name="Remove peak.md")).to_be_visible()
    assert library.uploads == [("peak.md", b"# Uhuru Peak")]
    assert "peak.md: Documents: 1 added." in window.told


def test_chosen_files_are_sent_one_after_the_other(window: Window) -> None:
    window.open()

    choose(window.page, "one.txt", "two.txt")

    jobs = window.page.get_by_role("list", name="Files being added")
    expect(jobs.get_by_text("Documents: 1 added.")).to_have_count(2)
    assert window.stub.library.uploads == [("one.txt", b"one.txt"), ("two.txt", b"two.txt")]
    assert window.complaints == []


def test_the_first_document_ends_the_state_of_an_empty_index(window: Window) -> None:
    window.stub.passage_count = 0
    window.open()
    expect(window.page.get_by_text("The index is empty")).to_be_visible()

    window.stub.passage_count = 8
    choose(window.page, "one.txt")

    expect(window.page.get_by_text("The index is empty")).not_to_be_visible()


def test_what_could_not_be_added_is_told_and_can_be_closed(window: Window) -> None:
    window.stub.library.errors = ["broken.pdf: it is no PDF"]
    window.open()

    choose(window.page, "broken.pdf")

    jobs = window.page.get_by_role("list", name="Files being added")
    expect(jobs).to_contain_text("Not all was added.")
    expect(jobs).to_contain_text("broken.pdf: it is no PDF")
    jobs.get_by_role("button", name="Close the note on broken.pdf").click()
    expect(jobs.get_by_role("listitem")).to_have_count(0)


def test_a_refused_file_says_why(window: Window) -> None:
    window.open()
    window.stub.library.refusal = "the files are larger than 50 MB together"

    choose(window.page, "large.txt")

    jobs = window.page.get_by_role("list", name="Files being added")
    expect(jobs).to_contain_text("The files are larger than 50 MB together.")


def test_a_document_is_removed_only_after_a_question(window: Window) -> None:
    page, library = window.page, window.stub.library
    library.documents = {"notes/a b?.md": "Notes", "b": "More"}
    window.open()

    page.get_by_role("button", name="Remove Notes").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    assert len(library.documents) == 2
    page.get_by_role("button", name="Remove Notes").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()

    expect(page.get_by_role("button", name="Remove Notes")).to_have_count(0)
    assert library.documents == {"b": "More"}
    assert page.get_by_role("heading", name="Documents").evaluate(
        "n => n === document.activeElement"
    )


def test_many_documents_are_listed_a_page_at_a_time(window: Window) -> None:
    window.stub.library.documents = {str(number): f"Note {number}" for number in range(25)}
    window.open()
    listed = window.page.get_by_role("list", name="Documents in the index").get_by_role("listitem")
    expect(listed).to_have_count(10)

    window.page.get_by_role("button", name="Show more").click()

    expect(listed).to_have_count(20)
    assert listed.nth(10).get_by_role("button").evaluate("n => n === document.activeElement")
    window.page.get_by_role("button", name="Show more").click()
    expect(listed).to_have_count(25)
    assert not window.page.get_by_role("button", name="Show more").is_visible()
    assert window.page.get_by_text("25 documents", exact=True).is_visible()


def test_a_server_without_a_library_says_so_and_is_not_asked_for_documents(window: Window) -> None:
    window.stub.closed_because = "the server was started with --read-only"
    window.stub.passage_count = 0

    window.ask(mode="text")

    assert not window.page.get_by_role("heading", name="Documents").is_visible()
    assert window.page.locator("#about").inner_text().endswith(" · documents cannot be changed")
    expect(window.page.locator("#empty")).to_contain_text(
        "None can be added, since the server was started with --read-only. Answer from memory."
    )
    assert not any("/api/documents" in address for address in window.requests)
    assert window.complaints == []
