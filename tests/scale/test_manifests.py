"""What `deploy/` holds, checked by the programs that will read it."""

import os
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from backend.settings import ROOT
from tests.architecture import deployment
from tests.architecture.test_deployment import CUSTOM, SCHEMAS
from tests.scale.lab import find_program, needs

UNITS = (ROOT / "deploy" / "systemd", ROOT / "deploy" / "wal-archive")
INSTALLED_AT = "/opt/doorstep"


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    program = find_program(command[0]) or command[0]
    return subprocess.run(
        [program, *command[1:]], env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )


@needs("kubectl")
@pytest.mark.parametrize("name", deployment.OVERLAYS)
def test_kustomize_renders_overlay_to_valid_objects(name: str) -> None:
    done = run("kubectl", "kustomize", str(deployment.KUBERNETES / "overlays" / name))
    assert done.returncode == 0, done.stderr
    objects = [node for node in yaml.safe_load_all(done.stdout) if node]
    assert len(objects) == len(deployment.objects_of(deployment.KUBERNETES / "overlays" / name)) + 1  # the ConfigMap
    for node in objects:
        assert node["kind"] == "Namespace" or node["metadata"]["namespace"] == "doorstep"
        if node["kind"] not in CUSTOM:
            kubernetes_validate.validate(node, SCHEMAS, strict=True)
    for _, template in deployment.pods(objects):
        for container in template["spec"]["containers"]:
            assert ":" in container["image"]


@needs("kubectl")
@pytest.mark.parametrize("name", deployment.OVERLAYS)
def test_kustomize_gives_every_process_the_variables_for_spans(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(deployment.KUBERNETES, tmp_path / "kubernetes") / "overlays" / name
    wanted = deployment.kustomization(folder)
    wanted["components"].append("../../components/telemetry")
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
    done = run("kubectl", "kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    objects = [node for node in yaml.safe_load_all(done.stdout) if node]
    (settings,) = (node for node in objects if node["kind"] == "ConfigMap")
    kubernetes_validate.validate(settings, SCHEMAS, strict=True)
    (made,) = deployment.kustomization(deployment.KUBERNETES / "components" / "telemetry")["configMapGenerator"]
    assert dict(line.split("=", 1) for line in made["literals"]).items() <= settings["data"].items()
    for node, template in deployment.pods(objects):
        (container,) = template["spec"]["containers"]
        if container["image"].startswith("doorstep:"):
            used = [source["configMapRef"]["name"] for source in container["envFrom"]]
            assert used == [settings["metadata"]["name"]], node["metadata"]["name"]


@needs("kubectl")
@pytest.mark.parametrize("name", deployment.OVERLAYS)
def test_kustomize_scales_workers_by_age_where_the_component_is_added(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(deployment.KUBERNETES, tmp_path / "kubernetes") / "overlays" / name
    wanted = deployment.kustomization(folder)
    wanted["components"].append("../../components/worker-age")
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
    done = run("kubectl", "kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    (scaler,) = (
        node
        for node in yaml.safe_load_all(done.stdout)
        if node["kind"] == "HorizontalPodAutoscaler" and node["metadata"]["name"] == "doorstep-worker"
    )
    kubernetes_validate.validate(scaler, SCHEMAS, strict=True)
    assert [metric["type"] for metric in scaler["spec"]["metrics"]] == ["Resource", "External"]


@needs("systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in (path for folder in UNITS for path in folder.iterdir()):
        # Programs that a unit starts must exist: here they are those of this checkout.
        (tmp_path / path.name).write_text(path.read_text().replace(INSTALLED_AT, str(ROOT)))
    units = [str(path) for path in tmp_path.iterdir() if path.suffix in (".service", ".target", ".timer")]
    done = run("systemd-analyze", "verify", *units, SYSTEMD_UNIT_PATH=f"{tmp_path}:")
    ours = [line for line in done.stderr.splitlines() if "doorstep" in line]
    assert ours == []


@needs("hadolint")
def test_hadolint_accepts_the_dockerfile() -> None:
    done = run("hadolint", str(ROOT / "Dockerfile"))
    assert done.returncode == 0, done.stdout + done.stderr


@needs("haproxy")
def test_haproxy_accepts_the_configuration_for_containers() -> None:
    done = run("haproxy", "-c", "-f", str(ROOT / "deploy" / "haproxy-containers.cfg"))
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr


@needs("promtool")
def test_prometheus_accepts_its_configuration(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
    changed = tmp_path / "prometheus.yml"
    changed.write_text(text.replace("/etc/prometheus/doorstep", str(ROOT / "deploy" / "prometheus")))
    done = run("promtool", "check", "config", str(changed))
    assert done.returncode == 0, done.stdout + done.stderr
