"""Prometheus metrics, added up over all processes of a machine through files in DATA_DIR/run/metrics."""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.core import GaugeMetricFamily, Metric

from backend.core.observability import metric_files
from backend.settings import VERSION, Settings

__all__ = [
    "Metric",
    "begin",
    "bodies_waiting",
    "breaker_opened",
    "cache_used",
    "delivery_attempted",
    "event_stream_dropped",
    "event_streams",
    "events_sent",
    "exposition",
    "gauge",
    "gauges",
    "guarded_from_fork",
    "job_done",
    "pool_waited",
    "read_behind",
    "repeated",
    "request_done",
    "sampled",
    "used_cpu",
]

log = structlog.get_logger(__name__)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
JOB_BUCKETS: Final = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 300.0)
WAIT_BUCKETS: Final = (0.01, 0.05, 0.25, 1.0, 3.0)
# Held by threads that only observe, because a process forked meanwhile would inherit locks that nobody releases.
guarded_from_fork: Final = threading.Lock()
os.register_at_fork(
    before=guarded_from_fork.acquire,
    after_in_parent=guarded_from_fork.release,
    after_in_child=guarded_from_fork.release,
)


class _Figures:
    """The counters of this process, created once even if tests create several applications."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pid, self._process = 0, ""
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # the library's only way to set the folder
        values.ValueClass = values.MultiProcessValue(self._identity)
        registry = CollectorRegistry()
        of_call = ["method", "route"]
        self.requests = Counter("http_requests", "HTTP requests handled", [*of_call, "status"], registry=registry)
        self.seconds = Histogram(
            "http_request_seconds",
            "HTTP request duration in seconds",
            of_call,
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.jobs = Counter("jobs_run", "Jobs run, by outcome", ["topic", "outcome"], registry=registry)
        self.job_seconds = Histogram(
            "job_seconds", "Job duration in seconds", ["topic"], buckets=JOB_BUCKETS, registry=registry
        )
        self.security = Counter("security_events", "Security events, by kind", ["event"], registry=registry)
        self.bodies = Gauge(
            "bodies_waiting", "Request bodies still being received", multiprocess_mode="livesum", registry=registry
        )
        self.streams = Gauge(
            "event_streams", "Open streams of live updates", multiprocess_mode="livesum", registry=registry
        )
        self.events = Counter("events_sent", "Events queued for open streams", registry=registry)
        self.slow = Counter(
            "event_streams_dropped", "Streams ended because their client read too slowly", registry=registry
        )
        self.cache = Counter("cache_lookups", "Cache lookups, by outcome", ["name", "outcome"], registry=registry)
        self.sms_limited = Counter(
            "sms_limited", "SMS not sent because a daily limit was reached", ["limit"], registry=registry
        )
        self.deliveries = Counter(
            "delivery_attempts", "Attempts to deliver a message", ["channel", "outcome"], registry=registry
        )
        self.breakers = Counter(
            "circuit_breaker_opened", "Times that a circuit breaker opened", ["name"], registry=registry
        )
        self.pool_waits = Histogram(
            "db_pool_wait_seconds",
            "Waits for a database connection in seconds; calls that find one free are not counted",
            ["pool"],
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self.behind = _reads_behind(registry)
        self.cpu = Counter("process_cpu_seconds", "CPU time used, by kind of process", ["kind"], registry=registry)
        self.sampled = _sampled_gauges(registry)

    def _identity(self) -> str:
        pid = os.getpid()
        if pid != self._pid:
            self._process = metric_files.begin_process(self.folder)
            self._pid = pid
        return self._process


def _reads_behind(registry: CollectorRegistry) -> Counter:
    return Counter(
        "db_reads_behind",
        "Reads that may come from the replica, by the server that was asked: replica or primary",
        ["server"],
        registry=registry,
    )


def _sampled_gauges(registry: CollectorRegistry) -> Mapping[str, Gauge]:
    """Return the gauges that each process sets every few seconds, by name."""
    gauges = (
        Gauge(
            "process_resident_memory_bytes",
            "Resident memory, by kind of process; memory that processes share is in each",
            ["kind"],
            multiprocess_mode="livesum",
            registry=registry,
        ),
        Gauge(
            "db_connections_limit",
            "Connections that the pools may open",
            ["pool"],
            multiprocess_mode="livesum",
            registry=registry,
        ),
        Gauge(
            "db_connections_in_use",
            "Connections in use or being opened",
            ["pool"],
            multiprocess_mode="livesum",
            registry=registry,
        ),
        Gauge(
            "db_pool_waiting",
            "Threads waiting for a connection",
            ["pool"],
            multiprocess_mode="livesum",
            registry=registry,
        ),
        Gauge(
            "password_checks_in_progress",
            "Calls that hash a password, those that look up its account among them",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        Gauge(
            "password_checks_waiting",
            "Calls waiting to hash a password",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        Gauge(
            "circuit_breakers_open",
            "Circuit breakers that skip their dependency at present",
            ["name"],
            multiprocess_mode="livesum",
            registry=registry,
        ),
    )
    return {family.name: gauge for gauge in gauges for family in gauge.describe()}


_figures: list[_Figures] = []


def begin(settings: Settings) -> None:
    """Start counting in this process. Only for processes that serve calls or jobs, because each uses 3 MiB of files.

    If the folder cannot be written, nothing is counted.
    """
    if _figures:
        return
    if settings.metrics_open:
        log.warning("settings.deprecated", setting="METRICS_OPEN", instead="METRICS_FROM")
    folder = settings.data_dir / "run" / "metrics"
    try:
        figures = _Figures(folder)
        figures.sms_limited.labels("market")  # from 0 on, because an alert compares it with an hour ago
        _figures.append(figures)
    except OSError as error:
        log.warning("metrics.disabled", error=repr(error))


def request_done(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one HTTP call."""
    for figures in _figures:
        figures.requests.labels(method, route, status).inc()
        figures.seconds.labels(method, route).observe(seconds)


