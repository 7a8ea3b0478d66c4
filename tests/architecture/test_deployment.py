"""Manifests, container files and compose.scale.yml fit the product: settings, commands, probes, limits, labels."""

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from opentelemetry.sdk import environment_variables
from opentelemetry.sdk.trace import TracerProvider

from backend.core.observability import tracing
from backend.settings import ROOT, VERSION, Settings
from tests.architecture import deployment
from tests.architecture.deployment import (
    ENTRY_POINTS,
    KUBERNETES,
    MARGIN_SECONDS,
    OVERLAYS,
    Node,
    drain_settings,
    key_values,
)

BASE = KUBERNETES / "base"
COMPOSE = ROOT / "compose.scale.yml"
SCHEMAS = "1.37"
# Kinds of operators, whose schemas are in their own releases.
CUSTOM = {"Cluster", "Pooler", "ScheduledBackup", "ServiceMonitor", "PodMonitor", "PrometheusRule"}
SERVICES = ENTRY_POINTS | {"worker-exports"}


def overlay(name: str) -> Path:
    return KUBERNETES / "overlays" / name


def matches(selector: Node, labels: dict[str, str]) -> bool:
    """Return whether a selector of Kubernetes (labels, expressions with In) selects these labels."""
    wanted = selector.get("matchLabels", {}).items()
    rules = selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in wanted) and all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"] for rule in rules
    )


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[Node]:
    return deployment.objects_of(overlay(request.param))


@pytest.fixture(scope="module")
def compose() -> Node:
    parsed: Node = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return parsed


def test_objects_are_valid_against_the_schemas_of_kubernetes() -> None:
    for path in deployment.manifests():
        for node in deployment.documents(path):
            if node["kind"] not in CUSTOM:
                kubernetes_validate.validate(node, SCHEMAS, strict=True)


def test_mistyped_object_fails_against_the_schemas() -> None:
    (node,) = (node for node in deployment.documents(BASE / "web.yaml") if node["kind"] == "Deployment")
    node["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(node, SCHEMAS, strict=True)


def test_pods_run_without_privileges_and_with_limits(objects: list[Node]) -> None:
    for node, template in deployment.pods(objects):
        spec, name = template["spec"], node["metadata"]["name"]
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] is True, name
        assert pod["runAsUser"] > 0, name
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            security, resources = container["securityContext"], container["resources"]
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= set(resources["requests"]), name
            assert "memory" in resources["limits"], name
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            claims = {claim["metadata"]["name"] for claim in node["spec"].get("volumeClaimTemplates", [])}
            assert mounted == {volume["name"] for volume in spec["volumes"]} | claims, name


def test_pods_are_probed_where_the_product_answers(objects: list[Node]) -> None:
    probed = {}
    for node, template in deployment.pods(objects):
        (container,) = template["spec"]["containers"]
        ports = {port["name"] for port in container.get("ports", [])}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container.get(kind, {})
            if http := probe.get("httpGet"):
                assert http["port"] in ports, node["metadata"]["name"]
                probed[container["name"], kind] = http["path"]
            elif "exec" in probe:
                probed[container["name"], kind] = " ".join(probe["exec"]["command"])
    health = "python -m backend.launch.process_health"
    assert {key: value for key, value in probed.items() if key[0] != "valkey"} == {
        **{(name, f"{kind}Probe"): "/healthz" for name in ("web", "events") for kind in ("startup", "liveness")},
        ("web", "readinessProbe"): "/readyz",
        ("events", "readinessProbe"): "/healthz",
        **{(name, "startupProbe"): f"{health} {name}" for name in ("worker", "beat")},
        **{(name, "livenessProbe"): f"{health} {name} --if-reachable" for name in ("worker", "beat")},
    }


