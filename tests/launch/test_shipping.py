"""What ships: the compose file is valid and its very commands run; locks hold no addresses; make explains itself."""

import json
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.launch import processes
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.launch.health import is_ready
from backend.launch.private_files import free_port
from backend.settings import ROOT
from tests.launch.product import Product, clean_environment

COMPOSE = ROOT / "docker-compose.yml"
SECRETS = ("SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_APP_PASSWORD", "VALKEY_PASSWORD")
OURS = ("prepare", "web", "worker", "beat")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return parsed


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Servers that somebody else runs, as in production."""
    folder = tmp_path_factory.mktemp("servers")
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    postgres.start()
    owner, app = postgres.roles()
    yield {"DATABASE_URL": app, "OWNER_DATABASE_URL": owner, "REDIS_URL": valkey.start()}
    postgres.destroy()
    valkey.stop()


def test_compose_file_follows_its_schema() -> None:
    program = str(Path(sys.executable).parent / "check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", str(COMPOSE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_compose_has_every_part_with_a_health_check(compose: dict[str, Any]) -> None:
    parts = compose["services"]
    assert set(parts) == {"postgres", "valkey", *OURS}
    assert all("healthcheck" in part for name, part in parts.items() if name != "prepare")
    assert parts["postgres"]["image"] == "postgres:18"
    for part in parts.values():
        for volume in part.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]
        for needed in part.get("depends_on", {}):
            assert needed in parts


def test_compose_has_no_default_secrets() -> None:
    text = COMPOSE.read_text()
    used = re.findall(r"\$\{(\w+)(:?[-?])?", text)
    assert {name for name, _ in used} >= set(SECRETS)
    assert all(kind == ":?" for name, kind in used if name in SECRETS)


def test_only_preparation_knows_the_owner_of_the_database(compose: dict[str, Any]) -> None:
    parts = compose["services"]
    assert "//doorstep_owner:" in parts["prepare"]["environment"]["OWNER_DATABASE_URL"]
    assert parts["postgres"]["environment"]["POSTGRES_USER"] == "doorstep_owner"
    for name in ("web", "worker", "beat"):
        environment = parts[name]["environment"]
        assert environment["OWNER_DATABASE_URL"] == environment["POSTGRES_PASSWORD"] == "", "blanks what .env passes"
        assert "//doorstep_app:" in environment["DATABASE_URL"]


def test_image_runs_as_a_plain_user_and_holds_no_secret() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = text.split("\nFROM ")
    assert len(stages) == 4
    assert re.search(r"^USER doorstep$", stages[-1], re.MULTILINE)
    assert "--require-hashes" in text
    assert not re.search(r"(SECRET|PASSWORD|TOKEN)\w*=", text)


def test_the_very_commands_of_the_compose_file_run(
    compose: dict[str, Any], servers: dict[str, str], tmp_path: Path
) -> None:
    port = str(free_port(None))
    environment = clean_environment(
        ENV="production", SECRET_KEY="k" * 40, DATA_DIR=str(tmp_path), PORT=port, LOG_FORMAT="json", **servers
    )
    commands = {name: [sys.executable, *compose["services"][name]["command"][1:]] for name in OURS}
    owner = {"OWNER_DATABASE_URL": environment.pop("OWNER_DATABASE_URL")}
    prepared = subprocess.run(
        commands["prepare"], env={**environment, **owner}, cwd=ROOT, capture_output=True, check=False
    )
    assert prepared.returncode == 0, prepared.stderr.decode()
    assert json.loads(prepared.stdout)["username"] == "admin"
    log = (tmp_path / "log").open("wb")
    started = [processes.spawn(commands[name], env=environment, cwd=ROOT, output=log.fileno()) for name in OURS[1:]]
    try:
        ready = processes.wait_until(lambda: is_ready(f"http://127.0.0.1:{port}/readyz"), seconds=60, pause=0.2)
        assert ready, (tmp_path / "log").read_text()
        for name in OURS[1:]:
            check = compose["services"][name]["healthcheck"]["test"][2:]
            address = re.sub(r"//[^/]+/", f"//127.0.0.1:{port}/", check.pop())
            done = subprocess.run([sys.executable, *check, address], env=environment, cwd=ROOT, check=False)
            assert done.returncode == 0, name
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(timeout=40) for process in started]
        log.close()
    assert codes == [0, 0, 0]


def test_given_servers_are_used_and_none_of_our_own_is_started(servers: dict[str, str], tmp_path: Path) -> None:
    product = Product(tmp_path, settings=servers)
    try:
        product.start()
        assert not product.children("bin/postgres")
        assert not product.children("valkey-server")
        assert not (product.data / "postgres").exists()
        assert product.stop(by=signal.SIGINT) == 0
    finally:
        product.destroy()


def test_a_health_check_of_what_is_not_there_fails() -> None:
    argv = [sys.executable, "-m", "backend.launch.health", f"http://127.0.0.1:{free_port(None)}/healthz"]
    assert subprocess.run(argv, cwd=ROOT, check=False).returncode == 1


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_hold_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|file:/|--(extra-)?index-url|--find-links|^\s*/", text, re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    pinned = [block for block in blocks if not block.startswith("#")]
    assert all(re.match(r"[A-Za-z0-9._-]+==\S+ \\\n\s+--hash=sha256:", block) for block in pinned)


def test_locks_hold_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, asked in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-dev.lock", project["optional-dependencies"]["dev"]),
    ):
        locked = {line.split("==")[0].lower() for line in (ROOT / lock).read_text().splitlines() if "==" in line}
        wanted = {re.split(r"[\[<>=;,\s]", entry)[0].lower().replace("_", "-") for entry in asked}
        assert wanted <= locked, f"write the locks anew: make lock ({wanted - locked})"


def test_make_explains_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - make is on PATH
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert phony is not None
    for target in phony.group(1).replace("\\", " ").split():
        assert re.search(rf"\b{target}\b", done.stdout), target


def test_continuous_build_calls_what_everyone_calls() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
