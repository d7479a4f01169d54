"""One tree of exceptions: each says what is wrong, what was given, and what to do.

A class is also the built-in that it refines, where one fits, so that callers may catch either.
"""


class XoragError(Exception):
    """Root of everything that xorag raises on purpose."""

    exit_code = 1
    """What the command line exits with: 1, the work failed; 2, the command is wrong."""


class UsageError(XoragError, ValueError):
    """A call or command that cannot be carried out as written."""

    exit_code = 2


class ConfigError(UsageError):
    """Options or a recipe with faults; the message lists all of them."""


class SourceError(XoragError, ValueError):
    """A document source that cannot be read: missing, unreadable, empty, encrypted, malformed."""


class ModelNotFoundError(XoragError, LookupError):
    """A model name that no folder, package or hub serves; the message says what was tried."""


class ArtifactError(XoragError, ValueError):
    """An artifact directory that is incomplete, altered, or of another kind or format."""


class ArtifactNotFoundError(ArtifactError, LookupError):
    """An artifact that no folder, no part of xorag and no hub has; says what was tried."""


class HubError(XoragError, RuntimeError):
    """A hub that does not take what shall be pushed to it."""


class IndexNotFoundError(XoragError, LookupError):
    """A directory that holds no index."""


class IndexMismatchError(XoragError, ValueError):
    """An index that was built with another encoder or other settings than those asked for."""


class ProjectorMismatchError(XoragError, ValueError):
    """A projector that does not fit the language model or the encoder."""


class ReaderMismatchError(XoragError, ValueError):
    """A reader that does not fit the language model or the tokenizer."""


class CalibrationMismatchError(XoragError, ValueError):
    """A calibration that was made for another reader."""


class ExpertError(XoragError, ValueError):
    """Experts that do not fit the language model, or a model that has none."""


class SpliceError(XoragError, ValueError):
    """Soft tokens and placeholders that do not pair up."""


class ControlTokenError(XoragError, ValueError):
    """Text that could not be encoded without producing a control token."""


class ReflectionError(XoragError, ValueError):
    """A tokenizer that lacks reflection tokens, or judgements that cannot be read."""


class PromptTooLongError(XoragError, ValueError):
    """A prompt that exceeds what the language model can read."""


class GenerationServerError(XoragError, RuntimeError):
    """A server of a language model that cannot be reached, or cannot do what is asked of it."""


class StorageError(XoragError, OSError):
    """A disk that is full or refuses to be written."""


class RemoteStorageError(StorageError):
    """An object store or Milvus refuses, or cannot be reached."""


class WriterBusyError(StorageError):
    """An index that another process is writing to; it may be tried again."""


class LibraryFullError(XoragError, RuntimeError):
    """More documents than a server takes at a time; they may be sent again later."""


class WorkerError(XoragError, RuntimeError):
    """Processes that shall do a part of the work and end before it is done."""


class ServingError(XoragError, RuntimeError):
    """A server that cannot answer a request, or cannot be started."""


class QueueFullError(ServingError):
    """More requests than a server lets wait; they may be sent again."""

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeadlineError(ServingError, TimeoutError):
    """A request that was not answered in its time."""


class ClientGoneError(ServingError):
    """A client that went away before its answer was there."""


class AccessError(ServingError, PermissionError):
    """A request without a key, with a wrong one, or sent by another site's page."""


class MissingExtraError(XoragError, ImportError):
    """An optional dependency that is not installed; the message names the extra."""


class TrainingError(XoragError, RuntimeError):
    """A training run that cannot go on."""


class EvaluationError(XoragError, RuntimeError):
    """An evaluation that cannot go on."""