def test_selectors_match_pods_and_references_lead_somewhere(objects: list[Node]) -> None:
    templates = {node["metadata"]["name"]: template for node, template in deployment.pods(objects)}
    labels = [template["metadata"]["labels"] for template in templates.values()]
    for node, template in deployment.pods(objects):
        if node["kind"] != "Job":
            assert matches(node["spec"]["selector"], template["metadata"]["labels"])
        for rule in template["spec"].get("topologySpreadConstraints", []):
            assert matches(rule["labelSelector"], template["metadata"]["labels"])
    by_operator = [{"cnpg.io/cluster": node["metadata"]["name"]} for node in objects if node["kind"] == "Cluster"]
    services = {node["metadata"]["name"]: node for node in objects if node["kind"] == "Service"}
    for name, node in services.items():
        pods = [
            template
            for template in templates.values()
            if matches({"matchLabels": node["spec"]["selector"]}, template["metadata"]["labels"])
        ]
        ports = {port["name"] for pod in pods for port in pod["spec"]["containers"][0]["ports"]}
        assert pods, name
        assert {port["targetPort"] for port in node["spec"]["ports"]} <= ports, name
    for node in objects:
        spec, name = node.get("spec", {}), node["metadata"]["name"]
        if node["kind"] == "PodDisruptionBudget":
            assert any(matches(spec["selector"], having) for having in labels), name
        elif node["kind"] == "NetworkPolicy":
            assert any(matches(spec["podSelector"], having) for having in [*labels, *by_operator]), name
        elif node["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] in templates, name
            assert spec["minReplicas"] < spec["maxReplicas"], name
        elif node["kind"] == "PodMonitor":
            assert any(matches(spec["selector"], having) for having in labels), name
        elif node["kind"] == "ServiceMonitor":
            assert any(matches(spec["selector"], service["metadata"]["labels"]) for service in services.values()), name
        elif node["kind"] in ("Pooler", "ScheduledBackup"):
            assert spec["cluster"]["name"] in {n["metadata"]["name"] for n in objects if n["kind"] == "Cluster"}


def test_ingress_sends_streams_to_their_process_and_calls_to_web(objects: list[Node]) -> None:
    services = {node["metadata"]["name"]: node for node in objects if node["kind"] == "Service"}
    routes = {}
    for node in objects:
        if node["kind"] != "Ingress":
            continue
        for path in node["spec"]["rules"][0]["http"]["paths"]:
            service = path["backend"]["service"]
            assert service["port"]["name"] in {p["name"] for p in services[service["name"]]["spec"]["ports"]}
            routes[path["path"], path["pathType"]] = service["name"]
    assert routes == {("/events", "Exact"): "doorstep-events", ("/", "Prefix"): "doorstep-web"}


def test_beat_is_replaced_and_everything_else_rolls(objects: list[Node]) -> None:
    for node in objects:
        if node["kind"] == "Deployment":
            strategy = node["spec"]["strategy"]
            if node["metadata"]["name"] == "doorstep-beat":
                assert (strategy, node["spec"]["replicas"]) == ({"type": "Recreate"}, 1)
            else:
                assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize("name", OVERLAYS)
def test_settings_of_overlay_start_the_product(name: str, tmp_path: Path, objects: list[Node]) -> None:
    given = deployment.settings_of(overlay(name))
    assert deployment.unknown_settings(list(given)) == []
    assert given["ENV"] == "production"
    made = run_make_secrets(tmp_path)
    made["document_store_options"] = "{}"
    for key, value in given.items():
        if key.endswith("_FILE"):
            secret = Path(value)
            assert secret.parent == Path("/run/secrets/doorstep")
            (tmp_path / secret.name).write_text(made[secret.name])
            given[key] = str(tmp_path / secret.name)
    settings = Settings.from_env(given)
    assert settings.database_pooled
    services = {node["metadata"]["name"]: node for node in objects if node["kind"] == "Service"}
    for url in (settings.events_url, settings.web_url):
        host, port = url.removeprefix("http://").split(":")
        assert [str(p["port"]) for p in services[host]["spec"]["ports"]] == [port]
    assert settings.web_url.removeprefix("http://").split(":")[0] in settings.allowed_hosts


def test_only_prepare_gets_the_address_of_the_owner(objects: list[Node], compose: Node) -> None:
    for node, template in deployment.pods(objects):
        is_prepare = node["metadata"]["name"] == "doorstep-prepare"
        assert ("doorstep-owner" in str(template)) == is_prepare
        assert ("OWNER_DATABASE_URL_FILE" in str(template)) == is_prepare
        names = [entry["name"] for entry in template["spec"]["containers"][0].get("env", [])]
        assert deployment.unknown_settings(names) == []
    for name in SERVICES:
        part = compose["services"][name]
        assert ("owner_database_url" in part["secrets"]) == (name == "prepare")
        assert ("OWNER_DATABASE_URL_FILE" in part["environment"]) == (name == "prepare")


@pytest.mark.parametrize("folder", ["base", *(f"overlays/{name}" for name in OVERLAYS)])
def test_images_have_versions_and_no_registry(folder: str) -> None:
    tags = {image["name"]: image["newTag"] for image in deployment.kustomization(BASE)["images"]}
    assert tags == {"doorstep": VERSION}
    exports = deployment.kustomization(KUBERNETES / "components" / "worker-exports")
    assert exports["images"] == deployment.kustomization(BASE)["images"]
    images = [
        container["image"]
        for _, template in deployment.pods(deployment.objects_of(KUBERNETES / folder))
        for container in template["spec"]["containers"]
    ]
    for image in images:
        name, _, tag = image.partition(":")
        assert tag or name in tags, image
        assert tag != "latest", image
        assert "." not in name, image


def test_overlay_with_standbys_commits_on_one_of_them() -> None:
    (cluster,) = (node for node in deployment.objects_of(overlay("city")) if node["kind"] == "Cluster")
    assert cluster["spec"]["instances"] == 3
    assert cluster["spec"]["postgresql"]["synchronous"] == {"method": "any", "number": 1, "failoverQuorum": True}
    paths = re.findall(r"path: (/\S+),", str(deployment.kustomization(overlay("city"))["patches"]))
    assert not {"/spec/instances", "/spec/postgresql/synchronous"} & set(paths)


def test_component_for_spans_sets_variables_of_opentelemetry_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    (made,) = deployment.kustomization(KUBERNETES / "components" / "telemetry")["configMapGenerator"]
    given = dict(line.split("=", 1) for line in made["literals"])
    assert set(given) <= {name for name in dir(environment_variables) if name.startswith("OTEL_")}
    assert tracing.is_wanted(given)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert TracerProvider().sampler.get_description() == "TraceIdRatioBased{0.01}"
    for name in OVERLAYS:
        assert not [key for key in deployment.settings_of(overlay(name)) if key.startswith("OTEL_")], "off by default"


def test_component_for_age_of_jobs_makes_a_valid_autoscaler_and_is_off_by_default() -> None:
    component = KUBERNETES / "components" / "worker-age"
    (patch,) = deployment.kustomization(component)["patches"]
    (scaler,) = targets(patch, deployment.objects_of(BASE))
    metric, behaviour = yaml.safe_load(patch["patch"])
    assert (metric["path"], behaviour["path"]) == ("/spec/metrics/-", "/spec/behavior/scaleUp")
    scaler["spec"]["metrics"].append(metric["value"])
    scaler["spec"]["behavior"]["scaleUp"] = behaviour["value"]
    kubernetes_validate.validate(scaler, SCHEMAS, strict=True)
    for name in OVERLAYS:
        assert not [one for one in deployment.kustomization(overlay(name))["components"] if one.endswith("worker-age")]


def targets(patch: Node, objects: list[Node]) -> list[Node]:
    wanted = patch["target"]
    return [
        node
        for node in objects
        if node["kind"] == wanted["kind"] and node["metadata"]["name"] == wanted.get("name", node["metadata"]["name"])
    ]


def test_every_job_has_a_worker_where_workers_share_the_queues(objects: list[Node], compose: Node) -> None:
    every = set(Settings.from_env({}).worker_queues)
    services = [compose["services"][name]["environment"] for name in ("worker", "worker-exports")]
    assert set(",".join(given["WORKER_QUEUES"] for given in services).split(",")) == every
    given = [
        str(entry["value"])
        for _, template in deployment.pods(objects)
        for entry in template["spec"]["containers"][0].get("env", [])
        if entry["name"] == "WORKER_QUEUES"
    ]
    for folder in (KUBERNETES / "components").iterdir() if given else ():
        for patch in deployment.kustomization(folder).get("patches", []):
            given += re.findall(r'WORKER_QUEUES, value: "([^"]+)"', patch["patch"])
    assert not given or set(",".join(given).split(",")) == every


@pytest.mark.parametrize("name", OVERLAYS)
def test_patches_of_overlay_change_what_exists(name: str) -> None:
    objects = deployment.objects_of(overlay(name))
    wanted = deployment.kustomization(overlay(name))
    patches = wanted["patches"]
    assert len(patches) > 5
    for component in wanted["components"]:
        patches += deployment.kustomization((overlay(name) / component).resolve()).get("patches", [])
    for patch in patches:
        change, found = yaml.safe_load(patch["patch"]), targets(patch, objects)
        assert found, patch["target"]
        for node in found:
            if isinstance(change, list):
                for operation in change:
                    place: object = node
                    for part in operation["path"].strip("/").split("/"):
                        assert part.isdigit() or (isinstance(place, dict) and part in place), operation["path"]
                        place = place[int(part)] if isinstance(place, list) else place[part]  # type: ignore[index]  # checked above
            else:
                (container,) = node["spec"]["template"]["spec"]["containers"]
                (changed,) = change["spec"]["template"]["spec"]["containers"]
                assert changed["name"] == container["name"]
                assert set(changed) - {"name", "env"} <= set(container)


@pytest.mark.parametrize("name", OVERLAYS)
def test_pods_get_the_time_that_draining_takes(name: str) -> None:
    given = Settings.from_env({"DRAIN_SECONDS": "0", **drain_settings(deployment.settings_of(overlay(name)))})
    needed = given.drain_seconds + given.shutdown_seconds + MARGIN_SECONDS
    assert given.drain_seconds >= 5, "the controller removes a pod's address while it is still served"
    for node, template in deployment.pods(deployment.objects_of(overlay(name))):
        assert template["spec"]["terminationGracePeriodSeconds"] >= needed, node["metadata"]["name"]


def run_make_secrets(folder: Path) -> dict[str, str]:
    """Run the script into a new folder, and return what it wrote."""
    target = folder / "secrets"
    script = str(ROOT / "deploy" / "make_secrets.py")
    subprocess.run([sys.executable, script, str(target)], check=True, capture_output=True)
    return {path.name: path.read_text(encoding="utf-8").strip() for path in target.iterdir()}


def test_secrets_are_random_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = run_make_secrets(tmp_path)
    assert run_make_secrets(tmp_path) == first
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    (tmp_path / "other").mkdir()
    second = run_make_secrets(tmp_path / "other")
    assert [name for name in first if first[name] == second[name]] == []
    assert f":{first['app_password']}@" in first["database_url"]
    assert f":{first['postgres_password']}@" in first["owner_database_url"]
    assert first["app_password"] not in first["owner_database_url"]


class TestCompose:
    def test_file_is_valid_against_its_schema(self) -> None:
        program = str(Path(sys.executable).parent / "check-jsonschema")
        done = subprocess.run(
            [program, "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout

    def test_services_are_confined_limited_and_checked(self, compose: Node) -> None:
        parts = compose["services"]
        assert set(parts) == SERVICES | {
            "postgres", "pgbouncer", "valkey", "proxy", "prometheus", "grafana",
        }  # fmt: skip
        for name, part in parts.items():
            assert part["cap_drop"] == ["ALL"], name
            assert part["security_opt"] == ["no-new-privileges:true"], name
            assert part["read_only"] is True, name
            assert part["mem_limit"], name
            assert part["cpus"], name
            assert part["pids_limit"] <= 1024, name
            assert ("healthcheck" in part) == (name != "prepare"), name
            for needed in part.get("depends_on", {}):
                assert needed in parts, name
        published = [port for part in parts.values() for port in part.get("ports", [])]
        assert all("127.0.0.1" in port for port in published)
        assert [name for name, part in parts.items() if "profiles" in part] == ["prometheus", "grafana"]

    def test_images_have_versions_and_no_registry(self, compose: Node) -> None:
        for name, part in compose["services"].items():
            image = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", part["image"])
            repository, _, tag = image.partition(":")
            assert tag, name
            assert tag != "latest", name
            assert "." not in repository, name
            if name in SERVICES:
                assert (repository, tag) == ("doorstep", VERSION)

    def test_settings_exist_and_secrets_are_files_that_the_script_writes(self, compose: Node, tmp_path: Path) -> None:
        made = run_make_secrets(tmp_path)
        assert {Path(secret["file"]).name for secret in compose["secrets"].values()} <= set(made)
        for name in SERVICES:
            part = compose["services"][name]
            assert deployment.unknown_settings(list(part["environment"])) == []
            for key, value in part["environment"].items():
                if key.endswith("_FILE"):
                    assert Path(value).name in part["secrets"], f"{name}: {key}"
        text = COMPOSE.read_text(encoding="utf-8")
        assert not re.search(r"\$\{\w*(PASSWORD|SECRET)\w*", text), "secrets come from files alone"

    def test_start_with_made_secrets_and_documented_env_is_possible(self, compose: Node, tmp_path: Path) -> None:
        made = run_make_secrets(tmp_path)
        own = {"PUBLIC_URL": "https://market.example", "ADMIN_EMAIL": "you@market.example"}
        environment = compose["services"]["web"]["environment"]
        given = {
            key: re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: own.get(found[1], found[2] or ""), str(value))
            for key, value in environment.items()
        }
        for key, value in given.items():
            if key.endswith("_FILE"):
                given[key] = str(tmp_path / "secrets" / Path(value).name)
        settings = Settings.from_env({**given, "MAIL_SERVER": "smtp.market.example"})
        assert settings.secret_key == made["secret_key"]
        assert settings.database_pooled

    def test_services_get_the_time_that_draining_takes(self, compose: Node) -> None:
        for name in SERVICES - {"prepare"}:
            part = compose["services"][name]
            given = Settings.from_env(drain_settings(part["environment"]))
            needed = given.drain_seconds + given.shutdown_seconds + MARGIN_SECONDS
            assert deployment.seconds(part["stop_grace_period"]) >= needed, name

    def test_files_that_it_mounts_exist(self, compose: Node) -> None:
        used = {entry["source"] for part in compose["services"].values() for entry in part.get("configs", [])}
        assert used == set(compose["configs"])
        for config in compose["configs"].values():
            assert (ROOT / config["file"]).is_file()

    def test_prometheus_asks_every_process_and_grafana_asks_prometheus(self, compose: Node) -> None:
        (config,) = deployment.documents(ROOT / "deploy" / "prometheus" / "prometheus.yml")
        (job,) = config["scrape_configs"]
        assert job["job_name"] == "doorstep", "which the alerts expect"
        asked = {name: found["port"] for found in job["dns_sd_configs"] for name in found["names"]}
        metrics_port = int(compose["services"]["worker"]["environment"]["METRICS_PORT"])
        assert asked == {"web": 5000, **dict.fromkeys(("worker", "worker-exports", "beat", "events"), metrics_port)}
        mounted = [entry["target"] for entry in compose["services"]["prometheus"]["configs"]]
        assert set(config["rule_files"]) <= set(mounted)
        provisioning = ROOT / "deploy" / "grafana" / "provisioning"
        (source,) = deployment.documents(provisioning / "datasources" / "doorstep.yml")
        assert source["datasources"][0]["url"] == "http://prometheus:9090"


def test_pgbouncer_in_containers_differs_only_in_addresses() -> None:
    plain = key_values(ROOT / "deploy" / "pgbouncer.ini")
    plain["max_prepared_statements"] = plain.pop("; max_prepared_statements")
    plain = {name: value for name, value in plain.items() if not name.startswith(";")}
    inside = key_values(ROOT / "deploy" / "pgbouncer-containers.ini")
    assert set(plain) == set(inside)
    assert {name for name in plain if plain[name] != inside[name]} == {"doorstep", "listen_addr"}
    (pooler,) = (
        node
        for node in deployment.documents(KUBERNETES / "components" / "cloudnative-pg" / "cluster.yaml")
        if node["kind"] == "Pooler"
    )
    assert pooler["spec"]["pgbouncer"]["poolMode"] == plain["pool_mode"]
    assert {n: plain[n] for n in pooler["spec"]["pgbouncer"]["parameters"]} == pooler["spec"]["pgbouncer"]["parameters"]


def test_haproxy_in_containers_differs_only_in_addresses() -> None:
    plain, inside = (
        [line for line in (ROOT / "deploy" / name).read_text().splitlines() if line and not line.startswith("#")]
        for name in ("haproxy.cfg", "haproxy-containers.cfg")
    )
    added = [line.split()[0] for line in inside if line not in plain]
    removed = [line.split()[0] for line in plain if line not in inside]
    assert added == ["maxconn", "resolvers", "parse-resolv-conf", "hold", "bind", "server-template", "server-template"]
    assert removed == ["maxconn", "stats", "bind", "server", "server", "server", "server"]
