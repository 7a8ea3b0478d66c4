"""Prometheus metrics, added up over all processes of a machine through files in DATA_DIR/run/metrics."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.core import GaugeMetricFamily, Metric

from backend.core.observability import metric_files
from backend.settings import Settings

__all__ = [
    "Metric",
    "begin",
    "bodies_waiting",
    "cache_used",
    "event_stream_dropped",
    "event_streams",
    "events_sent",
    "exposition",
    "gauge",
    "gauges",
    "job_done",
    "repeated",
    "request_done",
]

log = structlog.get_logger(__name__)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
JOB_BUCKETS: Final = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 300.0)


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

    def _identity(self) -> str:
        pid = os.getpid()
        if pid != self._pid:
            self._process = metric_files.begin_process(self.folder)
            self._pid = pid
        return self._process


_figures: list[_Figures] = []


def begin(settings: Settings) -> None:
    """Start counting in this process. Only for processes that serve calls or jobs, because each uses 3 MiB of files.

    If the folder cannot be written, nothing is counted.
    """
    if _figures:
        return
    folder = settings.data_dir / "run" / "metrics"
    try:
        _figures.append(_Figures(folder))
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
    registry, current = CollectorRegistry(), _Present(list(present))
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
