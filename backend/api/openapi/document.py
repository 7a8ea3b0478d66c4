"""The OpenAPI 3.1 document, generated from the URL table and each call's @endpoint."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import orjson
from apispec import APISpec
from flask import Flask, Response
from marshmallow import Schema
from werkzeug.routing import Rule

from backend.api.deprecated_paths import DEPRECATED
from backend.api.endpoint import ATTRIBUTE, Endpoint, Resource
from backend.api.openapi import names as openapi_names
from backend.api.openapi import responses
from backend.api.openapi.responses import Json
from backend.api.openapi.schemas import Converter, Names, Plugin
from backend.settings import VERSION

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
ABOUT: Final = (
    "Doorstep is a marketplace for home repairs and other work at home: customers send requests, "
    "verified professionals accept them, and admins manage the marketplace.\n\nSign in with `POST "
    "/check` and send the access token as `Authorization: Bearer ...`. Amounts are strings with two "
    "decimal places, times are ISO 8601 with an offset, and ids are opaque. Lists are paginated with "
    "`limit` and `cursor`. Errors are RFC 9457 problem details with a stable `code`."
)
SECURITY: Final[dict[str, Json]] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The access token."},
    "refreshBearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The refresh token, for API clients.",
    },
    "refreshCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "refresh_token_cookie",
        "description": (
            "The refresh token, for browsers: an httpOnly cookie, sent together with X-CSRF-TOKEN. Over "
            "HTTPS the cookie is named `__Secure-doorstep`."
        ),
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-TOKEN",
        "description": "The value of the csrf_refresh_token cookie.",
    },
}
PATH_SCHEMAS: Final[dict[str, Json]] = {
    "id": {"type": "integer", "format": "int64", "minimum": 1},
    "int": {"type": "integer", "minimum": 0},
    "uuid": {"type": "string", "format": "uuid"},
}
PARAMETER: Final = re.compile(r"<(?:(?P<converter>[a-z_]+)(?P<arguments>\([^>]*\))?:)?(?P<name>[a-z_]+)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one path, with its declaration."""

    method: str
    rule: str
    path: str
    module: str
    about: str
    has_get: bool
    spec: Endpoint

    @property
    def operation_id(self) -> str:
        return openapi_names.operation_id(self.method, self.path, paged=self.spec.paged, has_get=self.has_get)


def calls(app: Flask) -> Iterator[Call]:
    """Yield every call in the order of the URL table."""
    for rule in app.url_map.iter_rules():
        resource = getattr(app.view_functions[rule.endpoint], "view_class", None)
        if resource is None:
            continue
        for method in METHODS:
            handler = getattr(resource, method.lower(), None)
            if handler is not None:
                yield _call(method, rule, handler, resource)


def _call(method: str, rule: Rule, handler: Callable[..., Response], resource: type[Resource]) -> Call:
    return Call(
        method=method,
        rule=rule.rule,
        path=PARAMETER.sub(r"{\g<name>}", rule.rule),
        module=resource.__module__,
        about=inspect.getdoc(handler) or "",
        has_get=hasattr(resource, "get"),
        spec=getattr(handler, ATTRIBUTE),
    )


