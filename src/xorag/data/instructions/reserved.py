"""What no training example may hold: dev questions, their passages, and listed passages."""

from collections.abc import Iterable
from pathlib import Path

from xorag.data.instructions.matching import normalized
from xorag.data.json_lines import read_json_lines
from xorag.data.opening import read_lines
from xorag.data.questions import LabelledPassage, Question, is_dev
from xorag.data.rows import BadRow, SourceFile, documents_from_rows
from xorag.data.training_corpus import DropRule, ReservedTexts, content_id, supporting_passages
from xorag.types import Document


class Reserved:
    """Passages and questions that are kept for reporting."""

    def __init__(
        self,
        questions: Iterable[Question] = (),
        *,
        keep_out: Iterable[str] = (),
        documents: Iterable[Document] = (),
    ) -> None:
        """Note what is reserved.

        Args:
            questions: Of which the dev ones are reported on; the others are passed over.
            keep_out: Ids of passages, as `content_id` makes them.
            documents: Further texts that must not be seen, in whole or in part.
        """
        self._keep_out = frozenset(keep_out)
        self._questions: set[str] = set()
        self._texts = ReservedTexts(documents)
        for question in questions:
            if is_dev(question):
                self._questions |= {normalized(question.question)} - {""}
                self._texts.add(supporting_passages(question))

    def holds_question(self, question: str) -> bool:
        """Whether a dev row asks the same, up to case and punctuation."""
        return normalized(question) in self._questions

    def rule_for(self, passage: LabelledPassage, *, document_id: str = "") -> DropRule | None:
        """Say under which rule a passage must be left out, if any.

        Args:
            passage: With its whole text, or a piece of it.
            document_id: Of the document that it was cut from, if known.
        """
        identity = content_id(passage.title, passage.text)
        if identity in self._keep_out or document_id in self._keep_out:
            return DropRule.KEEP_OUT
        return self._texts.rule_for(Document(identity, passage.title, passage.text))


def read_keep_out(path: Path) -> frozenset[str]:
    """The ids of passages that no training may see, one a line.

    Raises:
        SourceError: If the file cannot be read.
    """
    return frozenset(line.strip() for line in read_lines(path)) - {""}


def listed_documents(corpus: Path, keep_out: frozenset[str]) -> Iterable[Document]:
    """Yield the documents of a corpus that are on the list, so that parts of them are known too.

    Raises:
        SourceError: If the corpus cannot be read or holds a bad row.
    """
    for document in documents_from_rows(read_json_lines(corpus), SourceFile(corpus, corpus.name)):
        if isinstance(document, BadRow):
            raise document.as_error()
        if document.id in keep_out:
            yield document
