"""Finding an artifact by its name: a local folder, one that comes with xorag, or the hub.

Knows nothing of what artifacts hold, nor of models, which have their own way to the hub.
"""

import json
import logging
import re
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from pydantic import ValidationError

from xorag.artifact.manifest import MANIFEST_NAME, Kind, Manifest
from xorag.errors import ArtifactNotFoundError

logger = logging.getLogger(__name__)

HUB_TIMEOUT_SECONDS = 10.0
_NAME = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>\w[\w.-]*))?")


def find_artifact(
    name: str | Path, kind: Kind, *, packaged: Path | None = None, endpoint: str | None = None
) -> Path:
    """The folder of an artifact, which is fetched if it is only on the hub.

    Tried in this order: a local path, the name of one in xorag, a name on the hub. What is none of
    these and cannot be a name on the hub is given back as it came, for the caller to refuse.

    Args:
        name: A path, a name such as `org/name`, or `org/name@revision`.
        kind: What it must be.
        packaged: Folder of those that come with xorag, by their names.
        endpoint: Of the hub; None: `HF_ENDPOINT`, or the public one.

    Raises:
        ArtifactNotFoundError: If it could be on the hub but cannot be had from there, or is of
            another kind; says what was tried.
    """
    path = Path(name).expanduser()
    if path.exists():
        return path
    if packaged is not None and (packaged / path / MANIFEST_NAME).is_file():
        return packaged / path
    found = _NAME.fullmatch(Path(name).as_posix())
    if found is None:
        return path
    return _fetch(found["repo"], found["revision"], kind, endpoint)


def is_hub_name(name: str) -> bool:
    """Whether a name has the form `org/name`, as names on the hub have."""
    found = _NAME.fullmatch(name)
    return found is not None and found["revision"] is None


def reason(error: Exception) -> str:
    """The first line of what a hub said."""
    first_line = str(error).strip().split("\n", maxsplit=1)[0]
    return first_line[:200].rstrip(".") or type(error).__name__


def _fetch(repo: str, revision: str | None, kind: Kind, endpoint: str | None) -> Path:
    """Look what a repository holds, then fetch it; without the hub, use an earlier copy."""
    is_local = not _is_served(repo, revision, kind, endpoint)
    try:
        manifest = huggingface_hub.hf_hub_download(
            repo, MANIFEST_NAME, revision=revision, endpoint=endpoint, local_files_only=is_local
        )
        _require_kind(Path(manifest), repo, kind)
        folder = huggingface_hub.snapshot_download(
            repo, revision=revision, endpoint=endpoint, local_files_only=is_local
        )
    except (OSError, HfHubHTTPError) as error:
        raise ArtifactNotFoundError(
            f"{_tried(repo, kind)}, and the Hugging Face hub has no whole artifact of that name "
            f"({reason(error)}); check the name, or give a local folder"
        ) from error
    logger.info("artifact from the hub", extra={"repo": repo, "folder": folder})
    return Path(folder)


def _is_served(repo: str, revision: str | None, kind: Kind, endpoint: str | None) -> bool:
    """Whether the hub answers for a repository; if it cannot be reached, a copy must be here."""
    cached = huggingface_hub.try_to_load_from_cache(repo, MANIFEST_NAME, revision=revision)
    try:
        # This asks once; the functions that download would ask for half a minute.
        huggingface_hub.HfApi(endpoint=endpoint).model_info(
            repo, revision=revision, timeout=HUB_TIMEOUT_SECONDS
        )
    except Exception as error:  # the HTTP library's classes change between versions
        is_refused = isinstance(error, HfHubHTTPError) and not isinstance(
            error, OfflineModeIsEnabled
        )
        if isinstance(cached, str) and not is_refused:
            logger.warning(
                "the hub cannot be reached, so an earlier copy is used", extra={"repo": repo}
            )
            return False
        earlier = "" if is_refused else ", there is no earlier copy in the hub's local cache"
        raise ArtifactNotFoundError(
            f"{_tried(repo, kind)}{earlier}, and the Hugging Face hub did not serve it "
            f"({reason(error)}); check the name and the network, or give a local folder"
        ) from error
    return True


def _require_kind(path: Path, repo: str, kind: Kind) -> None:
    try:
        manifest = Manifest.model_validate(json.loads(path.read_bytes()))
    except (ValueError, ValidationError) as error:
        raise ArtifactNotFoundError(
            f"the repository {repo!r} on the hub is no artifact of xorag: its {MANIFEST_NAME} is "
            f"not one of format 1; give the name of a {kind}"
        ) from error
    if manifest.kind != kind:
        raise ArtifactNotFoundError(
            f"the repository {repo!r} on the hub holds a {manifest.kind}, but a {kind} was asked "
            f"for; give the name of a {kind}"
        )


def _tried(repo: str, kind: Kind) -> str:
    return f"no {kind} {repo!r}: no such folder, none of that name in xorag"
