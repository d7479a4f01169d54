"""The page against the whole server: a tiny real system, and a real library."""

from pathlib import Path

from playwright.sync_api import FilePayload, expect

from tests.serving.hashing_encoder import HashingEncoder
from tests.serving.live import live
from tests.serving.page.window import Window
from xorag.serving.app import create_app
from xorag.serving.library import Library
from xorag.serving.options import ServeOptions


def test_two_modes_of_a_real_pipeline_answer_beside_each_other(
    window: Window, address: str
) -> None:
    window.stub.address = f"{address}/"

    cards = window.ask(mode="xrag", beside="openrag", k=2, longest=4)

    assert cards.evaluate_all("all => all.map(card => card.dataset.state)") == ["done", "done"]
    assert "2 tokens" in cards.first.locator(".scale").inner_text()
    assert cards.first.locator(".passage").count() == 2
    assert " and took " in window.page.locator("#difference").inner_text()
    assert window.complaints == []


def test_a_dropped_file_goes_into_a_real_index_and_out_again(
    window: Window, tmp_path: Path
) -> None:
    page, options = window.page, ServeOptions()
    library = Library(tmp_path / "index", HashingEncoder)
    with live(create_app(window.stub, options, library)) as address:
        page.goto(address)
        expect(page.get_by_text("0 documents", exact=True)).to_be_visible()
        page.get_by_label("Choose files").set_input_files(
            [
                FilePayload(name="peak.md", mimeType="text/plain", buffer=b"# Peak\n\nUhuru."),
                FilePayload(name="broken.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4"),
            ]
        )

        jobs = page.get_by_role("list", name="Files being added")
        expect(jobs.get_by_text("Documents: 1 added.")).to_be_visible()
        expect(jobs).to_contain_text("broken.pdf: it is not a whole PDF")
        page.get_by_role("button", name="Remove Peak").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_text("0 documents", exact=True)).to_be_visible()

    assert window.complaints == []
