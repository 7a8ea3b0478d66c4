"""HTTP calls of the self-check and the checks of their responses."""

import http.client
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

TIMEOUT_SECONDS = 15


class StepFailed(Exception):
    """A response differs from what was expected."""


@dataclass(slots=True)
class Caller:
    """A client of the running product."""

    base_url: str
    token: str | None = None

    def call(self, method: str, path: str, body: Any = None, *, expect: int, code: str | None = None) -> Any:
        """Send a call and return the response's JSON. Raises StepFailed for an unexpected status or code."""
        data = None if body is None else orjson.dumps(body)
        return self._send(method, path, data, "application/json", expect=expect, code=code)

    def send_file(self, method: str, path: str, *, field: str, name: str, data: bytes, expect: int) -> Any:
        """Do the same with one file as a multipart form."""
        boundary = uuid.uuid4().hex
        disposition = f'Content-Disposition: form-data; name="{field}"; filename="{name}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        form = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        return self._send(method, path, form, f"multipart/form-data; boundary={boundary}", expect=expect, code=None)

    def _send(
        self, method: str, path: str, data: bytes | None, content_type: str, *, expect: int, code: str | None
    ) -> Any:
        headers = {"Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = content_type
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        status, answer = self._exchange(method, path, data, headers)
        said = answer if isinstance(answer, dict) else {}
        if status != expect or (code is not None and said.get("code") != code):
            wanted = f"{expect} {code}" if code else str(expect)
            told = " ".join(str(said.get(name, "")) for name in ("code", "detail")).strip()
            raise StepFailed(f"{method} {path} returned {status} instead of {wanted}: {told or answer!r}")
        return answer

    def _exchange(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
        parts = urlsplit(self.base_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body=data, headers=headers)
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise StepFailed(f"{method} {path}: no response from {self.base_url} ({error})") from error
        finally:
            connection.close()
        try:
            return response.status, orjson.loads(raw) if raw else None
        except orjson.JSONDecodeError:
            return response.status, raw[:200]


def expect_fields(answer: Any, **wanted: Any) -> None:
    """Check fields of a response. Raises StepFailed if they differ from the expected values."""
    different = {name: answer.get(name) for name, value in wanted.items() if answer.get(name) != value}
    if different:
        raise StepFailed(f"the response says {different} instead of { {name: wanted[name] for name in different} }")
