"""The page in a real browser: headless Chromium, as Debian's package installs it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import matplotlib.image
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Request

from tests.chromium import LEAST_CONTRAST, needs_chromium, running_chromium
from tests.evaluation.report.made_results import SETS, make_results
from xorag.evaluation.report.writing import write_report

pytestmark = needs_chromium

HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> Who?"

at_each_width = pytest.mark.parametrize("width", [400, 1400])
in_each_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])


@dataclass
class Opened:
    """The page in a window, with all that went wrong or left it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def examples(self) -> Locator:
        return self.page.locator(".example:visible")

    @property
    def status(self) -> str:
        return self.page.locator("#shown").inner_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    results = make_results(tmp_path_factory.mktemp("seen"), questions=30, first_question=HOSTILE)
    return write_report(results).path.as_uri()


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Opened]:
    given = getattr(request.node, "callspec", None)
    asked = given.params if given else {}
    context = browser.new_context(
        viewport={"width": asked.get("width", 1400), "height": 900},
        color_scheme=asked.get("scheme", "light"),
        java_script_enabled=asked.get("script", True),
    )
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("request", lambda sent: note_request(opened, sent))
    opened.page.goto(address)
    yield opened
    context.close()


def note_request(opened: Opened, request: Request) -> None:
    if not request.url.startswith("data:"):
        opened.requests.append(request.url)


def lightness(picture: bytes) -> np.ndarray:
    """The lightness of each pixel of a PNG, 0 to 1."""
    pixels: np.ndarray = matplotlib.image.imread(io.BytesIO(picture), format="png")
    light: np.ndarray = pixels[:, :, :3].mean(axis=2)
    return light


@at_each_width
@in_each_scheme
def test_the_page_fits_asks_for_nothing_and_has_no_errors(
    opened: Opened, address: str, width: int, scheme: str
) -> None:
    opened.page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")

    root = opened.page.locator("html")
    assert root.evaluate("root => root.scrollWidth") == width, scheme
    assert opened.complaints == []
    assert opened.requests == [address]


@at_each_width
@in_each_scheme
def test_every_plot_can_be_seen(opened: Opened, width: int, scheme: str) -> None:
    plots = opened.page.locator("figure svg")

    assert plots.count() == 3 * len(SETS)
    for plot in plots.all()[:3]:
        box = plot.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
        assert box["height"] > 200
        light = lightness(plot.screenshot())
        background = np.median(light)
        assert (background > 0.9) == (scheme == "light")
        assert (np.abs(light - background) > 0.4).mean() > 0.01


@at_each_width
@in_each_scheme
def test_text_stands_out_from_what_is_behind_it(opened: Opened, width: int, scheme: str) -> None:
    opened.page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")

    worst = opened.page.evaluate(LEAST_CONTRAST)

    # WCAG 2.2, 1.4.3: 4.5 to 1 for text of usual size.
    assert worst["contrast"] >= 4.5, (worst, width, scheme)


def test_words_a_set_and_outcomes_filter_the_examples(opened: Opened) -> None:
    page = opened.page
    assert opened.status == "120 of 120 examples, the first 25 shown"

    page.get_by_label("Set", exact=True).select_option("popqa")
    assert opened.status == "30 of 120 examples, the first 25 shown"
    page.get_by_label("Words").fill("KEPLER  popqa-0013")
    assert opened.status == "1 of 120 examples"
    assert "source 13" in opened.examples.inner_text()

    page.get_by_role("button", name="Clear").click()
    page.get_by_label("closed", exact=True).select_option("wrong")
    page.get_by_label("text", exact=True).select_option("right")
    for example in opened.examples.all():
        assert example.locator(".mark.wrong[data-mode=closed]").count() == 1
        assert example.locator(".mark.right[data-mode=text]").count() == 1


def test_a_filter_that_nothing_fits_says_so(opened: Opened) -> None:
    opened.page.get_by_label("Words").fill("no such words")

    assert opened.status == "0 of 120 examples"
    assert opened.examples.count() == 0
    assert opened.page.get_by_text("No example fits; clear the filter.").is_visible()


def test_more_examples_are_shown_on_demand(opened: Opened) -> None:
    more = opened.page.get_by_role("button", name="Show more")

    more.click()

    assert opened.examples.count() == 50
    assert opened.examples.nth(25).locator("summary").evaluate("n => n === document.activeElement")
    for _ in range(3):
        more.click()
    assert opened.examples.count() == 120
    assert not more.is_visible()


def test_the_keyboard_reaches_and_opens_an_example_and_shows_where_it_is(opened: Opened) -> None:
    page = opened.page
    page.get_by_role("button", name="Clear").focus()

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    first = opened.examples.first
    assert first.evaluate("example => example.open")
    assert first.locator("summary").evaluate("n => getComputedStyle(n).outlineStyle") == "solid"
    assert first.get_by_role("table").is_visible()


def test_what_users_wrote_is_shown_and_not_run(opened: Opened) -> None:
    question = opened.page.locator(".question").first

    assert question.inner_text() == HOSTILE
    assert opened.page.evaluate("window.hacked") is None
    assert opened.page.locator("main img").count() == 0


@pytest.mark.parametrize("script", [False])
def test_without_javascript_all_is_listed(opened: Opened, script: bool) -> None:  # noqa: FBT001
    assert opened.page.locator("table").first.is_visible(), script
    assert opened.examples.count() == 120
    assert not opened.page.locator("#filter").is_visible()


@at_each_width
def test_a_wide_table_scrolls_in_its_box_and_keeps_its_first_column(
    opened: Opened, width: int
) -> None:
    box = opened.page.locator(".scroll").nth(1)

    box.evaluate("box => box.scrollLeft = 10000")

    scrolled = box.evaluate("box => box.scrollLeft")
    header = box.locator("tbody th").first.bounding_box()
    outer = box.bounding_box()
    assert (scrolled > 0) or width == 1400
    assert header is not None
    assert outer is not None
    assert abs(header["x"] - outer["x"]) < 3
