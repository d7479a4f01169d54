"""Putting an artifact on the Hugging Face hub, with a page that says what it is.

Knows nothing of what artifacts hold.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from xorag.artifact.card import model_card
from xorag.artifact.hub import is_hub_name, reason
from xorag.artifact.kinds import read_any_manifest
from xorag.errors import HubError, UsageError

logger = logging.getLogger(__name__)

_CARD = "README.md"
_KEPT = frozenset({".gitattributes"})
"""What the hub puts into a repository itself."""


def require_pushable(repo: str) -> None:
    """Refuse a push that cannot succeed, before what shall be pushed is made.

    Raises:
        HubError: If no token for the hub is known here.
        UsageError: If the name is not of the form `org/name`.
    """
    if not is_hub_name(repo):
        raise UsageError(
            f"{repo!r} cannot be a name on the hub; give one of the form org/name, with letters, "
            "digits, '.', '-' and '_'"
        )
    if huggingface_hub.get_token() is None:
        raise HubError(
            f"to push to {repo!r} a token of the Hugging Face hub is needed, and there is none; "
            "run `hf auth login` or set HF_TOKEN"
        )


def push_artifact(
    directory: Path,
    repo: str,
    *,
    is_private: bool = False,
    licence: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Make a repository on the hub hold an artifact, whole and alone, in one commit.

    Args:
        directory: Of any kind of artifact; it is checked first.
        repo: `org/name`; made if it does not exist.
        is_private: Whether a new repository is private.
        licence: For its page, such as `apache-2.0`.
        endpoint: Of the hub; None: `HF_ENDPOINT`, or the public one.

    Returns:
        Where it can be seen.

    Raises:
        ArtifactError: If there is no artifact, or it is incomplete or altered.
        HubError: If there is no token, or the hub does not take it.
        UsageError: If the name is not of the form `org/name`.
    """
    require_pushable(repo)
    card = str(model_card(read_any_manifest(directory), repo, licence=licence))
    files = {name: directory / name for name in _files(directory)}
    api = huggingface_hub.HfApi(endpoint=endpoint)
    try:
        url = api.create_repo(repo, private=is_private, exist_ok=True)
        stale = set(api.list_repo_files(repo)) - set(files) - _KEPT - {_CARD}
        api.create_commit(
            repo,
            operations=[
                CommitOperationAdd(_CARD, card.encode()),
                *(CommitOperationAdd(name, path) for name, path in files.items()),
                *(CommitOperationDelete(name) for name in sorted(stale)),
            ],
            commit_message=f"Put {directory.resolve().name} here with xorag",
        )
    except Exception as error:  # the HTTP library's classes change between versions
        raise HubError(
            f"the hub did not take {str(directory)!r} as {repo!r} ({reason(error)}); check that "
            "your token may write there, and the network"
        ) from error
    logger.info("artifact pushed", extra={"repo": repo, "files": len(files)})
    return str(url)


def _files(directory: Path) -> Iterator[str]:
    """Names of all files but hidden ones and an earlier page."""
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        is_hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not is_hidden and name.as_posix() != _CARD:
            yield name.as_posix()
