"""Read JSON bodies, query strings and forms, each through its marshmallow schema."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

import orjson
from flask import request
from marshmallow import Schema, ValidationError, fields

from backend.core.errors import Invalid, Malformed, TooLarge, UnsupportedType

MAX_JSON_BYTES = 1 << 20
MAX_CACHED_QUERY = 200  # bytes


def read_json(schema: Schema, *, required: bool) -> dict[str, object]:
    """Return the validated body. Raises Malformed (400), UnsupportedType (415), TooLarge (413) or Invalid (422)."""
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
    """Reject fields sent to a call without a body. An empty object is accepted."""
    if request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        read_json(Schema(), required=False)


def read_form(schema: Schema) -> dict[str, object]:
    """Return the validated fields and files of a multipart form. List fields may be repeated."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedType("The request body must be multipart/form-data.")
    fields_and_files: Iterable[tuple[str, Sequence[object]]] = chain(request.form.lists(), request.files.lists())
    return load(schema, _collect(schema, fields_and_files))


def read_query(schema: Schema) -> dict[str, object]:
    """Return the validated query string. Valid ones are cached."""
    query_string = request.query_string
    if len(query_string) > MAX_CACHED_QUERY:
        return dict(load(schema, _collect(schema, request.args.lists())))
    return dict(_read_query(schema, query_string))


@lru_cache(maxsize=2048)
def _read_query(schema: Schema, _query_string: bytes) -> dict[str, object]:
    return load(schema, _collect(schema, request.args.lists()))


def load(schema: Schema, data: Mapping[str, object]) -> dict[str, object]:
    """Load data through a schema. Raises Invalid with the messages of each field (nested names joined by dots)."""
    try:
        loaded: dict[str, object] = schema.load(dict(data))
    except ValidationError as error:
        messages = flatten(error.normalized_messages())
        first = next(iter(messages))
        raise Invalid(f"{first}: {messages[first][0]}", errors=messages) from error
    return loaded


def flatten(messages: Mapping[str, object], prefix: str = "") -> dict[str, list[str]]:
    """Flatten nested marshmallow messages: ``{"quiet_hours.from": ["..."]}``."""
    flat: dict[str, list[str]] = {}
    for name, value in messages.items():
        path = prefix if name == "_schema" and prefix else f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping):
            flat.update(flatten(value, path))
        else:
            lines = value if isinstance(value, list) else [value]
            flat.setdefault("body" if path == "_schema" else path, []).extend(str(line) for line in lines)
    return flat


def _collect(schema: Schema, pairs: Iterable[tuple[str, Sequence[object]]]) -> dict[str, object]:
    """Collect repeated parameters into lists for list fields. Raises Invalid if another field is repeated."""
    collected: dict[str, object] = {}
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


def _number(field: object, value: object) -> object:
    """Return digits as a number for integer fields, since query strings and forms contain only text."""
    if not (isinstance(field, fields.Integer) and isinstance(value, str)):
        return value
    digits = value.strip().removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else value
