"""What is shipped: the compose file and its commands, lock files, the image, and make targets."""

import functools
import json
import re
import secrets
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
from backend.launch.private_files import free_port
from backend.launch.readiness import is_ready
from backend.settings import ROOT, Settings, SettingsError
from tests.factories.clusters import UNSAFE, start_copy
from tests.launch.product import Product, clean_environment
from tests.waiting import HANG_SECONDS, wait_until

COMPOSE = ROOT / "docker-compose.yml"
SECRETS = ("SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_APP_PASSWORD", "VALKEY_PASSWORD")
SERVICES = ("prepare", "web", "worker", "beat", "events")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return parsed


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start database servers outside of the launcher, as in production."""
    folder = tmp_path_factory.mktemp("servers")
    postgres, valkey = EmbeddedPostgres(folder, parameters=UNSAFE), EmbeddedValkey(folder)
    start_copy(postgres)
    owner, app = postgres.roles()
    yield {"DATABASE_URL": app, "OWNER_DATABASE_URL": owner, "REDIS_URL": valkey.start()}
    postgres.destroy()
    valkey.stop()


def test_compose_file_is_valid_against_its_schema() -> None:
    program = str(Path(sys.executable).parent / "check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", str(COMPOSE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_compose_services_have_health_checks(compose: dict[str, Any]) -> None:
    parts = compose["services"]
    assert set(parts) == {"postgres", "valkey", "proxy", *SERVICES}
    assert all("healthcheck" in part for name, part in parts.items() if name != "prepare")
    assert parts["postgres"]["image"] == "${POSTGRES_IMAGE:-postgres:18}"
    for part in parts.values():
        for volume in part.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]
        for needed in part.get("depends_on", {}):
            assert needed in parts


def test_compose_services_drop_privileges(compose: dict[str, Any]) -> None:
    for name, part in compose["services"].items():
        assert part["cap_drop"] == ["ALL"], name
        assert part["security_opt"] == ["no-new-privileges:true"], name
        assert part["pids_limit"] <= 1024, name
    for name in ("postgres", "valkey"):
        assert compose["services"][name]["mem_limit"]
        assert compose["services"][name]["user"] == name, "the entrypoint needs no rights to change its user"


def test_sbom_lists_locked_runtime_packages() -> None:
    done = subprocess.run(["sh", ".ci/sbom"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - sh is on PATH
    assert done.returncode == 0, done.stderr
    for kind, wanted, other in (("python", {"Flask", "psycopg"}, "pytest"), ("npm", {"vue", "axios"}, "vitest")):
        bill = json.loads((ROOT / "build" / f"sbom.{kind}.json").read_text())
        names = {part["name"] for part in bill["components"]}
        assert bill["bomFormat"] == "CycloneDX"
        assert {name.lower() for name in wanted} <= {name.lower() for name in names}
        assert other not in names, "development packages are left out"


def test_audit_without_network_fails_and_says_so() -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    done = subprocess.run(
        ["sh", ".ci/audit"],  # noqa: S607 - sh is on PATH
        cwd=ROOT,
        env={**clean_environment(), **nowhere, **{name.lower(): value for name, value in nowhere.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "error: the advisory service of PyPI could not be reached" in done.stderr


def test_package_installation_runs_no_scripts() -> None:
    assert "ignore-scripts=true" in (ROOT / "frontend" / ".npmrc").read_text().splitlines()
    assert "npm ci --ignore-scripts" in (ROOT / "Dockerfile").read_text()


def test_compose_file_has_no_default_secrets() -> None:
    text = COMPOSE.read_text()
    used = re.findall(r"\$\{(\w+)(:?[-?])?", text)
    assert {name for name, _ in used} >= set(SECRETS)
    assert all(kind == ":?" for name, kind in used if name in SECRETS)


def test_owner_database_url_is_known_only_to_prepare_service(compose: dict[str, Any]) -> None:
    parts = compose["services"]
    assert "//doorstep_owner:" in parts["prepare"]["environment"]["OWNER_DATABASE_URL"]
    assert parts["postgres"]["environment"]["POSTGRES_USER"] == "doorstep_owner"
    for name in ("web", "worker", "beat", "events"):
        environment = parts[name]["environment"]
        assert environment["OWNER_DATABASE_URL"] == environment["POSTGRES_PASSWORD"] == "", "blanks what .env passes"
        assert "//doorstep_app:" in environment["DATABASE_URL"]


def documented_env() -> dict[str, str]:
    """Return the `.env` that operations.md documents, with generated values in place of commands."""
    text = (ROOT / "docs" / "operations.md").read_text()
    block = text.split("## Run it in containers")[1].split("```")[1]
    lines = (line.split("=", 1) for line in block.strip().splitlines())
    return {name: secrets.token_hex(32) if value.startswith("<") else value for name, value in lines}


def in_container(compose: dict[str, Any], name: str, env: dict[str, str]) -> dict[str, str]:
    """Return a container's settings: the `.env` file, then its own lines with variables substituted."""

    def value_of(found: re.Match[str]) -> str:
        given = env.get(found[1], "")
        assert given or found[2] != ":?", f"{found[1]} is not in the documented .env"
        return given or (found[3] if found[2] == ":-" else "")

    own = {
        key: re.sub(r"\$\{(\w+)(:[?-])?([^}]*)\}", value_of, str(value))
        for key, value in compose["services"][name]["environment"].items()
    }
    return {**env, **own}


