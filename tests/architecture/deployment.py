"""Readers of what `deploy/` holds: compose files, systemd units, Kubernetes manifests with their overlays."""

import dataclasses
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any, Final

import yaml

from backend.settings import ROOT, Settings

DEPLOY: Final = ROOT / "deploy"
KUBERNETES: Final = DEPLOY / "kubernetes"
OVERLAYS: Final = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
MARGIN_SECONDS: Final = 5  # for what follows DRAIN_SECONDS and SHUTDOWN_SECONDS
ENTRY_POINTS: Final = {"prepare", "web", "worker", "beat", "events"}
POD_KINDS: Final = ("Deployment", "StatefulSet", "Job")
SETTINGS: Final = {field.name.upper(): field.metadata["secret"] for field in dataclasses.fields(Settings)}
Node = dict[str, Any]  # of YAML, whose shape the schemas check


def documents(path: Path) -> list[Node]:
    """Return the documents of one YAML file."""
    return [node for node in yaml.safe_load_all(path.read_text(encoding="utf-8")) if node]


def manifests() -> list[Path]:
    """Return the files of Kubernetes objects, without kustomizations."""
    found = sorted(path for path in KUBERNETES.rglob("*.yaml") if path.name != "kustomization.yaml")
    assert len(found) > 8
    return found


def kustomization(folder: Path) -> Node:
    """Return the kustomization of a folder."""
    (found,) = documents(folder / "kustomization.yaml")
    return found


def objects_of(folder: Path) -> list[Node]:
    """Return every object that a kustomization brings together, before its patches."""
    wanted = kustomization(folder)
    found: list[Node] = []
    for name in [*wanted.get("resources", []), *wanted.get("components", [])]:
        path = (folder / name).resolve()
        found += objects_of(path) if path.is_dir() else documents(path)
    return found


def settings_of(folder: Path) -> dict[str, str]:
    """Return the settings that a kustomization writes into its ConfigMap, those of its base included."""
    wanted = kustomization(folder)
    found: dict[str, str] = {}
    for name in wanted.get("resources", []):
        if (folder / name).is_dir():
            found |= settings_of((folder / name).resolve())
    for made in wanted.get("configMapGenerator", []):
        lines = [line for name in made.get("envs", []) for line in (folder / name).read_text().splitlines()]
        found |= dict(line.split("=", 1) for line in [*lines, *made.get("literals", [])] if line)
    return found


def pods(objects: list[Node]) -> Iterator[tuple[Node, Node]]:
    """Yield each object that starts pods, with its template."""
    for node in objects:
        if node["kind"] in POD_KINDS:
            yield node, node["spec"]["template"]


def unknown_settings(names: list[str]) -> list[str]:
    """Return the names that are no setting, nor the file of a secret one."""
    files = {f"{name}_FILE" for name, is_secret in SETTINGS.items() if is_secret}
    return [name for name in names if name not in SETTINGS and name not in files]


class Unit(RawConfigParser):
    """A systemd unit. Names of settings keep their case, and repeated ones are all there, as lines of one value."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",), interpolation=None)
        self._read_all(path)

    def optionxform(self, optionstr: str) -> str:
        return optionstr

    def _read_all(self, path: Path) -> None:
        section = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
                self.add_section(section)
            elif line and not line.startswith("#"):
                name, _, value = line.partition("=")
                before = self.get(section, name, fallback="")
                self.set(section, name, f"{before}\n{value}" if before else value)

    def all(self, name: str) -> list[str]:
        """Return the values of a setting of the section Service."""
        return self.get("Service", name, fallback="").splitlines()


def units() -> dict[str, Unit]:
    """Return the service units by name."""
    return {path.stem: Unit(path) for path in sorted((DEPLOY / "systemd").glob("*.service"))}


def seconds(text: str) -> int:
    """Return a duration such as `35s`, `1m` or `6h`."""
    factor = {"s": 1, "m": 60, "h": 3600}.get(text[-1])
    return int(text[:-1]) * factor if factor else int(text)


def key_values(path: Path) -> dict[str, str]:
    """Return the settings of a file with a `name = value` on each line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name.strip(): value.strip() for name, sign, value in (line.partition("=") for line in lines) if sign}


def drain_settings(given: dict[str, str]) -> dict[str, str]:
    """Return those settings that say how long a process may take to end."""
    return {key: given[key] for key in ("DRAIN_SECONDS", "SHUTDOWN_SECONDS") if key in given}