def job_done(*, topic: str, outcome: str, seconds: float) -> None:
    """Count one run of a job."""
    for figures in _figures:
        figures.jobs.labels(topic, outcome).inc()
        figures.job_seconds.labels(topic).observe(seconds)


def security_event(event: str) -> None:
    """Count one security event."""
    for figures in _figures:
        figures.security.labels(event).inc()


def cache_used(*, name: str, outcome: str) -> None:
    """Count one cache lookup: hit, miss, stale or away."""
    for figures in _figures:
        figures.cache.labels(name, outcome).inc()


def bodies_waiting(number: int) -> None:
    """Record how many request bodies this process is waiting for."""
    for figures in _figures:
        figures.bodies.set(number)


def sms_limited(*, limit: str) -> None:
    """Count one SMS suppressed by a daily limit: per account or in total."""
    for figures in _figures:
        figures.sms_limited.labels(limit).inc()


def delivery_attempted(*, channel: str, outcome: str) -> None:
    """Count one attempt to deliver a message: sent, failed, skipped or put_off."""
    for figures in _figures:
        figures.deliveries.labels(channel, outcome).inc()


def breaker_opened(name: str) -> None:
    """Count that a circuit breaker opened."""
    for figures in _figures:
        figures.breakers.labels(name).inc()


def pool_waited(*, pool: str, seconds: float) -> None:
    """Count one wait for a database connection."""
    for figures in _figures:
        figures.pool_waits.labels(pool).observe(seconds)


def read_behind(*, server: str) -> None:
    """Count one read that may come from the replica."""
    for figures in _figures:
        figures.behind.labels(server).inc()


def used_cpu(*, kind: str, seconds: float) -> None:
    """Count CPU time of this kind of process."""
    for figures in _figures:
        figures.cpu.labels(kind).inc(seconds)


def sampled(name: str, value: float, label: str | None = None) -> None:
    """Set a gauge of this process that is sampled every few seconds."""
    for figures in _figures:
        family = figures.sampled[name]
        (family if label is None else family.labels(label)).set(value)


def event_streams(number: int) -> None:
    """Record how many streams of live updates this process holds."""
    for figures in _figures:
        figures.streams.set(number)


def events_sent(number: int) -> None:
    """Count events for open streams, once for each stream."""
    for figures in _figures:
        figures.events.inc(number)


def event_stream_dropped() -> None:
    """Count one stream that was ended because its client read too slowly."""
    for figures in _figures:
        figures.slow.inc()


def repeated(*, name: str, route: str) -> Callable[[int, float], None]:
    """Return a counter for responses from the cache; its labels are looked up once instead of per call."""
    bound = [
        (
            {status: figures.requests.labels("GET", route, status) for status in (200, 304)},
            figures.seconds.labels("GET", route),
            figures.cache.labels(name, "repeated"),
        )
        for figures in _figures
    ]

    def count(status: int, seconds: float) -> None:
        for calls, latency, cache in bound:
            calls[status].inc()
            latency.observe(seconds)
            cache.inc()

    return count


def gauge(name: str, about: str, value: float) -> Metric:
    """Return a metric with a current value."""
    return GaugeMetricFamily(name, about, value=value)


def gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return a metric with one current value per label."""
    family = GaugeMetricFamily(name, about, labels=[label])
    for value, figure in values.items():
        family.add_metric([value], figure)
    return family


def exposition(present: Iterable[Metric] = ()) -> bytes:
    """Return the metrics of all processes and the given current values in Prometheus' text format."""
    build = gauges("build_info", "The version of this process; the value is 1", "version", {VERSION: 1})
    registry, current = CollectorRegistry(), _Present([build, *present])
    if not _figures:
        registry.register(current)
        return generate_latest(registry)
    folder = _figures[0].folder
    multiprocess.MultiProcessCollector(registry, path=str(folder))
    registry.register(current)
    with metric_files.locked(folder):  # otherwise a file could be counted twice or not at all
        try:
            metric_files.add_up_ended(folder)
        except OSError as error:
            log.warning("metrics.merge_failed", error=repr(error))
        return generate_latest(registry)


class _Present:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