def build(app: Flask) -> Json:
    """Return the document."""
    all_calls = list(calls(app))
    names = Names(
        incoming=[schema for call in all_calls for schema in (call.spec.body, call.spec.form) if schema],
        outgoing=[call.spec.response for call in all_calls if call.spec.response],
    )
    plugin = Plugin(schema_name_resolver=names)
    spec = APISpec(
        title="Doorstep",
        version=VERSION,
        openapi_version="3.1.0",
        info={"description": ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        plugins=[plugin],
    )
    writer = _Writer(spec, plugin, names)
    for name, scheme in SECURITY.items():
        spec.components.security_scheme(name, scheme)
    for name, schema in responses.SCHEMAS.items():
        spec.components.schema(name, schema)
    for name, header in responses.HEADERS.items():
        spec.components.header(name, header)
    for call in all_calls:
        spec.path(path=call.path, operations={call.method.lower(): writer.operation(call)})
    used = sorted({openapi_names.tag(call.module) for call in all_calls})
    in_order = [name for name in dict.fromkeys(openapi_names.TAGS.values()) if name in used]
    document = spec.to_dict()
    document["components"]["schemas"] = _sorted(document["components"]["schemas"])
    document["paths"] = _sorted(document["paths"])
    document["servers"] = [{"url": "/", "description": "This server"}]
    document["tags"] = [{"name": name} for name in dict.fromkeys([*in_order, *used])]
    return document


def render(app: Flask) -> bytes:
    """Return the document as JSON, as served and committed."""
    return orjson.dumps(build(app), default=float, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _sorted(parts: Json) -> Json:
    """Sort schemas or paths by name, so that a new call does not move the lines of others."""
    return dict(sorted(parts.items()))


class _Writer:
    """Writes operations, and adds the schemas that they use to the document."""

    def __init__(self, spec: APISpec, plugin: Plugin, names: Names) -> None:
        self._spec = spec
        self._plugin = plugin
        self._names = names
        self._refs: dict[bool, Json] = {True: {}, False: {}}

    def operation(self, call: Call) -> Json:
        spec = call.spec
        operation: Json = {
            "operationId": call.operation_id,
            "summary": spec.summary,
            "description": f"{call.about}\n\nAccess: {spec.who.name}.".strip(),
            "tags": [openapi_names.tag(call.module)],
            "security": _security(call),
        }
        if successor := DEPRECATED.get(call.rule):
            operation["deprecated"] = True
            operation["description"] = "Use {} instead.".format(PARAMETER.sub(r"{\g<name>}", successor))
        if parameters := [*_path_parameters(call), *self._query(spec), *_header_parameters(call)]:
            operation["parameters"] = parameters
        if content := self._request_content(spec):
            operation["requestBody"] = {"required": spec.body_required, "content": content}
        operation["responses"] = responses.responses(call.method, call.path, spec, self._response_content(spec))
        return operation

    @property
    def _converter(self) -> Converter:
        converter = self._plugin.converter
        if not isinstance(converter, Converter):
            raise TypeError("The plugin has not been added to a document")
        return converter

    def _ref(self, schema: Schema, *, incoming: bool) -> Json:
        """Return a reference to the schema, which has one description for requests and one for responses."""
        self._set_direction(incoming=incoming)
        return self._converter.reference(schema)

    def _set_direction(self, *, incoming: bool) -> None:
        self._converter.incoming = self._names.incoming = incoming
        self._converter.refs = self._refs[incoming]

    def _query(self, spec: Endpoint) -> list[Json]:
        if spec.query is None:
            return []
        self._set_direction(incoming=True)
        return self._converter.query_parameters(spec.query)

    def _request_content(self, spec: Endpoint) -> Json:
        content: Json = {}
        if spec.body is not None:
            content["application/json"] = {"schema": self._ref(spec.body, incoming=True)}
        if spec.form is not None:
            content["multipart/form-data"] = {"schema": self._ref(spec.form, incoming=True)}
        return content

    def _response_content(self, spec: Endpoint) -> Json:
        content: Json = {}
        if spec.response is not None:
            reference = self._ref(spec.response, incoming=False)
            schema = self._page_of(spec.response, reference) if spec.paged else reference
            content["application/json"] = {"schema": schema}
        for media_type in (spec.media_type or "").split(","):
            if media_type.strip():
                content[media_type.strip()] = {"schema": responses.body_of(media_type.strip())}
        return content

    def _page_of(self, schema: Schema, reference: Json) -> Json:
        name = f"{self._names(schema)}Page"
        if name not in self._spec.components.schemas:
            self._spec.components.schema(name, responses.page(reference))
        return {"$ref": f"#/components/schemas/{name}"}


def _security(call: Call) -> list[Json]:
    if call.path == "/token/refresh":
        return [{"refreshBearer": []}, {"refreshCookie": [], "csrf": []}]
    if call.spec.who.needs_token:
        return [{"bearer": []}]
    return [{"bearer": []}, {}] if call.spec.who.reads_token and not call.spec.who.forgives_bad_token else []


def _path_parameters(call: Call) -> list[Json]:
    return [
        {
            "name": match["name"],
            "in": "path",
            "required": True,
            "schema": PATH_SCHEMAS.get(match["converter"] or "string", {"type": "string"}),
        }
        for match in PARAMETER.finditer(call.rule)
    ]


def _header_parameters(call: Call) -> list[Json]:
    headers = responses.request_headers(call.method, call.spec)
    return [
        {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string", **limits}}
        for name, about, limits in headers
    ]
