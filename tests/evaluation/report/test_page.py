"""The page as a text: whole, escaped, and without a request to anywhere."""

import base64
import hashlib
import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.evaluation.report.made_results import CONDITIONS, make_results, write_json
from xorag.errors import ArtifactError, MissingExtraError, StorageError, UsageError
from xorag.evaluation.report.writing import write_report
from xorag.evaluation.statistics import Verdict

HOSTILE = "</details><script>window.hacked = true</script> & \"quoted\" 'too' {{ 7 * 7 }} ${x}"
VOID = {"meta", "link", "input", "br"}
Attributes = dict[str, str | None]


class Outline(HTMLParser):
    """The elements of a page, checked for being closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, Attributes]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.elements if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [found for _, each in self.elements if (found := each.get(attribute))]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_results(tmp_path_factory.mktemp("page"), questions=8, first_question=HOSTILE)


@pytest.fixture(scope="module")
def page(results: Path) -> str:
    return write_report(results).path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_elements_are_closed_in_order_and_ids_are_unique(outline: Outline) -> None:
    twice = [name for name, count in Counter(outline.values("id")).items() if count > 1]

    assert twice == []


def test_nothing_in_the_page_points_outside_it(page: str, outline: Outline) -> None:
    references = [*outline.values("href"), *outline.values("xlink:href"), *outline.values("src")]
    ids = set(outline.values("id"))

    assert {ref for ref in references if not ref.startswith("#")} == {"data:,"}
    assert {ref[1:] for ref in references if ref.startswith("#")} <= ids
    assert "@import" not in page
    assert set(re.findall(r"url\((.)", page)) <= {"#"}


def test_the_policy_allows_our_script_alone(page: str, outline: Outline) -> None:
    (policy,) = (m["content"] for m in outline.named("meta") if "http-equiv" in m)
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)

    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert (policy or "").startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in (policy or "")
    assert len(outline.named("script")) == 1


def test_what_users_wrote_is_escaped(page: str) -> None:
    assert "window.hacked" in page
    assert "<script>window" not in page
    assert "{{ 7 * 7 }}" in page


def test_every_header_of_a_table_says_its_scope(outline: Outline) -> None:
    assert outline.named("th")
    assert {attributes.get("scope") for attributes in outline.named("th")} == {"col", "row"}


def test_every_table_is_in_a_named_box_that_the_keyboard_can_scroll(outline: Outline) -> None:
    boxes = [each for each in outline.named("div") if each.get("class") == "scroll"]

    assert len(boxes) == len(outline.named("table"))
    assert all(box.get("tabindex") == "0" and box.get("role") == "region" for box in boxes)
    assert all(box.get("aria-label") or box.get("aria-labelledby") for box in boxes)


def test_a_verdict_is_words_and_a_sign(tmp_path: Path) -> None:
    results = make_results(tmp_path, sets={"nq": 0.1}, questions=40)
    document = json.loads((results / "summary.json").read_text())
    _, text, xrag, rate, _ = document["sets"][0]["conditions"]
    text["verdict"], xrag["verdict"], rate["verdict"] = map(str, Verdict)
    write_json(results / "summary.json", document)

    page = write_report(results).path.read_text(encoding="utf-8")

    for sign, words in zip("▲=▼", Verdict, strict=True):
        assert f'<span aria-hidden="true">{sign}</span> {words}</span>' in page


def test_settings_versions_and_sample_sizes_are_there(page: str) -> None:
    for wanted in (version("transformers"), "all-minilm-l6-v2", "ab" * 32, "32 questions"):
        assert wanted in page


def test_the_same_results_give_the_same_page(results: Path, page: str) -> None:
    assert write_report(results).path.read_text(encoding="utf-8") == page


def test_examples_are_capped_and_the_page_says_so(tmp_path: Path) -> None:
    results = make_results(tmp_path, sets={"nq": 0.3}, questions=9)

    page = write_report(results, examples=4).path.read_text(encoding="utf-8")

    assert page.count('<details class="example"') == 4
    assert "4 of 9 questions of nq, taken evenly over their ids." in page


def test_no_examples_leave_the_tables_and_plots(tmp_path: Path) -> None:
    results = make_results(tmp_path, sets={"nq": 0.3}, questions=9)

    page = write_report(results, examples=0).path.read_text(encoding="utf-8")

    assert "None were asked for." in page
    assert page.count("<figure>") == 3
    Outline(page)


def test_a_single_mode_is_reported_without_a_verdict(tmp_path: Path) -> None:
    results = make_results(tmp_path, sets={"nq": 0.3}, questions=4, conditions=CONDITIONS[:1])

    page = write_report(results).path.read_text(encoding="utf-8")

    assert "the baseline" in page
    assert "closed book was not asked" not in page
    assert page.count("<figure>") == 2
    Outline(page)


def test_a_mode_that_one_set_was_not_asked_in_leaves_a_gap(tmp_path: Path) -> None:
    results = make_results(tmp_path, sets={"nq": 0.3, "popqa": 0.3}, questions=4)
    document = json.loads((results / "summary.json").read_text())
    del document["sets"][1]["conditions"][2:]
    write_json(results / "summary.json", document)

    page = write_report(results).path.read_text(encoding="utf-8")

    glance = page[page.index('class="glance"') : page.index("</table>")]
    assert len(re.findall(r"<td>\s*(\S+?)\s*</td>", glance)) == 3


def test_notes_and_unfinished_modes_are_told(tmp_path: Path) -> None:
    results = make_results(tmp_path, sets={"nq": 0.3}, questions=4, conditions=CONDITIONS[:2])
    document = json.loads((results / "summary.json").read_text())
    document["sets"][0] |= {"unfinished": ["xrag"], "notes": ["3 rows < 4 were left out"]}
    write_json(results / "summary.json", document)

    page = write_report(results).path.read_text(encoding="utf-8")

    assert "<li>3 rows &lt; 4 were left out</li>" in page
    assert "<li>begun and not finished: xrag</li>" in page


def test_a_report_of_nothing_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        write_report(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_negative_number_of_examples_is_refused(results: Path) -> None:
    with pytest.raises(UsageError, match="--examples must be 0 or more, got -1"):
        write_report(results, examples=-1)


def test_a_missing_package_names_the_extra(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(MissingExtraError, match=r"jinja2, which is not installed; .*xorag\[eval\]"):
        write_report(results)


def test_a_directory_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    results = make_results(tmp_path, sets={"nq": 0.3}, questions=2)
    (results / "report.html").mkdir()

    with pytest.raises(StorageError, match=r"report.html"):
        write_report(results)

    assert list(results.glob(".report*")) == []
