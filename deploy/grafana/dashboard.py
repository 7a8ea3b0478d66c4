"""Prints the Grafana dashboard: `python deploy/grafana/dashboard.py > deploy/grafana/doorstep.json` (`make generate`).

Each panel is a title, a unit and queries with their legends; the grid is filled from left to right.
"""

import json
import sys
from typing import Any, Final, NamedTuple

WIDTH: Final = 24
SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
SCHEMA_VERSION: Final = 39  # of Grafana 11; newer ones migrate it when they load it
RATE: Final = "[$__rate_interval]"
DURATIONS: Final = f'sum by (le) (rate(http_request_seconds_bucket{{route!~"/events|/readyz"}}{RATE}))'


class Panel(NamedTuple):
    """One panel; each query has a legend. ``kind`` is Grafana's name of its type."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    width: int = 8
    height: int = 8


class Row(NamedTuple):
    """A row of panels under a title."""

    title: str
    panels: tuple[Panel, ...]


def stat(title: str, unit: str, query: str, legend: str = "") -> Panel:
    """Return a panel with the current value."""
    return Panel(title, unit, ((query, legend),), kind="stat", width=4, height=4)


def by_kind(metric: str) -> str:
    return f"sum by (kind) ({metric})"


ROWS: Final = (
    Row(
        "Now",
        (
            stat("Database", "bool_yes_no", 'min(part_up{part="database"})'),
            stat("Workers", "bool_yes_no", 'max(part_up{part="workers"})'),
            stat("Cache and broker", "bool_yes_no", 'min(part_up{part=~"cache|broker"})'),
            stat("Failed jobs", "none", "max(jobs_dead)"),
            stat("Oldest job", "s", "max(jobs_oldest_seconds)"),
            stat("Versions", "none", "count by (version) (build_info)", "{{version}}"),
        ),
    ),
    Row(
        "Calls",
        (
            Panel("Calls by status", "reqps", ((f"sum by (status) (rate(http_requests_total{RATE}))", "{{status}}"),)),
            Panel(
                "Duration",
                "s",
                tuple(
                    (f"histogram_quantile({quantile}, {DURATIONS})", legend)
                    for quantile, legend in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
                ),
            ),
            Panel(
                "Failed calls by route",
                "reqps",
                ((f'sum by (route) (rate(http_requests_total{{status=~"5.."}}{RATE}))', "{{route}}"),),
            ),
            Panel(
                "Busiest routes",
                "reqps",
                ((f"topk(10, sum by (route) (rate(http_requests_total{RATE})))", "{{route}}"),),
            ),
            Panel(
                "Cache lookups",
                "ops",
                ((f"sum by (name, outcome) (rate(cache_lookups_total{RATE}))", "{{name}} {{outcome}}"),),
            ),
            Panel(
                "Live updates",
                "none",
                (
                    ("sum(event_streams)", "open streams"),
                    (f"sum(rate(events_sent_total{RATE}))", "events a second"),
                    (f"sum(rate(event_streams_dropped_total{RATE}))", "dropped a second"),
                ),
            ),
        ),
    ),
    Row(
        "Jobs and messages",
        (
            Panel(
                "Waiting jobs",
                "none",
                (("max(jobs_waiting)", "waiting or running"), ("max(jobs_dead)", "failed permanently")),
            ),
            Panel("Jobs by outcome", "ops", ((f"sum by (outcome) (rate(jobs_run_total{RATE}))", "{{outcome}}"),)),
            Panel(
                "Duration of jobs, 95 %",
                "s",
                ((f"histogram_quantile(0.95, sum by (le, topic) (rate(job_seconds_bucket{RATE})))", "{{topic}}"),),
            ),
            Panel(
                "Messages by channel and outcome",
                "ops",
                ((f"sum by (channel, outcome) (rate(delivery_attempts_total{RATE}))", "{{channel}} {{outcome}}"),),
            ),
            Panel("Waiting messages", "none", (("max by (channel) (deliveries_waiting)", "{{channel}}"),)),
            Panel(
                "Oldest message that is due", "s", (("max by (channel) (deliveries_oldest_seconds)", "{{channel}}"),)
            ),
            Panel(
                "Last start of each scheduled job",
                "s",
                (("time() - max by (name) (job_last_run_timestamp_seconds)", "{{name}}"),),
            ),
            Panel(
                "Result of the last run",
                "none",
                (
                    ("max by (name) (job_last_run_sent)", "{{name}} sent"),
                    ("max by (name) (job_last_run_failed)", "{{name}} failed"),
                ),
            ),
            Panel("SMS over a limit", "none", ((f"sum by (limit) (increase(sms_limited_total{RATE}))", "{{limit}}"),)),
        ),
    ),
    Row(
        "Processes",
        (
            Panel("CPU", "percentunit", ((by_kind(f"rate(process_cpu_seconds_total{RATE})"), "{{kind}}"),)),
            Panel("Memory", "bytes", ((by_kind("process_resident_memory_bytes"), "{{kind}}"),)),
            Panel(
                "Password checks",
                "none",
                (("sum(password_checks_in_progress)", "in progress"), ("sum(password_checks_waiting)", "waiting")),
            ),
            Panel(
                "Database connections",
                "none",
                (
                    ("sum by (pool) (db_connections_in_use)", "{{pool}} in use"),
                    ("sum by (pool) (db_connections_limit)", "{{pool}} limit"),
                    ("sum by (pool) (db_pool_waiting)", "{{pool}} waiting"),
                ),
            ),
            Panel(
                "Waits for a connection",
                "ops",
                ((f"sum by (pool) (rate(db_pool_wait_seconds_count{RATE}))", "{{pool}}"),),
            ),
            Panel(
                "Circuit breakers",
                "none",
                (
                    ("sum by (name) (circuit_breakers_open)", "{{name}} open"),
                    (f"sum by (name) (increase(circuit_breaker_opened_total{RATE}))", "{{name}} opened"),
                ),
            ),
            Panel("Request bodies being received", "none", (("sum by (instance) (bodies_waiting)", "{{instance}}"),)),
            Panel("Security events", "ops", ((f"sum by (event) (rate(security_events_total{RATE}))", "{{event}}"),)),
            Panel(
                "Age of the oldest row, of what housekeeping keeps",
                "percentunit",
                (("max by (table) (table_oldest_row_seconds) / max by (table) (table_kept_seconds)", "{{table}}"),),
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard in Grafana's format."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in ROWS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
            }
        )
        top, left, height = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, height = top + height, 0, 0
            panels.append(_panel(panel, number=len(panels) + 1, left=left, top=top))
            left, height = left + panel.width, max(height, panel.height)
        top += height
    return {
        "uid": "doorstep",
        "title": "Doorstep",
        "tags": ["doorstep"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [{"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}],
        },
        "panels": panels,
    }


def _panel(panel: Panel, *, number: int, left: int, top: int) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend}
        for place, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"h": panel.height, "w": panel.width, "x": left, "y": top},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dashboard(), indent=2) + "\n")
