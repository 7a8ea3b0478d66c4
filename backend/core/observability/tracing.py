"""Spans by OpenTelemetry, for operators who have a collector (ADR 188).

OpenTelemetry's own variables turn it on (its specification, "OTLP Exporter" and "General SDK Configuration"). Without
an endpoint nothing of it is imported, and what is called here costs one comparison.
"""

import importlib.util
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Final, Protocol, Self

import structlog

from backend.settings import opentelemetry_variables

if TYPE_CHECKING:
    from backend.core.observability.spans import Leaf, Recorder

log = structlog.get_logger(__name__)
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL: Final = "http/protobuf"
PACKAGES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", "opentelemetry.instrumentation.redis")
NOTHING: Final = nullcontext()
_recorder: "Recorder | None" = None


class Entered(Protocol):
    """A call or a job that is under way. ``traceparent`` is what its own calls and jobs belong to."""

    traceparent: str | None

    def responded(self, status: int, route: str | None = None) -> None:
        """Note the status of the response, and the route, by which the span is named."""

    def ended(self, outcome: str) -> None:
        """Note how a job ended; see ``jobs.runner.run``."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: object) -> None: ...


class _Unrecorded:
    """A call or a job without a span: the trace that it came with is passed on unchanged."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    def responded(self, status: int, route: str | None = None) -> None:
        pass

    def ended(self, outcome: str) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: object) -> None:
        pass


def is_wanted(variables: Mapping[str, str] | None = None) -> bool:
    """Return whether the variables name a collector, and do not disable OpenTelemetry."""
    given = opentelemetry_variables() if variables is None else variables
    if given.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = {name.strip() for name in given.get("OTEL_TRACES_EXPORTER", "otlp").split(",")}
    return "otlp" in exporters and any(given.get(name, "").strip() for name in ENDPOINTS)


def problem() -> str:
    """Return why spans are not sent although a collector is named, and what to do; "" if there is no reason."""
    given = opentelemetry_variables()
    if not is_wanted(given):
        return ""
    asked = next((given[name] for name in PROTOCOLS if given.get(name)), PROTOCOL)
    if asked != PROTOCOL:
        return f"Spans are not sent: OTEL_EXPORTER_OTLP_PROTOCOL is {asked}, and only {PROTOCOL} is supported."
    if not all(_is_installed(package) for package in PACKAGES):
        return (
            "Spans are not sent: OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages for it are not installed. "
            "Run make telemetry, then make run again, or unset the variable."
        )
    return ""


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ImportError:  # one of the packages around it is missing
        return False


def load() -> None:
    """Import before a fork what ``start`` needs after it, so that processes share the memory."""
    if is_wanted() and not problem():
        from backend.core.observability import spans  # noqa: F401 - only for its effect


def start(kind: str) -> bool:
    """Record spans in this process if a collector is named; call it after the last fork. Returns whether it does.

    ``kind``: web, worker or events, which becomes part of the service's name.
    """
    global _recorder  # noqa: PLW0603 - one for each process
    if not is_wanted():
        return False
    if reason := problem():
        log.warning("tracing.unavailable", reason=reason)
        return False
    for name, value in opentelemetry_variables().items():
        os.environ[name] = value  # the SDK reads the environment only
    from backend.core.observability.spans import Recorder

    _recorder = Recorder(kind)
    # Unlike those of atexit, these calls are made in processes of multiprocessing, too, as the web server's are.
    Finalize(None, stop, exitpriority=0)
    return True


def stop() -> None:
    """Send what waits, within END_SECONDS of ``spans``; later spans are not recorded."""
    global _recorder
    recorder, _recorder = _recorder, None
    if recorder is not None:
        recorder.close()


def call(method: str, traceparent: str | None, *, route: str | None = None) -> Entered:
    """Enter the span of a call from another process, with its `traceparent` as the parent; see ``Entered``."""
    return _Unrecorded(traceparent) if _recorder is None else _recorder.call(method, traceparent, route)


def job(topic: str, traceparent: str | None) -> Entered:
    """Enter the span of a job, below what enqueued it."""
    return _Unrecorded(traceparent) if _recorder is None else _recorder.job(topic, traceparent)


def statement(*sql: bytes) -> AbstractContextManager[None]:
    """Record the block as statements of the current call or job, sent in one round trip.

    ``sql`` has placeholders for what users typed. What runs outside of calls and jobs is not recorded.
    """
    return NOTHING if _recorder is None else _recorder.statement(sql)


def started(sql: str) -> "Leaf | None":
    """Return the span of a statement that is sent now, to be ended; None where it is not recorded."""
    return None if _recorder is None else _recorder.started(sql)


def sending(channel: str) -> AbstractContextManager[None]:
    """Record the block as a message that is sent to a user by this channel."""
    return NOTHING if _recorder is None else _recorder.sending(channel)
