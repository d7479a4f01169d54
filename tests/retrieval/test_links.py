"""Passages that lead to each other."""

import pytest

from xorag.retrieval.links import NAMES_PER_PASSAGE, closeness, leads_of
from xorag.types import Hit, Passage


def passage(title: str, text: str = "Some text.") -> Passage:
    return Passage(title or text, title or text, title, text, 0)


def hit(title: str, text: str) -> Hit:
    return Hit(passage(title, text), 1.0)


def names(question: str, *hits: Hit) -> list[str]:
    return [lead.name for lead in leads_of(question, hits)]


def test_a_passage_leads_to_the_names_that_the_question_lacks() -> None:
    film = hit("Emma (film)", "Emma is a film by Ann Lee, shot in Oslo and based on Emma.")

    assert names("Where was the director of Emma born?", film) == ["Ann Lee", "Oslo"]


def test_a_name_is_looked_up_once_for_the_first_passage_that_has_it() -> None:
    first, second = hit("A", "It lies near Oslo."), hit("B", "OSLO and Oslo are one; Rome is not.")

    leads = leads_of("Where?", [first, second])

    assert [(lead.name, lead.source) for lead in leads] == [("Oslo", first), ("Rome", second)]


def test_a_long_passage_gives_no_more_than_its_first_names() -> None:
    many = hit("A", " and ".join(f"Name{i:03}" for i in range(50)))

    found = names("Which?", many)

    assert found == [f"Name{i:03}" for i in range(NAMES_PER_PASSAGE)]


def test_without_names_there_is_nothing_to_look_up() -> None:
    assert names("Who?", hit("A", "nothing but small words")) == []
    assert names("Who?") == []


@pytest.mark.parametrize(
    ("name", "of", "close"),
    [
        ("Ann Lee", passage("Ann Lee"), 1.0),
        ("Ann Lee", passage("Ann Lee (director)"), 1.0),
        ("ann lee", passage("Ann Lee"), 1.0),
        ("Ann Lee", passage("Ann Smith"), 1 / 3),
        ("Tottenham Hotspur", passage("Tottenham Hotspur F.C."), 0.5),
        ("Oslo", passage("Rome"), 0.0),
        ("Oslo", passage("", "Oslo is a town."), 0.5),
        ("Oslo", passage("", "Rome is a town."), 0.0),
        ("(1999)", passage("(1999)"), 1.0),
        ("?", passage("Rome"), 0.0),
    ],
)
def test_closeness_compares_a_name_with_what_a_passage_is_about(
    name: str, of: Passage, close: float
) -> None:
    assert closeness(name, of) == pytest.approx(close)
