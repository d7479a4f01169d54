"""The process that reads uploaded files: `python -m xorag.serving.parsing_child LIMITS`.

Its limits are set before a reader is imported. It reads a task a line from its input, a file's
path and the label that it goes by, writes the documents beside the
file, and answers with a line. It is ended and started anew by `xorag.serving.parsing` when a
file asks too much of it.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from xorag.data.rows import BadRow, SourceFile
from xorag.errors import SourceError
from xorag.serving.parsing_limits import MIBIBYTE, ParsingLimits
from xorag.types import Document

READY = "ready"
OUTPUT_SUFFIX = ".documents"
FAULTS_KEPT = 20


@dataclass(slots=True)
class Tally:
    """What a file held so far."""

    documents: int = 0
    faults: int = 0


def main() -> None:
    """Read files until the input ends."""
    limits = ParsingLimits.from_json(sys.argv[1])
    _limit_process(limits)
    answers = _take_output()
    _import_readers()
    _say(answers, {"state": READY})
    for line in sys.stdin:
        task = json.loads(line)
        _limit_processor_time(limits)
        answer, may_go_on = _answer(Path(task["path"]), task["label"], limits)
        _say(answers, answer)
        if not may_go_on:
            return


def _limit_process(limits: ParsingLimits) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    # Escapes make text longer on the disk, at most six times (\\u0000).
    most = 6 * limits.text_bytes
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _limit_processor_time(limits: ParsingLimits) -> None:
    """Let the next file have its time beside what was used; a limit that outlives the parent."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    most = int(spent.ru_utime + spent.ru_stime + limits.seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def _take_output() -> TextIO:
    """Keep the standard output for answers, so that nothing that a parser prints gets into it."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


def _import_readers() -> None:
    import xorag.data.readers  # noqa: F401, PLC0415 - after the limits


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _answer(path: Path, label: str, limits: ParsingLimits) -> tuple[dict[str, Any], bool]:
    """What became of a file, and whether this process may read another."""
    try:
        return _parse(path, label, limits), True
    except SourceError as error:
        return _failed(str(error).replace(str(path), label)), True
    except MemoryError:
        most = limits.memory_bytes // MIBIBYTE
        return _failed(f"it takes more than {most} MiB of memory to read; split it"), False
    except Exception as error:  # noqa: BLE001 - a hostile file makes parsers fail in any way
        return _failed(f"it cannot be read ({type(error).__name__}); write it again"), False


def _failed(reason: str) -> dict[str, Any]:
    return {"documents": 0, "fault_count": 1, "faults": [{"place": "", "reason": reason}]}


def _parse(path: Path, label: str, limits: ParsingLimits) -> dict[str, Any]:
    tally, faults = Tally(), list[dict[str, str]]()
    with path.with_name(path.name + OUTPUT_SUFFIX).open("w", encoding="utf-8") as output:
        for item in _items(path, label, limits):
            if isinstance(item, BadRow):
                tally.faults += 1
                if len(faults) < FAULTS_KEPT:
                    faults.append({"place": item.place, "reason": item.reason})
                continue
            tally.documents += 1
            output.write(json.dumps(asdict(item)) + "\n")
    return {"documents": tally.documents, "fault_count": tally.faults, "faults": faults}


def _items(path: Path, label: str, limits: ParsingLimits) -> Iterator[Document | BadRow]:
    """The documents of a file, until they are more than the limits allow."""
    from xorag.data.formats import SourceFormat, detect_format  # noqa: PLC0415 - after the limits
    from xorag.data.pdf import count_pages  # noqa: PLC0415
    from xorag.data.readers import read_file  # noqa: PLC0415
    from xorag.data.seen import SeenIds  # noqa: PLC0415

    source_format = detect_format(path)
    if source_format is SourceFormat.PDF and (pages := count_pages(path)) > limits.pages:
        raise SourceError(f"it has {pages} pages, more than {limits.pages}; split it")
    size = 0
    with SeenIds() as seen:
        found = read_file(SourceFile(path, label), source_format, seen)
        for number, item in enumerate(found):
            size += len(item.text.encode()) if isinstance(item, Document) else 0
            _check_size(number + 1, size, limits)
            yield _with_short_id(item, limits)


def _check_size(rows: int, text_bytes: int, limits: ParsingLimits) -> None:
    if rows > limits.documents:
        raise SourceError(f"it holds more than {limits.documents} rows; split it")
    if text_bytes > limits.text_bytes:
        most = limits.text_bytes // MIBIBYTE
        raise SourceError(f"it holds more than {most} MiB of text; split it")


def _with_short_id(item: Document | BadRow, limits: ParsingLimits) -> Document | BadRow:
    if isinstance(item, BadRow) or len(item.id) <= limits.id_characters:
        return item
    reason = f"its id has {len(item.id)} characters, more than {limits.id_characters}; shorten it"
    return BadRow(Path(), "", reason)


if __name__ == "__main__":
    main()
