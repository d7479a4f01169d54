"""A window of the browser with the page in it, and what a test does there."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, Request, expect

from tests.serving.page.stub_service import Stub

QUESTION = "What is the highest mountain of Africa?"


@dataclass
class Window:
    """The page in a window, with all that went wrong or left it."""

    page: Page
    stub: Stub
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of the questions that were sent."""

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)
        if request.url.endswith("/api/ask"):
            self.questions.append(json.loads(request.post_data or "{}"))

    def open(self, **options: str | int) -> None:
        """Go to the page, with options in its address."""
        self.page.goto(
            f"{self.stub.address}?{urlencode(options)}" if options else self.stub.address
        )
        self.page.locator("#about", has_text="passage").wait_for()

    def ask(self, **options: str | int) -> Locator:
        """Follow a shared link, and wait for all its answers; gives their cards."""
        self.open(q=QUESTION, **options)
        self.page.locator(".answer").first.wait_for()
        # Not `wait_for_function`, whose text the page's policy forbids to be run.
        expect(self.page.locator(".answer[aria-busy=true]")).to_have_count(0)
        return self.cards

    @property
    def cards(self) -> Locator:
        return self.page.locator(".answer")

    @property
    def told(self) -> str:
        """What a screen reader was told."""
        return self.page.get_by_role("status").inner_text()
