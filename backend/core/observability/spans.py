"""Records spans with OpenTelemetry's SDK. Imported by ``tracing.start`` only, where a collector is named.

Spans hold no personal data: routes for paths, statements without their parameters, errors by their class, since their
messages may quote what a user typed.
"""

import re
import socket
import threading
from contextlib import AbstractContextManager
from contextvars import Token
from functools import lru_cache
from typing import Final, NamedTuple, Self

from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from backend.core.observability import trace_context
from backend.core.observability.tracing import NOTHING
from backend.settings import VERSION

SCOPE: Final = "doorstep"
END_SECONDS: Final = 2.0
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FAILED_OUTCOMES: Final = frozenset({"retry", "dead", "lost"})
NAME: Final = r'"?([a-z_][a-z_0-9]*)'
TABLE: Final = re.compile(  # "extract(epoch FROM now())" names none
    rf"\b(?:FROM\s+{NAME}(?![a-z_0-9]|\s*\()|(?:INTO|UPDATE)\s+{NAME})", re.IGNORECASE
)
Attributes = dict[str, AttributeValue]


class Entered:
    """The span of a call or a job, current in this thread or task until the block ends."""

    __slots__ = ("_has_ended", "_name", "_span", "_token", "traceparent")

    def __init__(self, span: Span, name: str) -> None:
        self._span, self._name = span, name
        self._token: Token[Context] | None = None
        self._has_ended = False  # in a way that was noted
        own = span.get_span_context()
        self.traceparent: str | None = f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"

    def responded(self, status: int, route: str | None = None) -> None:
        """Note the status; server errors mark the span as failed (semantic conventions for HTTP spans)."""
        self._has_ended = True
        self._span.set_attribute("http.response.status_code", status)
        if route is not None:
            self._span.update_name(f"{self._name} {route}")
            self._span.set_attribute("http.route", route)
        if status >= 500:
            self._span.set_attribute("error.type", str(status))
            self._span.set_status(StatusCode.ERROR)

    def ended(self, outcome: str) -> None:
        """Note the outcome of a job; other than done, it marks the span as failed."""
        self._span.set_attribute("doorstep.job.outcome", outcome)
        if outcome in FAILED_OUTCOMES:
            self._span.set_status(StatusCode.ERROR)

    def __enter__(self) -> Self:
        self._token = attach(set_span_in_context(self._span, Context()))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: object) -> None:
        if self._token is not None:
            detach(self._token)
        if error is not None and not self._has_ended:
            _note(self._span, error)
        self._span.end()


class Leaf:
    """A span without others below it, which therefore never becomes the current one."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: object) -> None:
        self.end(error)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, as failed with an error."""
        if error is not None:
            _note(self._span, error)
        self._span.end()


class Recorder:
    """Records the spans of this process and sends them in batches, from a thread of its own.

    Up to OTEL_BSP_MAX_QUEUE_SIZE spans wait for the collector; further ones are dropped.
    """

    def __init__(self, kind: str) -> None:
        own: Attributes = {
            "service.name": f"doorstep-{kind}",
            "service.namespace": "doorstep",
            "service.version": VERSION,
            "host.name": socket.gethostname(),
        }
        resource = Resource.create(own).merge(OTELResourceDetector().detect())  # what the operator says is right
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        # Valkey is also asked by threads that serve no call; each of their commands would be a trace of its own.
        below = TracerProvider(resource=resource, sampler=ParentBased(root=ALWAYS_OFF), shutdown_on_exit=False)
        processor = BatchSpanProcessor(OTLPSpanExporter())
        for provider in (self._provider, below):
            provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(SCOPE, VERSION)
        RedisInstrumentor().instrument(tracer_provider=below)

    def close(self) -> None:
        """Send what waits, for END_SECONDS at most: the exporter itself would try for longer."""
        closing = threading.Thread(target=self._provider.shutdown, name="spans-shutdown", daemon=True)
        closing.start()
        closing.join(END_SECONDS)

    def call(self, method: str, traceparent: str | None, route: str | None) -> Entered:
        """Return the span of a call, to be entered."""
        known = method if method in METHODS else "HTTP"
        attributes: Attributes = {"http.request.method": method if known == method else "_OTHER"}
        if route is not None:
            attributes["http.route"] = route
        name = known if route is None else f"{known} {route}"
        span = self._tracer.start_span(name, _below(traceparent), SpanKind.SERVER, attributes)
        return Entered(span, known)

    def job(self, topic: str, traceparent: str | None) -> Entered:
        """Return the span of a job, to be entered."""
        attributes: Attributes = {
            "messaging.system": "doorstep",
            "messaging.operation.type": "process",
            "messaging.destination.name": topic,
        }
        name = f"process {topic}"
        return Entered(self._tracer.start_span(name, _below(traceparent), SpanKind.CONSUMER, attributes), name)

    def statement(self, sql: tuple[bytes, ...]) -> AbstractContextManager[None]:
        """Return the block of a round trip to PostgreSQL."""
        span = self._statement(describe_all(sql)) if get_current_span().is_recording() else None
        return NOTHING if span is None else Leaf(span)

    def started(self, sql: str) -> Leaf | None:
        """Return the span of a statement that is sent now; None outside of recorded calls and jobs."""
        return Leaf(self._statement(describe(sql))) if get_current_span().is_recording() else None

    def sending(self, channel: str) -> AbstractContextManager[None]:
        """Return the block in which a message is sent."""
        if not get_current_span().is_recording():
            return NOTHING
        return Leaf(
            self._tracer.start_span(f"send {channel}", None, SpanKind.CLIENT, {"doorstep.message.channel": channel})
        )

    def _statement(self, described: "_Described") -> Span:
        return self._tracer.start_span(described.name, None, SpanKind.CLIENT, described.attributes)


class _Described(NamedTuple):
    """A statement as its span shows it."""

    name: str
    attributes: Attributes


@lru_cache(maxsize=1024)
def describe(sql: str) -> _Described:
    """Return name and attributes after the semantic conventions for databases; the text has placeholders only."""
    words = sql.split(None, 1)
    operation = words[0].rstrip(";").upper() if words else "SQL"
    found = TABLE.search(sql)
    name = f"{operation} {(found[1] or found[2]).lower()}" if found else operation
    return _Described(name, {"db.system.name": "postgresql", "db.query.summary": name, "db.query.text": sql})


@lru_cache(maxsize=1024)
def describe_all(sql: tuple[bytes, ...]) -> _Described:
    return describe("; ".join(one.decode() for one in sql))


def _below(traceparent: str | None) -> Context:
    """Return a context whose current span is the one that the header names, if any."""
    valid = trace_context.parse(traceparent)
    if valid is None:
        return Context()
    _, trace_id, span_id, flags = valid.split("-")
    parent = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _note(span: Span, error: BaseException) -> None:
    """Mark the span as failed, without the error's message."""
    span.set_attribute("error.type", type(error).__qualname__)
    if sqlstate := getattr(error, "sqlstate", None):  # psycopg's, which not every process has
        span.set_attribute("db.response.status_code", sqlstate)
    span.set_status(StatusCode.ERROR)
