"""The passages that training may see: a corpus without what is kept for reporting."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from xorag.data.json_lines import read_json_lines
from xorag.data.opening import read_lines
from xorag.data.questions import Question, is_dev, read_questions
from xorag.data.rows import BadRow, SourceFile, documents_from_rows
from xorag.errors import SourceError
from xorag.types import Document

WINDOW_WORDS = 8
"""Length of the word windows by which pieces and near-copies of a passage are found."""
OVERLAP_SHARE = 0.5


class DropRule(StrEnum):
    """Why a passage is kept from training; the first rule that applies counts."""

    KEEP_OUT = "keep_out"
    """Its id is on the list of passages that no training may see."""
    SAME_ID = "same_id"
    """It supports a dev question, by the hash of title and text."""
    SAME_TEXT = "same_text"
    """It supports a dev question, up to title, case and white space."""
    OVERLAP = "overlap"
    """Half of the word windows of the shorter one are shared with a supporting passage."""


def training_passages(
    corpus: Path,
    keep_out: Path,
    question_files: Sequence[Path],
    *,
    on_drop: Callable[[DropRule], None] | None = None,
) -> Iterator[Document]:
    """Yield the documents of a corpus that training may see, in its order.

    A passage of a dev question counts as supporting unless it is labelled as not
    supporting, so passages without labels are left out too.

    Args:
        corpus: JSON Lines of id, title and text.
        keep_out: Ids that no training may see, one a line.
        question_files: Question files, the dev rows of which are kept for reporting.
        on_drop: Told of each passage left out, by the rule that it fell under.

    Raises:
        SourceError: If a file cannot be read or holds a bad row.
    """
    kept_out = frozenset(line.strip() for line in read_lines(keep_out))
    reserved = ReservedTexts(supporting_dev_rows(question_files))
    for document in documents_from_rows(read_json_lines(corpus), SourceFile(corpus, corpus.name)):
        if isinstance(document, BadRow):
            raise document.as_error()
        rule = DropRule.KEEP_OUT if document.id in kept_out else reserved.rule_for(document)
        if rule is None:
            yield document
        elif on_drop is not None:
            on_drop(rule)


class ReservedTexts:
    """Texts that training must not see, searchable by id, text and shared wording."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._ids: set[str] = set()
        self._texts: set[str] = set()
        self._window_counts: list[int] = []
        self._holders: defaultdict[int, list[int]] = defaultdict(list)
        self.add(documents)

    def add(self, documents: Iterable[Document]) -> None:
        """Reserve further texts."""
        for document in documents:
            self._add(document)

    def rule_for(self, document: Document) -> DropRule | None:
        """Say under which rule a document must be left out, if any."""
        if document.id in self._ids:
            return DropRule.SAME_ID
        if _normalized(document.text) in self._texts:
            return DropRule.SAME_TEXT
        return DropRule.OVERLAP if self._overlaps(document.text) else None

    def _add(self, document: Document) -> None:
        self._ids.add(document.id)
        text = _normalized(document.text)
        if text in self._texts:
            return
        self._texts.add(text)
        windows = _windows(text)
        for window in windows:
            self._holders[window].append(len(self._window_counts))
        self._window_counts.append(len(windows))

    def _overlaps(self, text: str) -> bool:
        windows = _windows(_normalized(text))
        shared = Counter(holder for window in windows for holder in self._holders.get(window, ()))
        return any(
            count >= OVERLAP_SHARE * min(len(windows), self._window_counts[holder])
            for holder, count in shared.items()
        )


def content_id(title: str, text: str) -> str:
    """The id of a passage of the shared corpus: a hash of its title and text."""
    return "p" + hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()[:12]


def supporting_dev_rows(question_files: Sequence[Path]) -> Iterator[Document]:
    """The passages of questions that are reported on, which training must not see.

    Raises:
        SourceError: If no file was named, or one cannot be read.
    """
    if not question_files:
        raise SourceError("no question files were given; name those that will be reported on")
    for path in question_files:
        for question in read_questions(path):
            if is_dev(question):
                yield from supporting_passages(question)


def supporting_passages(question: Question) -> Iterator[Document]:
    """The passages of a question save those that are labelled as not supporting."""
    for passage in question.passages:
        if passage.is_supporting is not False:
            yield Document(content_id(passage.title, passage.text), passage.title, passage.text)


def _normalized(text: str) -> str:
    return " ".join(text.split()).casefold()


def _windows(text: str) -> set[int]:
    words = text.split()
    count = max(1, len(words) - WINDOW_WORDS + 1)
    return {hash(tuple(words[start : start + WINDOW_WORDS])) for start in range(count)}