@pytest.mark.parametrize("name", SERVICES)
def test_documented_env_file_is_sufficient_to_start(compose: dict[str, Any], name: str) -> None:
    settings = Settings.from_env(in_container(compose, name, documented_env()))
    assert settings.is_production
    assert settings.over_tls
    assert "web" in settings.allowed_hosts
    subnet = compose["networks"]["default"]["ipam"]["config"][0]["subnet"]
    assert settings.trusted_proxies == (subnet.split(":-")[1].rstrip("}"),)


@pytest.mark.parametrize("name", ["PUBLIC_URL", "ADMIN_EMAIL", "MAIL_SERVER", "SECRET_KEY"])
def test_documented_env_file_without_required_setting_is_rejected(compose: dict[str, Any], name: str) -> None:
    env = {key: value for key, value in documented_env().items() if key != name}
    with pytest.raises((AssertionError, SettingsError), match=name):
        Settings.from_env(in_container(compose, "web", env))


def test_proxy_is_the_only_published_service_and_buffers_bodies(compose: dict[str, Any]) -> None:
    assert [name for name, part in compose["services"].items() if "ports" in part] == ["proxy"]
    (config,) = compose["services"]["proxy"]["configs"]
    assert config["target"] == "/etc/nginx/nginx.conf"
    text = (ROOT / compose["configs"][config["source"]]["file"]).read_text()
    for line in ("proxy_request_buffering on;", "client_body_timeout 10s;", "client_header_timeout 10s;"):
        assert line in text


def test_image_runs_as_unprivileged_user_without_secrets() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = text.split("\nFROM ")
    assert len(stages) == 4
    assert re.search(r"^USER 10001:10001$", stages[-1], re.MULTILINE)  # Kubernetes' runAsNonRoot needs a number
    assert all("pip uninstall --yes pip" in stage for stage in stages[-2:])
    assert all("compileall" in stage for stage in stages[-2:])
    assert "--require-hashes" in text
    assert not re.search(r"(SECRET|PASSWORD|TOKEN)\w*=", text)


@pytest.mark.parametrize("name", ["docker-compose.yml", "compose.scale.yml"])
def test_image_has_packages_for_spans_only_where_asked_for(name: str) -> None:
    """Each argument of a build is declared before the first stage, and again in the stage that uses it."""
    head, _, packages, _ = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    assert re.search(r"^ARG PACKAGES=requirements\.lock$", head, re.MULTILINE)
    assert re.search(r"^ARG PACKAGES$", packages, re.MULTILINE)
    assert re.search(r"^COPY requirements\.lock requirements-telemetry\.lock \./$", packages, re.MULTILINE)
    assert '-r "${PACKAGES}"' in packages
    assert "PACKAGES: ${PACKAGES:-requirements.lock}" in (ROOT / name).read_text()
    assert "!requirements-telemetry.lock" in (ROOT / ".dockerignore").read_text().splitlines()


