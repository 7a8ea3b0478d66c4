"""The systemd units in `deploy/` fit the product: commands, settings, credentials, limits, times."""

import importlib.util
import re
from collections.abc import Iterator

from backend.settings import ROOT, Settings
from tests.architecture import deployment
from tests.architecture.deployment import ENTRY_POINTS, MARGIN_SECONDS, drain_settings, key_values

HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "PrivateDevices": "yes", "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes", "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes", "SystemCallFilter": "@system-service", "CapabilityBoundingSet": "", "UMask": "0077",
}  # fmt: skip


def directives() -> Iterator[tuple[str, deployment.Unit]]:
    found = deployment.units()
    assert set(found) == {f"doorstep-{name}" for name in (*ENTRY_POINTS, "backup")}
    yield from found.items()


def test_units_are_hardened_and_limited() -> None:
    for name, unit in directives():
        assert {key: unit.get("Service", key, fallback="absent") for key in HARDENED} == HARDENED, name
        assert unit.get("Service", "User") == "doorstep", name
        assert unit.all("MemoryMax"), name
        assert unit.all("TasksMax"), name


def test_commands_exist_and_only_owners_get_the_owner() -> None:
    for name, unit in directives():
        (command,) = unit.all("ExecStart")
        (module,) = re.findall(r"python -m ([\w.]+)", command)
        assert importlib.util.find_spec(module), name
        given = "owner_database_url:" in unit.get("Service", "LoadCredential")
        assert given == (name in ("doorstep-prepare", "doorstep-backup")), name


def test_settings_exist_and_secrets_are_credentials() -> None:
    example = key_values(ROOT / "deploy" / "systemd" / "doorstep.env")
    names = [name for name in example if not name.startswith("#")]
    assert deployment.unknown_settings(names) == []
    for name, unit in directives():
        given = dict(line.split("=", 1) for line in unit.all("Environment"))
        assert deployment.unknown_settings(list(given)) == [], name
        loaded = {line.split(":")[0] for line in unit.all("LoadCredential")}
        assert {value.removeprefix("%d/") for key, value in given.items() if key.endswith("_FILE")} == loaded, name


def test_services_get_the_time_that_draining_takes() -> None:
    example = drain_settings(key_values(ROOT / "deploy" / "systemd" / "doorstep.env"))
    for name, unit in directives():
        if unit.all("Type") == ["oneshot"]:
            continue
        own = dict(line.split("=", 1) for line in unit.all("Environment"))
        settings = Settings.from_env({**drain_settings(own), **example})
        needed = settings.drain_seconds + settings.shutdown_seconds + MARGIN_SECONDS
        assert int(unit.get("Service", "TimeoutStopSec")) >= needed, name


def test_target_starts_every_process_and_the_timer_the_backup() -> None:
    folder = ROOT / "deploy" / "systemd"
    wanted = re.findall(r"doorstep-(\w+)\.service", (folder / "doorstep.target").read_text())
    assert set(wanted) == ENTRY_POINTS - {"prepare"}
    assert (folder / "doorstep-backup.timer").is_file()
    for name, unit in directives():
        if name.removeprefix("doorstep-") in wanted:
            assert "doorstep-prepare.service" in unit.get("Unit", "After"), name
