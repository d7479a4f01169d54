"""What a server allows, checked when it is made. Knows nothing of what it answers with."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from xorag.errors import ConfigError, UsageError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What a server allows.

    Raises:
        ConfigError: If a limit is not positive.
    """

    max_queue: int = 64
    """Requests that may wait; one more is answered with 429."""
    timeout_seconds: float = 120.0
    """From a request's arrival to its answer; then it is answered with 504."""
    batch_size: int = 16
    """Questions that are answered together, at most."""
    max_body_bytes: int = 1_048_576
    """Of a request that adds no documents."""
    max_question_characters: int = 20_000
    max_passages: int = 100
    """The largest `k`."""
    max_new_tokens: int = 1_024
    max_inputs: int = 256
    """Texts of one request to `/v1/embeddings`."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Any of them is taken; none: no key is asked for."""
    is_loopback: bool = True
    """Whether only this machine is served; then the Host header must name it."""

    def __post_init__(self) -> None:
        for name in ("max_queue", "timeout_seconds", "batch_size", "max_body_bytes"):
            if not getattr(self, name) > 0:
                given = getattr(self, name)
                raise ConfigError(f"{name} must be more than 0, got {given}; give a larger one")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there.

    Examples:
        >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
        (True, False, True)
    """
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_api_keys(path: Path) -> tuple[str, ...]:
    """The keys in a file, one a line; empty lines and those that begin with `#` are left out.

    Raises:
        UsageError: If it cannot be read, holds no key, or one that is too short or not ASCII.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file of keys {str(path)!r} cannot be read ({error})") from error
    keys = tuple(key for line in lines if (key := line.strip()) and not key.startswith("#"))
    if not keys:
        raise UsageError(f"the file of keys {str(path)!r} holds none; write one key a line")
    if any(len(key) < SHORTEST_KEY or not key.isascii() or " " in key for key in keys):
        raise UsageError(
            f"each key in {str(path)!r} must have at least {SHORTEST_KEY} ASCII characters and no "
            "space; make one with `openssl rand -hex 24`"
        )
    return keys


def require_key_off_loopback(host: str, api_keys: tuple[str, ...]) -> None:
    """Refuse to serve other machines without a key.

    Raises:
        UsageError: If the host is not loopback and there is no key.
    """
    if not is_loopback(host) and not api_keys:
        raise UsageError(
            f"--host {host} lets other machines ask, and that needs a key; name a file of keys "
            "with --api-key-file, or serve 127.0.0.1"
        )
