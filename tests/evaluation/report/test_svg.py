"""Figures that stand inside a page."""

import re
from pathlib import Path

import matplotlib as mpl

from tests.evaluation.report.made_results import make_results
from xorag.evaluation.report.contents import read_contents
from xorag.evaluation.report.figures import draw_calibration, draw_cost, draw_retrieval_effect
from xorag.evaluation.report.svg import INK, MODES, drawing, inline_svg


def draw(text: str, *, name: str = "a") -> str:
    with drawing(3, 2) as figure:
        axes = figure.add_subplot(title=text, xlabel=text)
        axes.plot([0, 1], [0, 1], color=MODES[2], label=text)
        figure.legend()
        return inline_svg(figure, name=name, title=text, description=text)


def test_colours_are_the_variables_of_the_page() -> None:
    svg = draw("x")

    assert "stroke: var(--mode-2)" in svg
    assert "var(--ink)" in svg
    assert INK[:5] not in svg


def test_text_in_a_figure_is_escaped_and_stays_text() -> None:
    svg = draw("<script>alert(1)</script> --> costs $5 and $6 \N{CJK UNIFIED IDEOGRAPH-4E2D}")

    assert "<script" not in svg
    assert "<!--" not in svg
    assert svg.count("&lt;script&gt;") >= 4
    assert "costs $5 and $6 \N{CJK UNIFIED IDEOGRAPH-4E2D}</text>" in svg


def test_figures_share_no_ids() -> None:
    first, second = (set(re.findall(r'\bid="([^"]+)"', draw("x", name=n))) for n in ("a", "b"))

    assert first
    assert first.isdisjoint(second)


def test_every_reference_in_a_figure_has_its_target() -> None:
    svg = draw("x")

    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', svg)) <= ids


def test_a_figure_has_a_title_and_no_style_of_its_own_for_the_page() -> None:
    svg = draw("x", name="plot")

    assert 'role="img" aria-labelledby="plot-title plot-desc"' in svg
    assert "<style" not in svg
    assert "<metadata" not in svg


def test_a_figure_is_the_same_whatever_the_users_settings_are() -> None:
    expected = draw("x")

    with mpl.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        assert draw("x") == expected


def test_figures_say_their_numbers_in_words(tmp_path: Path) -> None:
    contents = read_contents(make_results(tmp_path, sets={"nq": 0.3}, questions=12), examples=0)

    cost, effect, calibration = (
        draw_one(contents.sets[0], contents.labels, name="n") or ""
        for draw_one in (draw_cost, draw_retrieval_effect, draw_calibration)
    )

    first = contents.sets[0].summary.conditions[0]
    mean = 100 * first.metrics["match"].mean
    assert f"closed: {mean:.1f} % (95 % interval" in cost
    assert "text: resilience" in effect
    assert "closed: resilience" not in effect
    assert "xrag-x8: expected calibration error" in calibration
