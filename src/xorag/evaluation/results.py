"""What is kept of each answer: a line of JSON a question, in a file for each condition.

Knows nothing of models, and nothing of what is computed from the results.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pydantic import TypeAdapter

from xorag.artifact.storage import translate_os_errors
from xorag.data.questions import Task
from xorag.errors import ArtifactError
from xorag.types import Critique, GateDecision, Verification


@dataclass(frozen=True, slots=True)
class EvidenceResult:
    """A passage that an answer was read from."""

    id: str
    title: str
    text: str
    form: str
    tokens: int
    score: float
    is_supporting: bool | None
    """By the data set's labels; None where it does not say."""
    gold_id: str | None = None
    """Of the labelled passage that it is, is a part of, or holds."""
    critique: Critique | None = None
    """How mode `openrag` judged it."""
    is_chosen: bool | None = None
    """Whether mode `openrag` gave the answer of the path through it."""
    shown: tuple[str, ...] = ()
    """The strings, or the sentences, that stood in the prompt."""
    reason: str = ""
    """Why it was read in this form; empty: the mode or the condition says so."""


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """What verifying found in an answer, and how good the answers are that it did away with."""

    verification: Verification
    first_scores: Mapping[str, float] | None = None
    """Of the answer of the first reading, where there was a second."""
    withheld_scores: Mapping[str, float] | None = None
    """Of the answer that was withheld."""


@dataclass(frozen=True, slots=True)
class Result:
    """A question, what was answered, and how good that is."""

    id: str
    question: str
    task: Task
    answers: tuple[str, ...]
    prediction: str
    confidence: float | None
    scores: Mapping[str, float]
    """From 0 to 1 by the name of the metric; those that the question cannot have are not there."""
    prompt_tokens: int
    passage_tokens_as_text: int
    passage_tokens_used: int
    generated_tokens: int
    seconds: float
    evidence: tuple[EvidenceResult, ...]
    gold_ids: tuple[str, ...] | None
    """Of the passages that a retriever should find; None where passages were given or none read."""
    gate: GateDecision | None = None
    """Whether mode `openrag` read passages, and why."""
    abstained: bool = False
    """Whether mode `openrag`, or verifying, left the question without an answer."""
    verified: VerificationResult | None = None
    """Where answers were verified."""

    def as_json(self) -> dict[str, Any]:
        """The documented line."""
        return asdict(self)


class ResultsFile:
    """The results of one condition, which grow line by line and outlive a killed process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None

    def read(self) -> dict[str, Result]:
        """The results by question id; a last line that a kill cut short is taken off the file.

        Raises:
            ArtifactError: If a whole line is not a result.
            StorageError: If the file cannot be read or cut.
        """
        if not self._path.exists():
            return {}
        with translate_os_errors(self._path):
            content = self._path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if len(whole) < len(content):
                with self._path.open("r+b") as stream:
                    stream.truncate(len(whole))
        lines = whole.decode("utf-8", errors="replace").splitlines()
        results = [self._parse(number, line) for number, line in enumerate(lines, start=1)]
        return {result.id: result for result in results}

    def __enter__(self) -> Self:
        with translate_os_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("ab")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            with translate_os_errors(self._path):
                self._stream.close()
            self._stream = None

    def append(self, result: Result) -> None:
        """Add a line and hand it to the system, so that a killed process does not lose it.

        Raises:
            StorageError: If the disk is full or refuses to be written.
        """
        line = json.dumps(result.as_json(), ensure_ascii=True, allow_nan=False) + "\n"
        with translate_os_errors(self._path):
            if self._stream is None:
                raise RuntimeError("results are appended inside the file's with block")
            self._stream.write(line.encode())
            self._stream.flush()

    def _parse(self, number: int, line: str) -> Result:
        try:
            return _ADAPTER.validate_json(line)
        except ValueError as error:
            raise ArtifactError(
                f"{str(self._path)!r}, line {number} is not a result of an evaluation; delete the "
                "file, so that its questions are asked again"
            ) from error


_ADAPTER = TypeAdapter(Result)