def _passes(command: list[str], environment: dict[str, str]) -> bool:
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode == 0


def test_compose_commands_start_and_pass_health_checks(
    compose: dict[str, Any], servers: dict[str, str], tmp_path: Path
) -> None:
    port = str(free_port(None))
    environment = clean_environment(
        ENV="production", SECRET_KEY=secrets.token_hex(32), DATA_DIR=str(tmp_path), PORT=port, LOG_FORMAT="json",
        EVENTS_PORT=str(free_port(None)),
        PUBLIC_URL=f"http://127.0.0.1:{port}", INSECURE="yes", ADMIN_EMAIL="admin@market.example", MAIL_TO_FILES="yes",
        **servers,
    )  # fmt: skip
    commands = {name: [sys.executable, *compose["services"][name]["command"][1:]] for name in SERVICES}
    owner = {"OWNER_DATABASE_URL": environment.pop("OWNER_DATABASE_URL")}
    prepared = subprocess.run(
        commands["prepare"], env={**environment, **owner}, cwd=ROOT, capture_output=True, check=False
    )
    assert prepared.returncode == 0, prepared.stderr.decode()
    assert json.loads(prepared.stdout)["username"] == "admin"
    log = (tmp_path / "log").open("wb")
    started = [processes.spawn(commands[name], env=environment, cwd=ROOT, output=log.fileno()) for name in SERVICES[1:]]
    try:
        ready = wait_until(lambda: is_ready(f"http://127.0.0.1:{port}/readyz"), pause=0.2)
        assert ready, (tmp_path / "log").read_text()
        for name in SERVICES[1:]:
            test = compose["services"][name]["healthcheck"]["test"][2:]
            own = environment["EVENTS_PORT"] if name == "events" else port
            check = [re.sub(r"//[^/]+/", f"//127.0.0.1:{own}/", argument) for argument in test]
            assert wait_until(functools.partial(_passes, [sys.executable, *check], environment)), name
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(timeout=HANG_SECONDS) for process in started]
        log.close()
    assert codes == [0, 0, 0, 0]


def test_launch_with_external_servers_starts_none_of_its_own(servers: dict[str, str], tmp_path: Path) -> None:
    product = Product(tmp_path, settings=servers)
    try:
        product.start()
        assert not product.children("bin/postgres")
        assert not product.children("valkey-server")
        assert not (product.data / "postgres").exists()
        assert product.stop(by=signal.SIGINT) == 0
    finally:
        product.destroy()


def test_readiness_check_of_closed_port_fails() -> None:
    argv = [sys.executable, "-m", "backend.launch.readiness", f"http://127.0.0.1:{free_port(None)}/healthz"]
    assert subprocess.run(argv, cwd=ROOT, check=False).returncode == 1


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-telemetry.lock", "requirements-dev.lock", "requirements-docs.lock"]
)
def test_lock_file_has_hashes_and_no_urls(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|file:/|--(extra-)?index-url|--find-links|^\s*/", text, re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    pinned = [block for block in blocks if not block.startswith("#")]
    assert all(re.match(r"[A-Za-z0-9._-]+==\S+ \\\n\s+--hash=sha256:", block) for block in pinned)


def test_lock_files_cover_all_project_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, asked in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-telemetry.lock", project["optional-dependencies"]["telemetry"]),
        ("requirements-dev.lock", project["optional-dependencies"]["dev"]),
        ("requirements-docs.lock", project["optional-dependencies"]["docs"]),
    ):
        locked = {line.split("==")[0].lower() for line in (ROOT / lock).read_text().splitlines() if "==" in line}
        wanted = {re.split(r"[\[<>=;,\s]", entry)[0].lower().replace("_", "-") for entry in asked}
        assert wanted <= locked, f"regenerate the lock files: make lock ({wanted - locked})"


def test_make_help_explains_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - make is on PATH
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert phony is not None
    for target in phony.group(1).replace("\\", " ").split():
        assert re.search(rf"\b{target}\b", done.stdout), target


def test_ci_runs_make_test() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
