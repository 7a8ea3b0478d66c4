"""HTTP calls of the self-check and the checks of their responses."""

import http.client
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

TIMEOUT_SECONDS = 15


class StepFailed(Exception):
    """A response differs from what was expected."""


@dataclass(frozen=True, slots=True)
class Body:
    """The JSON object of a response. Reading a field raises StepFailed if it is missing or has another type."""

    fields: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return a string."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise StepFailed(f"the response has no string {name!r}: {self.fields}")
        return value

    def integer(self, name: str) -> int:
        """Return a whole number."""
        value = self.fields.get(name)
        if not isinstance(value, int):
            raise StepFailed(f"the response has no whole number {name!r}: {self.fields}")
        return value

    def items(self) -> list["Body"]:
        """Return the items of a list."""
        items = self.fields.get("items")
        if not isinstance(items, list):
            raise StepFailed(f"the response has no items: {self.fields}")
        return [Body(item) for item in items]

    def expect(self, **wanted: object) -> None:
        """Raise StepFailed if fields differ from the expected values."""
        different = {name: self.fields.get(name) for name, value in wanted.items() if self.fields.get(name) != value}
        if different:
            expected = {name: wanted[name] for name in different}
            raise StepFailed(f"the response contains {different} instead of {expected}")


@dataclass(slots=True)
class Caller:
    """A client of the running product."""

    base_url: str
    token: str | None = None

    def call(self, method: str, path: str, body: object = None, *, expect: int, code: str | None = None) -> Body:
        """Send a call and return the response's body. Raises StepFailed for an unexpected status or code."""
        data = None if body is None else orjson.dumps(body)
        return self._send(method, path, data, "application/json", expect=expect, code=code)

    def send_file(self, method: str, path: str, *, field: str, name: str, data: bytes, expect: int) -> Body:
        """Do the same with one file as a multipart form."""
        boundary = uuid.uuid4().hex
        disposition = f'Content-Disposition: form-data; name="{field}"; filename="{name}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        form = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        return self._send(method, path, form, f"multipart/form-data; boundary={boundary}", expect=expect, code=None)

    def _send(
        self, method: str, path: str, data: bytes | None, content_type: str, *, expect: int, code: str | None
    ) -> Body:
        headers = {"Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = content_type
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        status, raw = self._exchange(method, path, data, headers)
        try:
            parsed = orjson.loads(raw)
        except orjson.JSONDecodeError:
            parsed = None
        body = Body(parsed if isinstance(parsed, dict) else {})
        if status != expect or (code is not None and body.fields.get("code") != code):
            wanted = f"{expect} {code}" if code else str(expect)
            found = " ".join(str(body.fields[name]) for name in ("code", "detail") if name in body.fields)
            raise StepFailed(f"{method} {path} returned {status} instead of {wanted}: {found or raw[:200]!r}")
        return body

    def _exchange(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        parts = urlsplit(self.base_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body=data, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise StepFailed(f"{method} {path}: no response from {self.base_url} ({error})") from error
        finally:
            connection.close()
