"""An OpenTelemetry collector on loopback: it takes spans by OTLP over HTTP, and can hold its responses."""

import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.waiting import HANG_SECONDS, wait_until

PATH: Final = "/v1/traces"


@dataclass(frozen=True)
class Recorded:
    """A span as it arrived; ids are hexadecimal, ``parent`` is "" for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str | int]
    has_failed: bool


@dataclass
class Collector:
    """The spans that arrived, and the bytes of all requests. Without ``answers`` set, each request waits for it."""

    spans: list[Recorded] = field(default_factory=list)
    content: bytes = b""
    held: int = 0  # requests that have arrived, answered or not
    answers: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        collector = self
        self.answers.set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                content = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                assert self.path == PATH
                collector.held += 1
                collector.answers.wait(HANG_SECONDS)
                collector.take(content)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, content: bytes) -> None:
        """Decode a request."""
        self.content += content
        for resource in ExportTraceServiceRequest.FromString(content).resource_spans:
            service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes: dict[str, str | int] = {
                        one.key: one.value.string_value or one.value.int_value for one in span.attributes
                    }
                    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                    self.spans.append(Recorded(service, span.name, *ids, attributes, span.status.code == 2))

    def of(self, trace: str) -> list[Recorded]:
        """Return the spans of a trace that have arrived so far."""
        return [span for span in self.spans if span.trace == trace]

    def wait_for(self, trace: str, name: str) -> Recorded:
        """Wait for a span of a trace by its name, and return it."""
        assert wait_until(lambda: any(span.name == name for span in self.of(trace))), self.spans
        return next(span for span in self.of(trace) if span.name == name)

    def above(self, span: Recorded) -> list[Recorded]:
        """Return the spans above one, the nearest first, once all of them have arrived."""
        found: list[Recorded] = []
        while parent := [one for one in self.of(span.trace) if one.id == (found[-1] if found else span).parent]:
            found += parent
        return found
