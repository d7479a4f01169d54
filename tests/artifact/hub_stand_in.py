"""A hub on this machine that keeps repositories in memory, as far as pushing and fetching need."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest

TOKEN = "hf_of_the_test"  # noqa: S105 - no secret


@dataclass
class HubStandIn:
    """What was pushed: files by repository and name."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """Paths of all requests."""
    url: str = ""

    def sha(self, repo: str) -> str:
        """The commit that a repository is at."""
        files = sorted(self.repositories[repo].items())
        return hashlib.sha1(repr(files).encode(), usedforsecurity=False).hexdigest()


@contextmanager
def serve() -> Iterator[HubStandIn]:
    """Serve an empty hub on a free port of the loopback."""
    hub = HubStandIn()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def point_at(hub: HubStandIn, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let huggingface_hub take this hub for the only one, and keep what it fetches in a folder."""
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_TOKEN", TOKEN)


class _Handler(BaseHTTPRequestHandler):
    hub: HubStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._serve_file(has_body=False)

    def do_GET(self) -> None:
        if not urlsplit(self.path).path.startswith("/api/"):
            self._serve_file(has_body=True)
            return
        self.hub.asked.append(self.path)
        parts = self._parts()
        repo, rest = "/".join(parts[2:4]), parts[4:]
        if repo not in self.hub.repositories:
            self._answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            return
        files = self.hub.repositories[repo]
        if rest[:1] == ["tree"]:
            self._answer(
                [
                    {"type": "file", "path": name, "size": len(data), "oid": _oid(data)}
                    for name, data in files.items()
                ]
            )
            return
        siblings = [{"rfilename": name} for name in files]
        self._answer({"id": repo, "sha": self.hub.sha(repo), "siblings": siblings})

    def do_POST(self) -> None:
        self.hub.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer({"error": "Invalid token"}, 401)
            return
        parts = self._parts()
        if parts[1:] == ["repos", "create"]:
            self._create(json.loads(body))
        elif parts[4:5] == ["preupload"]:
            wanted = json.loads(body)["files"]
            files = [
                {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False}
                for each in wanted
            ]
            self._answer({"files": files})
        elif parts[4:5] == ["commit"]:
            self._commit("/".join(parts[2:4]), body)
        else:  # the check of a page's first lines
            self._answer({})

    def _create(self, asked: dict[str, Any]) -> None:
        repo = f"{asked['organization']}/{asked['name']}"
        self.hub.repositories.setdefault(repo, {".gitattributes": b""})
        if asked.get("visibility") == "private" or asked.get("private"):
            self.hub.private.add(repo)
        self._answer({"url": f"{self.hub.url}/{repo}"})

    def _commit(self, repo: str, body: bytes) -> None:
        files = self.hub.repositories[repo]
        for line in body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            if entry["key"] == "deletedFile":
                del files[entry["value"]["path"]]
        sha = self.hub.sha(repo)
        self._answer({"commitOid": sha, "commitUrl": f"{self.hub.url}/{repo}/commit/{sha}"})

    def _serve_file(self, *, has_body: bool) -> None:
        self.hub.asked.append(self.path)
        parts = self._parts()
        repo, name = "/".join(parts[:2]), "/".join(parts[4:])
        data = self.hub.repositories.get(repo, {}).get(name)
        if data is None:
            self._answer({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        self.send_response(200)
        self.send_header("ETag", f'"{_oid(data)}"')
        self.send_header("X-Repo-Commit", self.hub.sha(repo))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if has_body:
            self.wfile.write(data)

    def _parts(self) -> list[str]:
        return [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]

    def _answer(
        self, document: object, code: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _oid(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
