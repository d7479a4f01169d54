"""`xorag push`, and what `--push-to-hub` of other verbs does: an artifact on the hub."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.cli import output


def push(
    artifact: Annotated[
        Path, typer.Argument(help="Directory of an index, projector, reader or calibration.")
    ],
    repo: Annotated[str, typer.Argument(metavar="ORG/NAME", help="Its name on the hub.")],
    *,
    private: Annotated[
        bool, typer.Option("--private", help="If the repository is new, let nobody else see it.")
    ] = False,
    licence: Annotated[
        str | None, typer.Option(help="For its page, as the hub names it: apache-2.0, mit ...")
    ] = None,
    json: output.JsonFlag = False,
) -> None:
    """Put an artifact on the hub, with a page made from its manifest.

    The artifact is checked first. The repository then holds it alone: files of an earlier one are
    removed in the same commit. The page and the manifest name the recipe with its paths. A token
    comes from HF_TOKEN or `hf auth login`, the address of another hub from HF_ENDPOINT.

    Example: `xorag push runs/mine/projector my-org/my-projector --licence apache-2.0`, then
    `xorag ask "Who wrote Emma?" --index my-index --projector my-org/my-projector`
    """
    from xorag.artifact.pushing import push_artifact

    with output.working(f"pushing {artifact} to {repo}"):
        url = push_artifact(artifact, repo, is_private=private, licence=licence)
    if json:
        output.print_json({"artifact": str(artifact), "repo": repo, "url": url})
        return
    output.line(f"pushed: {url}")


def require_pushable(repo: str | None) -> None:
    """Refuse a `--push-to-hub` that cannot succeed, before the work is done."""
    from xorag.artifact import pushing

    if repo is not None:
        pushing.require_pushable(repo)


def push_made(directory: Path, repo: str | None) -> None:
    """Push what a verb has made, if `--push-to-hub` asked for it; says where on stderr."""
    from xorag.artifact.pushing import push_artifact

    if repo is None:
        return
    with output.working(f"pushing {directory} to {repo}"):
        url = push_artifact(directory, repo)
    output.say(f"pushed: {url}")
