"""The files of the page as a client gets them."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from xorag.serving.page import page_router

NAMES = sorted(item.name for item in files("xorag.serving").joinpath("pages").iterdir())
each_name = pytest.mark.parametrize("name", [name for name in NAMES if name != "index.html"])


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(page_router())
    with TestClient(app) as client:
        yield client


def test_the_page_stands_at_the_root_and_may_load_only_from_its_server(client: TestClient) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@each_name
def test_each_file_has_its_type_and_the_same_guards(client: TestClient, name: str) -> None:
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}

    answer = client.get(f"/page/{name}")

    assert answer.headers["Content-Type"].startswith(types[name.rpartition(".")[2]])
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@each_name
def test_no_file_names_another_place(client: TestClient, name: str) -> None:
    text = client.get(f"/page/{name}").text

    addresses = re.findall(r"""https?://[^\s"')]+""", re.sub(r"(?m)^// .*$", "", text))
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}
    for imported in re.findall(r'from "(.*)"', text):
        assert imported.removeprefix("./") in NAMES


def test_a_file_that_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/page/app.js")

    again = client.get("/page/app.js", headers={"If-None-Match": first.headers["ETag"]})
    other = client.get("/page/app.js", headers={"If-None-Match": '"another"'})

    assert (again.status_code, again.content) == (304, b"")
    assert other.content == first.content


@pytest.mark.parametrize(
    "path",
    ["/page/", "/page/nothing.js", "/page/../page.py", "/page/%2e%2e/page.py", "/page//etc/passwd"],
)
def test_nothing_else_is_to_be_had(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_head_of_the_page_can_be_asked_for_alone(client: TestClient) -> None:
    answer = client.head("/")

    assert (answer.status_code, answer.content) == (200, b"")
