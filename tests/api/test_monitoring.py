"""Alerts and dashboard query metrics and labels that exist, and each alert says what to do."""

import json
import re
import runpy
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from backend.core.circuit_breaker import CircuitBreaker
from backend.core.db.session import db, transaction
from backend.core.observability import metrics, security_log
from backend.core.observability.process_metrics import Sampler
from backend.jobs import schedule
from backend.settings import ROOT
from tests.factories.users import Users
from tests.waiting import HANG_SECONDS

RULES: Final = ROOT / "deploy" / "prometheus" / "alerts.yml"
RULE_TESTS: Final = RULES.with_name("alerts.test.yml")
RULE_OBJECT: Final = ROOT / "deploy" / "kubernetes" / "components" / "monitoring" / "alerts.yaml"
SCALER: Final = ROOT / "deploy" / "kubernetes" / "components" / "worker-age" / "kustomization.yaml"
ADAPTER: Final = RULES.with_name("adapter.yml")
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "doorstep.json"
RUNBOOK: Final = ROOT / "docs" / "how-to" / "respond-to-alerts.md"
PROMTOOL: Final = shutil.which("promtool")
SELECTOR: Final = re.compile(r"\b([a-z][a-z0-9_]+)\b(?!\s*\()(?:\{([^}]*)\})?(?=[\s\[)>=+/-]|$)")
GROUPED: Final = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
MATCHER: Final = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
WORDS: Final = {"and", "or", "unless", "on", "by", "offset", "bool"}  # of PromQL
# The second is of processes that ask a replica, as none does here.
OF_PROMETHEUS: Final[dict[str, set[str]]] = {"up": {"job", "instance"}, "db_replica_lag_seconds": set()}
TARGET: Final = {"instance"}  # Prometheus adds it to every series


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    """Return every query with the alert or panel that it belongs to."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def names_in(query: str) -> tuple[dict[str, set[tuple[str, str]]], set[str]]:
    """Return the matchers of each metric, and the labels that the query groups by."""
    grouped = {label.strip() for labels in GROUPED.findall(query) for label in labels.split(",")}
    bare = GROUPED.sub(" ", query).replace("$__rate_interval", "5m")
    found: dict[str, set[tuple[str, str]]] = {}
    for name, matchers in SELECTOR.findall(bare):
        if name not in WORDS:
            found.setdefault(name, set()).update(MATCHER.findall(matchers))
    return found, grouped


@pytest.fixture
def exposition(app: Flask, users: Users) -> Mapping[str, Mapping[str, set[str]]]:
    """Return the values of each label of each metric, after everything was counted once."""
    customer, breakers = users.customer(), [CircuitBreaker(name) for name in ("cache", "replica")]
    for breaker in breakers:
        breaker.failed()
    Sampler("web", app).sample()
    metrics.job_done(topic="a", outcome="done", seconds=0.1)
    metrics.sms_limited(limit="market")
    metrics.pool_waited(pool="reads", seconds=0.1)
    metrics.cache_used(name="tasks", outcome="hit")
    for outcome in ("sent", "failed"):
        metrics.delivery_attempted(channel="mail", outcome=outcome)
    for event in security_log.Event:
        security_log.note(event)
    metrics.event_streams(1)
    metrics.events_sent(1)
    metrics.event_stream_dropped()
    metrics.bodies_waiting(0)
    with transaction():
        schedule.tick()
        db.session.execute(
            text("""
                INSERT INTO deliveries (account_id, kind, subject, channel, message_id)
                VALUES (:id, 'request_closed', '1', 'mail', 'a')
            """),
            {"id": customer.id},
        )
    app.extensions.pop("table_metrics", None)
    client = app.test_client()
    client.get("/healthz")
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").get_data(as_text=True)):
        for sample in family.samples:
            labels = found.setdefault(sample.name, defaultdict(set))
            for label, value in sample.labels.items():
                labels[label].add(value)
    return found


def test_queries_of_alerts_and_dashboard_name_metrics_and_labels_that_exist(
    exposition: Mapping[str, Mapping[str, set[str]]],
) -> None:
    problems: list[str] = []
    checked: set[str] = set()
    for owner, query in queries():
        used, grouped = names_in(query)
        assert used, f"{owner}: no metric in {query}"
        known = {label for name in used for label in (*exposition.get(name, {}), *OF_PROMETHEUS.get(name, ()))}
        problems += [f"{owner}: no label {label}" for label in grouped - known - TARGET]
        for name, matchers in used.items():
            if name not in exposition and name not in OF_PROMETHEUS:
                problems.append(f"{owner}: no metric {name}")
            labels = {*exposition.get(name, {}), *OF_PROMETHEUS.get(name, ())}
            problems += [f"{owner}: {name} has no label {label}" for label, _ in matchers if label not in labels]
            problems += [
                f"{owner}: {name} has no {label} {value}"
                for label, value in matchers
                if label in ("part", "outcome", "event", "limit", "name", "le")
                and exposition.get(name, {}).get(label)
                and not any(re.fullmatch(value, have) for have in exposition[name][label])
                and value not in ("events", "put_off")  # live updates have no process here; nothing was put off
            ]
            checked.add(name)
    assert not problems, problems
    assert len(checked) > 30


def test_autoscaler_of_workers_and_its_adapter_name_a_metric_that_exists(
    exposition: Mapping[str, Mapping[str, set[str]]],
) -> None:
    (patch,) = yaml.safe_load(SCALER.read_text())["patches"]
    asked = yaml.safe_load(patch["patch"])[0]["value"]["external"]["metric"]["name"]
    (rule,) = yaml.safe_load(ADAPTER.read_text())["externalRules"]
    # Without a name of its own, a rule gives the metric that of its series.
    assert (asked, "name" in rule) == (rule["seriesQuery"].partition("{")[0], False)
    assert asked in exposition


@pytest.mark.parametrize("query", ["sum(rate(http_requests[5m]))", 'max(part_up{component="database"})'])
def test_wrong_names_in_queries_are_found(exposition: Mapping[str, Mapping[str, set[str]]], query: str) -> None:
    used, _ = names_in(query)
    assert any(
        name not in exposition or any(label not in exposition[name] for label, _ in matchers)
        for name, matchers in used.items()
    )


def test_every_alert_has_a_section_that_says_what_to_do() -> None:
    sections = re.split(r"^## ", RUNBOOK.read_text(), flags=re.MULTILINE)[1:]
    bodies = {section.partition("\n")[0]: section for section in sections}
    alerts = {rule["alert"]: rule for rule in rules()}
    assert [name for name in bodies if name != "What others measure"] == list(alerts), "in the same order"
    for name, rule in alerts.items():
        severity = rule["labels"]["severity"]
        assert severity in ("page", "ticket")
        assert f"**{severity}.**" in bodies[name], name
        assert "**Look**" in bodies[name], name
        assert "**Do**" in bodies[name], name
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (ROOT / path, anchor) == (RUNBOOK, name.lower())


def test_rules_for_kubernetes_are_those_for_prometheus() -> None:
    text = RULE_OBJECT.read_text()
    assert yaml.safe_load(text)["spec"] == yaml.safe_load(RULES.read_text())
    written = runpy.run_path(str(RULES.with_name("rule_object.py")))["rule_object"]()
    assert text == written, "alerts.yaml is outdated; run: make generate"


def test_every_alert_is_tested_to_be_raised_and_to_stay_silent() -> None:
    healthy, *faults = (test["alert_rule_test"] for test in yaml.safe_load(RULE_TESTS.read_text())["tests"])
    alerts = {rule["alert"] for rule in rules()}
    assert {case["alertname"] for case in healthy} == alerts
    assert not any(case.get("exp_alerts") for case in healthy)
    assert {case["alertname"] for cases in faults for case in cases if case.get("exp_alerts")} == alerts


def test_dashboard_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "deploy" / "grafana" / "dashboard.py"))["dashboard"]()
    assert json.loads(DASHBOARD.read_text()) == made, "doorstep.json is outdated; run: make generate"


def test_dashboard_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


if PROMTOOL:  # not a skipped test: a machine without it still checks all that is ours

    @pytest.mark.parametrize(("check", "path"), [("check", RULES), ("test", RULE_TESTS)])
    def test_promtool_accepts_alerts_and_their_tests(check: str, path: object) -> None:
        done = subprocess.run(
            [str(PROMTOOL), check, "rules", str(path)],
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_promtool_accepts_metrics(exposition: Mapping[str, Mapping[str, set[str]]], app: Flask) -> None:
        text = app.test_client().get("/metrics").get_data(as_text=True)
        done = subprocess.run(
            [str(PROMTOOL), "check", "metrics"],
            input=text, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout + done.stderr) == (0, "")

else:
    print("promtool is not installed (Debian: prometheus): the syntax of alerts.yml is not checked")
