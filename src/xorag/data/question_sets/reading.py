"""Questions of any set, by the set's name or from files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xorag.data.fields import Fields
from xorag.data.formats import SUFFIXES
from xorag.data.question_sets.catalogue import NAMED_SETS, NamedSet
from xorag.data.question_sets.evaluation_files import ID_KEYS, read_evaluation_row
from xorag.data.question_sets.outcome import NoAnswer, OnSkipped, ReadRow, RowSource, questions_of
from xorag.data.question_sets.stored_rows import HubRows, file_rows, folder_rows, hub_rows
from xorag.data.question_sets.xrag_folder import RETRIEVAL, find_xrag_files, xrag_rows
from xorag.data.questions import Question
from xorag.data.rows import Row
from xorag.errors import SourceError, UsageError

_SPLITS = frozenset({"test", "dev", "validation", "valid", "val", "train"})


@dataclass(frozen=True, slots=True)
class _Named:
    """A set that was asked for by name, as `NAME`, `NAME/CONFIG` or either with `=COPY`."""

    name: str
    config: str | None
    copy: Path | None

    @property
    def label(self) -> str:
        return self.name if self.config is None else f"{self.name}-{self.config}"


def read_question_set(
    name_or_path: str | Path, *, split: str | None = None, on_skipped: OnSkipped | None = None
) -> Iterator[Question]:
    """Read questions, one at a time.

    Args:
        name_or_path: A name (`nq`, `triviaqa/unfiltered`), a name and a local copy of the
            hub's rows (`hotpotqa=FILE_OR_FOLDER`), a question file, or a folder of xRAG's
            `data/eval`.
        split: By default the one that results are usually reported on.
        on_skipped: Told of each row that is left out, since its answer is not known or its id
            came before; by default their number is logged.

    Raises:
        MissingExtraError: If the package `datasets` is needed and not installed.
        SourceError: If rows cannot be read or are malformed; the message says where.
        UsageError: If there is no such set, file or split.
    """
    named = _parse(str(name_or_path))
    if named is not None:
        return _named_questions(named, split, on_skipped)
    path = Path(name_or_path)
    if not path.exists():
        raise UsageError(
            f"no question set {str(name_or_path)!r}: no such file or folder, and none of"
            f" {', '.join(NAMED_SETS)}; check the path or the name"
        )
    label = question_set_name(path)
    return questions_of(
        _path_rows(path, split),
        read_evaluation_row,
        lambda row: _id(row, label, ID_KEYS),
        on_skipped,
    )


def question_set_name(name_or_path: str | Path) -> str:
    """What to call a set in results: its name, or that of its file or folder.

    Examples:
        >>> question_set_name("data/nq.jsonl.gz"), question_set_name("data/eval/nq/test.jsonl")
        ('nq', 'nq')
        >>> question_set_name("triviaqa/unfiltered"), question_set_name("hotpotqa=copies/dev.json")
        ('triviaqa-unfiltered', 'hotpotqa')
    """
    named = _parse(str(name_or_path))
    if named is not None:
        return named.label
    path = Path(name_or_path).resolve()
    name = path.name.removesuffix(".gz")
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    if name in _SPLITS and name != path.name:
        path = path.parent
        name = path.name
    return path.parent.parent.name if path.parent.name == RETRIEVAL else name


def _parse(text: str) -> _Named | None:
    before, equals, copy = text.partition("=")
    name, _, config = before.partition("/")
    found = NAMED_SETS.get(name.lower())
    if found is None or (config and config not in (found.config, *found.other_configs)):
        return None
    return _Named(name.lower(), config or None, Path(copy) if equals else None)


def _named_questions(
    named: _Named, split: str | None, on_skipped: OnSkipped | None
) -> Iterator[Question]:
    found = NAMED_SETS[named.name]
    source = _named_rows(named, found, split)
    if found.gather is not None:
        source = RowSource(source.origin, found.gather(source.rows))
    # The authors' own files of HotpotQA and 2WikiMultihopQA call it `_id`.
    keys = () if found.id_key is None else (found.id_key, "_id")
    read = _read_from(found, found.repository or named.name)
    return questions_of(source, read, lambda row: _id(row, named.label, keys), on_skipped)


def _read_from(found: NamedSet, source: str) -> ReadRow:
    def read(row: Fields, identity: str) -> Question | NoAnswer:
        question = found.read(row, identity)
        return replace(question, source=source) if isinstance(question, Question) else question

    return read


def _named_rows(named: _Named, found: NamedSet, split: str | None) -> RowSource:
    config, wanted = named.config or found.config, split or found.split
    if named.copy is None:
        if found.repository is None:
            raise SourceError(
                f"{named.name} is published only as pickles, which may run any program and are"
                f" not read; give a copy as JSON or Parquet: {named.name}=FILE"
            )
        return hub_rows(HubRows(named.name, found.repository, config, wanted, found.is_converted))
    if not named.copy.exists():
        raise UsageError(f"{named.copy} is no file or folder; check the path of the copy")
    if named.copy.is_dir():
        return folder_rows(named.copy, config, wanted, is_split_named=split is not None)
    _refuse_split(named.copy, split)
    return file_rows(named.copy)


def _path_rows(path: Path, split: str | None) -> RowSource:
    files = find_xrag_files(path, split)
    if path.is_dir() and files is None:
        raise SourceError(
            f"{path} is a folder without {split or 'test'}.jsonl, which xRAG's have; name the set"
            f" that it is a copy of, such as hotpotqa={path}, or one of its files"
        )
    if not path.is_dir():
        _refuse_split(path, split)
    return file_rows(path) if files is None else xrag_rows(files)


def _refuse_split(path: Path, split: str | None) -> None:
    if split is not None:
        raise UsageError(
            f"split {split!r} was asked for, but {path} is one file; leave the split out"
        )


def _id(row: Row, label: str, keys: Sequence[str]) -> str:
    values = (row.fields.get(key) for key in keys)
    value = next((value for value in values if value is not None), row.number - 1)
    return f"{label}:{value}"
