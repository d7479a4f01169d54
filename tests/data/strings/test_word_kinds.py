"""Of which kind the words of a text are."""

from hypothesis import given
from hypothesis import strategies as st

from xorag.data.strings.word_kinds import word_kinds
from xorag.types import WordKind

TEXT = "Jane Austen wrote it in 1815 for £21 and a B-52"


def test_words_are_of_the_kind_of_the_string_that_they_stand_in() -> None:
    words = TEXT.split(" ")
    ends = [len(" ".join(words[: i + 1])) for i in range(len(words))]

    kinds = dict(zip(words, word_kinds(TEXT, ends), strict=True))

    assert {word for word, kind in kinds.items() if kind is WordKind.NAMES} == {"Jane", "Austen"}
    numbers = {word for word, kind in kinds.items() if kind is WordKind.NUMBERS}
    assert numbers == {"1815", "£21", "B-52"}
    assert {kind for word, kind in kinds.items() if word in {"wrote", "it", "a"}} == {WordKind.REST}


def test_white_space_has_no_kind_and_a_part_that_completes_a_character_has_its_kind() -> None:
    assert word_kinds("in  1815", [2, 4, 8, 8]) == [
        WordKind.REST,
        None,
        WordKind.NUMBERS,
        WordKind.NUMBERS,
    ]


@given(st.text(max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_every_part_gets_at_most_one_kind(text: str, cuts: list[int]) -> None:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})

    kinds = word_kinds(text, ends)

    assert len(kinds) == len(ends)
    assert any(kinds) == bool(text.strip())
