"""Rows of question sets on the hub, and of files and folders, without knowing what they mean.

JSON is read here, so that a message can name the line; tables, folders and the hub by the
package `datasets`, which streams them.
"""

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType

from xorag.data.formats import SourceFormat, format_by_name
from xorag.data.json_file import read_json
from xorag.data.json_lines import read_json_lines
from xorag.data.opening import open_source
from xorag.data.question_sets.outcome import RowSource
from xorag.data.rows import Row
from xorag.errors import MissingExtraError, SourceError

_CONVERTED = "refs/convert/parquet"
_LOOKED_AT_BYTES = 2**24
_SAVED = ("dataset_dict.json", "state.json")
_BUILDERS: Mapping[SourceFormat, str] = MappingProxyType(
    {
        SourceFormat.PARQUET: "parquet",
        SourceFormat.CSV: "csv",
        SourceFormat.TSV: "csv",
    }
)


@dataclass(frozen=True, slots=True)
class HubRows:
    """Which rows of the hub are wanted."""

    name: str
    """What the set is called here."""
    repository: str
    config: str
    split: str
    is_converted: bool
    """Whether to read the hub's own conversion to Parquet, since the repository holds a
    program, which is never run."""

    @property
    def origin(self) -> str:
        """Where they are, for messages."""
        return f"{self.repository} ({self.config}, {self.split})"


def hub_rows(wanted: HubRows) -> RowSource:
    """The rows of a split on the hub, read as they are needed and kept nowhere.

    Raises:
        MissingExtraError: If the package `datasets` is not installed.
    """
    return RowSource(wanted.origin, _hub_rows(_datasets(), wanted))


def file_rows(path: Path) -> RowSource:
    """The rows of a JSON, JSON Lines, Parquet, CSV or TSV file.

    Raises:
        MissingExtraError: If it is a table and the package `datasets` is not installed.
        SourceError: If it cannot be read, or is none of these by its name.
    """
    kind = format_by_name(path)
    if kind is not None and kind in _BUILDERS:
        options = {"sep": "\t"} if kind is SourceFormat.TSV else {}
        return RowSource(str(path), _checked(path, _table(path, _BUILDERS[kind], options)))
    if kind not in {SourceFormat.JSON, SourceFormat.JSON_LINES}:
        raise SourceError(
            f"{path} holds no questions, by its name; question files end in .jsonl, .json,"
            " .parquet, .csv or .tsv, packed or not"
        )
    read = read_json if kind is SourceFormat.JSON and _is_document(path) else read_json_lines
    return RowSource(str(path), read(path))


def folder_rows(path: Path, config: str, split: str, *, is_split_named: bool) -> RowSource:
    """The rows of a folder, laid out as the hub has it or as `save_to_disk` leaves it.

    Args:
        path: The folder.
        config: The configuration to take, if there are several.
        split: The split to take, if there are several.
        is_split_named: Whether the split was asked for, so that no other will do.

    Raises:
        MissingExtraError: If the package `datasets` is not installed.
        SourceError: If the folder cannot be read, or has no such configuration or split.
    """
    datasets = _datasets()
    try:
        splits = _splits(datasets, path, config, split)
    except SourceError:
        raise
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unreadable(path, error) from error
    chosen = _choose(path, "split", split, list(splits), is_named=is_split_named)
    return RowSource(str(path), _checked(path, splits[chosen]))


def _hub_rows(datasets: ModuleType, wanted: HubRows) -> Iterator[Row]:
    try:
        yield from _numbered(_hub_stream(datasets, wanted))
    except Exception as error:  # the HTTP library's classes change between versions
        raise SourceError(
            f"the Hugging Face hub did not serve {wanted.origin}: {_reason(error)}; check the"
            f" network and the split, or give a local copy as {wanted.name}=FILE_OR_FOLDER"
        ) from error


def _hub_stream(datasets: ModuleType, wanted: HubRows) -> Iterable[Mapping[str, object]]:
    found: Iterable[Mapping[str, object]]
    if not wanted.is_converted:
        found = datasets.load_dataset(
            wanted.repository, wanted.config, split=wanted.split, streaming=True
        )
        return found
    folder = f"hf://datasets/{wanted.repository}@{_CONVERTED}/{wanted.config}/{wanted.split}"
    files = {wanted.split: f"{folder}/*.parquet"}
    found = datasets.load_dataset("parquet", data_files=files, split=wanted.split, streaming=True)
    return found


def _table(path: Path, builder: str, options: Mapping[str, str]) -> Iterable[Mapping[str, object]]:
    datasets = _datasets()
    try:
        found: Iterable[Mapping[str, object]] = datasets.load_dataset(
            builder, data_files={"rows": str(path)}, split="rows", streaming=True, **options
        )
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unreadable(path, error) from error
    return found


def _checked(path: Path, stream: Iterable[Mapping[str, object]]) -> Iterator[Row]:
    datasets = _datasets()
    try:
        yield from _numbered(stream)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unreadable(path, error) from error


def _splits(
    datasets: ModuleType, path: Path, config: str, split: str
) -> Mapping[str, Iterable[Mapping[str, object]]]:
    found: Mapping[str, Iterable[Mapping[str, object]]]
    if any((path / name).is_file() for name in _SAVED):
        saved = datasets.load_from_disk(str(path))
        found = saved if isinstance(saved, dict) else {str(saved.split or split): saved}
        return found
    configs = datasets.get_dataset_config_names(str(path))
    chosen = _choose(path, "configuration", config, configs, is_named=False)
    found = datasets.load_dataset(str(path), chosen, streaming=True)
    return found


def _is_document(path: Path) -> bool:
    """Whether a file is one list, or an object of ids and rows, rather than a row a line."""
    with open_source(path) as stream:
        start = stream.read(_LOOKED_AT_BYTES).decode("utf-8-sig", errors="replace").lstrip()
    if not start.startswith("{"):
        return True
    try:
        first = json.loads(start.split("\n", maxsplit=1)[0])
    except (ValueError, RecursionError):
        return True
    return bool(first) and all(isinstance(value, dict) for value in first.values())


def _choose(path: Path, what: str, wanted: str, there: Sequence[str], *, is_named: bool) -> str:
    if wanted in there:
        return wanted
    if len(there) == 1 and not is_named:
        return there[0]
    raise SourceError(
        f"{path} has no {what} {wanted!r}, only {', '.join(there)}; name one of them, or the file"
        " that holds the rows"
    )


def _numbered(stream: Iterable[Mapping[str, object]]) -> Iterator[Row]:
    for number, fields in enumerate(stream, start=1):
        yield Row(f"row {number}", number, fields)


def _unreadable(path: Path, error: Exception) -> SourceError:
    remedy = (
        "download all that its card names, or name the file or folder in it that holds the rows"
        if path.is_dir()
        else "download or write it again"
    )
    return SourceError(f"{path} cannot be read ({_reason(error)}); {remedy}")


def _reason(error: Exception) -> str:
    first_line = str(error).strip().split("\n", maxsplit=1)[0].rstrip(".")
    return first_line[:200] or type(error).__name__


def _datasets() -> ModuleType:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise MissingExtraError(
            "question sets of the hub, and copies of them as tables or folders, need the package"
            " datasets; install xorag[eval]"
        ) from error
