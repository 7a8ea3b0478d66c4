"""The running application against its own contract: whatever is sent, the response is one that openapi.json declares.

Every operation is called by callers who may make the call, so that the input is read: input that the contract allows,
input that it does not allow, and the good call of ``route_table.py`` with one field replaced by something else.
`make test` sends three fixed examples to each operation, `make fuzz` 200 random ones within FUZZ_SECONDS.
"""

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend.cli.openapi import COMMITTED
from tests.api.route_table import CALLERS, TABLE, Row
from tests.api.scene import Scene, staged

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FUZZ_EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "0"))  # for each operation
FUZZ_SECONDS: Final = float(os.environ.get("FUZZ_SECONDS", "20"))  # for each operation
FUZZ_SEED: Final = os.environ.get("FUZZ_SEED", "")
BATCH: Final = 10  # examples between two looks at the clock
EACH: Final = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS: Final = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
METHODS: Final = {"get", "post", "put", "patch", "delete"}
UNCHANGED: Final = (400, 404, 405, 409, 412, 413, 415)  # responses to calls that were rolled back
JUNK: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", "\x00", "0", "-1", "1e9", "٣", "=1+1", "\ud7ff", "2026-02-30", "a" * 5000, 2**63, -(2**63), 1e308]
    ),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=5)), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


class Market:
    """The application as WSGI, made when it is first called: operations are read off the contract before it exists."""

    app: Flask

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.app({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)


MARKET: Final = Market()
SCHEMA: Final = schemathesis.openapi.from_dict(json.loads(COMMITTED.read_text()))
SCHEMA.app = MARKET
SCHEMA.config.generation.update(with_security_parameters=False)  # the callers' tokens are what is sent
OPERATIONS: Final = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
ROWS: Final = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", name): row for name, row in TABLE.items()}


@pytest.fixture(scope="module")
def scene(shared_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    MARKET.app = shared_app
    with staged(shared_app, tmp_path_factory.mktemp("dist")) as built:
        yield built


def test_operations_are_those_of_the_document() -> None:
    document = json.loads(COMMITTED.read_text())
    declared = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in METHODS & set(item)
    }
    assert {operation.label for operation in OPERATIONS} == declared


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_operation_with_any_input_answers_as_declared(operation: Any, scene: Scene) -> None:
    row = ROWS[operation.label]

    def call(data: st.DataObject) -> None:
        caller = data.draw(callers(row), label="caller")
        case = data.draw(cases(operation, row, scene, caller), label="case")
        bearer = scene.known(caller).get(row.bearer) if row.bearer else scene.callers[caller].token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        response = case.call_and_validate(headers=headers, checks=CHECKS)
        if response.status_code == 422:
            assert response.json().get("errors"), f"422 without the field: {response.text}"
        if case.method != "GET" and response.status_code not in UNCHANGED:
            scene.snapshot.restore()

    ends = time.monotonic() + FUZZ_SECONDS
    for batch in range(FUZZ_EXAMPLES // BATCH or 1):
        if not FUZZ_EXAMPLES:
            settings(EACH, max_examples=3, derandomize=True)(given(st.data())(call))()
        elif time.monotonic() < ends:
            seed(f"{FUZZ_SEED} {batch}")(settings(EACH, max_examples=BATCH)(given(st.data())(call)))()


@st.composite
def callers(draw: st.DrawFn, row: Row) -> str:
    """Callers who may, and now and then any other."""
    may = [caller for caller, letter in zip(CALLERS, row.gets, strict=True) if letter == "+"]
    return draw(st.sampled_from(may if draw(st.integers(0, 19)) else CALLERS))


@st.composite
def cases(draw: st.DrawFn, operation: Any, row: Row, scene: Scene, caller: str) -> Any:
    """Calls of an operation, most of them about something that is there."""
    modes = [GenerationMode.POSITIVE]
    if operation.body or operation.query or operation.headers:
        modes.append(GenerationMode.NEGATIVE)
    case = draw(operation.as_strategy(generation_mode=draw(st.sampled_from(modes))))
    if draw(st.integers(0, 4)):
        known = scene.known(caller)
        there = {
            name: scene.fill(row.path.get(name, f"${name}"), caller)
            for name in case.path_parameters
            if name in row.path or name in known
        }
        case.path_parameters = {**case.path_parameters, **there}
    if isinstance(row.json, dict) and row.json and draw(st.booleans()):
        case.body = {**scene.fill(row.json, caller), draw(st.sampled_from(sorted(row.json))): draw(JUNK)}
        case.media_type = "application/json"
    return case
