"""Reading what a call brings: JSON, query strings and forms, each through its marshmallow schema."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson
from flask import request
from marshmallow import Schema, ValidationError, fields

from backend.core.errors import Invalid, Malformed, TooLarge, UnsupportedType

MAX_JSON_BYTES = 1 << 20
MAX_KEPT_QUERY = 200


def read_json(schema: Schema, *, required: bool) -> Any:
    """The checked body. Raises Malformed (400), UnsupportedType (415), TooLarge (413) or Invalid (422)."""
    raw = request.get_data(cache=True)
    if not raw and not required:
        return load(schema, {})
    if raw and request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise UnsupportedType("The request body must be application/json.")
    if len(raw) > MAX_JSON_BYTES:
        raise TooLarge(f"The JSON body must not exceed {MAX_JSON_BYTES} bytes.")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The request body is not valid JSON: {error}", code="not_json") from error
    if not isinstance(data, dict):
        raise Invalid("The request body must be a JSON object.", errors={"body": ["Must be a JSON object."]})
    return load(schema, data)


def refuse_json() -> None:
    """Let a call that reads no body pass with none or an empty object, so that no field is taken to have been heard."""
    if request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        read_json(Schema(), required=False)


def read_form(schema: Schema) -> Any:
    """The checked fields and files of a multipart form; fields that the schema knows as lists may be repeated."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedType("The request body must be multipart/form-data.")
    fields_and_files = chain(request.form.lists(), request.files.lists())
    return load(schema, _collect(schema, fields_and_files))


def read_query(schema: Schema) -> dict[str, Any]:
    """The checked query string. The same words mean the same each time: those that were right are read once."""
    words = request.query_string
    if len(words) > MAX_KEPT_QUERY:
        return dict(load(schema, _collect(schema, request.args.lists())))
    return dict(_read_query(schema, words))


@lru_cache(maxsize=2048)
def _read_query(schema: Schema, _words: bytes) -> dict[str, Any]:
    found: dict[str, Any] = load(schema, _collect(schema, request.args.lists()))
    return found


def load(schema: Schema, data: Mapping[str, Any]) -> Any:
    """Run a schema. Raises Invalid with one list of messages for each field (nested names joined by dots)."""
    try:
        return schema.load(dict(data))
    except ValidationError as error:
        messages = flatten(error.normalized_messages())
        first = next(iter(messages))
        raise Invalid(f"{first}: {messages[first][0]}", errors=messages) from error


def flatten(messages: Mapping[Any, Any], prefix: str = "") -> dict[str, list[str]]:
    """Nested marshmallow messages as flat ones: ``{"quiet_hours.from": ["..."]}``."""
    flat: dict[str, list[str]] = {}
    for name, value in messages.items():
        path = prefix if name == "_schema" and prefix else f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping):
            flat.update(flatten(value, path))
        else:
            flat.setdefault("body" if path == "_schema" else path, []).extend(str(line) for line in value)
    return flat


def _collect(schema: Schema, pairs: Any) -> dict[str, Any]:
    """Repeated parameters become lists where the schema has lists; elsewhere a second one is an error."""
    collected: dict[str, Any] = {}
    by_key = {(field.data_key or name): field for name, field in schema.fields.items()}
    for name, values in pairs:
        field = by_key.get(name)
        if isinstance(field, fields.List):
            parts = [part for value in values if isinstance(value, str) for part in value.split(",") if part]
            collected[name] = [_number(field.inner, part) for part in parts]
        elif len(values) > 1:
            raise Invalid.field(name, "Must be given only once.")
        else:
            collected[name] = _number(field, values[0])
    return collected


def _number(field: Any, value: Any) -> Any:
    """Digits as a number where the schema has one: query strings and forms know text only."""
    if not (isinstance(field, fields.Integer) and isinstance(value, str)):
        return value
    digits = value.strip().removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else value
