"""The Dockerfile and the compose file, as far as they can be judged where no engine runs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from xorag.cli.main import VERBS, build_app

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


def hadolint() -> str:
    beside = Path(sys.executable).parent / "hadolint"
    found = str(beside) if beside.is_file() else shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint is not installed; `make setup` installs it")
    return found


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    found = subprocess.run(
        [hadolint(), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )

    assert (found.returncode, found.stdout) == (0, "")


def test_the_dockerfile_copies_only_what_the_engine_is_given() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    given = {line[1:] for line in ignored if line.startswith("!")}
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}

    assert "*" in ignored
    assert copied == given
    assert all((ROOT / name).exists() for name in copied)


def test_the_compose_file_has_the_form_of_the_specification() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="`make setup` installs it")

    read = compose_spec.PyCompose.from_json(json.dumps(COMPOSE))

    assert set(read.service_names()) == set(SERVICES)
    wrong = {**COMPOSE, "services": {"vllm": {"imagee": "a"}}}
    with pytest.raises(ValueError, match="imagee"):
        compose_spec.PyCompose.from_json(json.dumps(wrong))


def test_what_services_refer_to_is_declared() -> None:
    for name, service in SERVICES.items():
        mounted = [volume.split(":")[0] for volume in service.get("volumes", [])]
        named = {source for source in mounted if not source.startswith((".", "/"))}
        assert named <= set(COMPOSE["volumes"]), name
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"]), name
        assert set(service.get("depends_on", [])) <= set(SERVICES), name


def test_images_are_pinned_and_only_the_server_is_reached_from_this_machine_alone() -> None:
    images = [service["image"] for service in SERVICES.values() if "image" in service]

    assert all(":" in image and not image.endswith(":latest") for image in images)
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {"server": ["127.0.0.1:8000:8000"]}


@pytest.mark.parametrize("name", OURS)
def test_the_commands_are_ones_that_xorag_takes(name: str) -> None:
    verb, *words = [word.replace("${MODEL:-", "").rstrip("}") for word in SERVICES[name]["command"]]
    command: Any = typer.main.get_command(build_app([verb]))

    assert verb in VERBS
    context = command.commands[verb].make_context(verb, list(words))
    given = [value for value in context.params.values() if isinstance(value, Path | str)]
    assert Path("/data/index") in map(Path, given)
