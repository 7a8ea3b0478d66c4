"""marshmallow schemas as JSON Schema: apispec's plugin, extended to this application's field types."""

from collections.abc import Iterable, Iterator
from typing import Final

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, missing
from packaging.version import Version

from backend.api.openapi.responses import Json
from backend.api.schemas.common import Flag, Id, Money, Phone, Pincode

FLAG_IN: Final[list[Json]] = [{"type": "integer", "enum": [0, 1]}, {"type": "boolean"}]


def _money_in(field: Money) -> list[Json]:
    return [
        {"type": "string", "pattern": r"^\d{1,8}(\.\d{1,2})?$"},
        {"type": "number", "exclusiveMinimum": 0, "maximum": int(field.max)},
    ]


class Converter(OpenAPIConverter):
    """Describes a field for requests (``incoming``) or responses, as requests allow more forms of a value."""

    def __init__(self, openapi_version: Version | str, schema_name_resolver: "Names", spec: APISpec) -> None:
        super().__init__(openapi_version, schema_name_resolver, spec)
        self.incoming = False
        self.add_attribute_function(_our_fields)  # type: ignore[no-untyped-call]  # apispec says no more
        self.add_attribute_function(_tidy)  # type: ignore[no-untyped-call]  # apispec says no more

    def reference(self, schema: Schema) -> Json:
        """Return a reference to the schema, which is added to the document."""
        reference: Json = self.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]  # apispec says no more
        return reference

    def query_parameters(self, schema: Schema) -> list[Json]:
        """Return the parameters of a query string."""
        parameters: list[Json] = self.schema2parameters(schema, location="query")
        return parameters


class Plugin(MarshmallowPlugin):
    Converter = Converter


def _our_fields(self: Converter, field: fields.Field[object], ret: Json) -> Json:
    if isinstance(field, Id):
        return {"format": "int64"}
    if isinstance(field, Pincode):
        return {"pattern": "^[1-9][0-9]{5}$"}
    if isinstance(field, Phone) and not self.incoming:
        return {"pattern": r"^\+[1-9][0-9]{1,14}$"}
    if self.incoming and isinstance(field, (Money, Flag)):
        for name in ("type", "pattern", "enum"):
            ret.pop(name, None)
        choices = _money_in(field) if isinstance(field, Money) else FLAG_IN
        return {"anyOf": [*choices, {"type": "null"}] if field.allow_none else list(choices)}
    return {}


def _tidy(self: Converter, field: fields.Field[object], ret: Json) -> Json:
    """Write patterns in ECMA-262 syntax, and drop defaults from responses and nulls that the field does not allow."""
    if isinstance(pattern := ret.get("pattern"), str):
        ret["pattern"] = pattern.replace(r"\Z", "$")
    if not self.incoming or (ret.get("default", missing) is None and not field.allow_none):
        ret.pop("default", None)
    if field.allow_none and "enum" in ret and isinstance(ret.get("type"), str):
        ret["type"] = [ret["type"], "null"]
    if not self.incoming:
        ret.pop("writeOnly", None)
    if isinstance(field, fields.List) and "enum" in ret and isinstance(items := ret["items"], dict):
        return {"items": {**items, "enum": ret.pop("enum")}}
    return {}


class Names:
    """Names schemas by their classes.

    The module's name comes first if two classes share a name; ``Input`` comes last on the request side of a schema that
    is used in both directions.
    """

    def __init__(self, *, incoming: Iterable[Schema], outgoing: Iterable[Schema]) -> None:
        requests = {type(nested) for schema in incoming for nested in _with_nested(schema, set())}
        responses = {type(nested) for schema in outgoing for nested in _with_nested(schema, set())}
        names = [cls.__name__ for cls in requests | responses]
        self._shared = {name for name in names if names.count(name) > 1}
        self._both_ways = requests & responses
        self.incoming = False

    def __call__(self, schema: Schema | type[Schema]) -> str:
        cls = schema if isinstance(schema, type) else type(schema)
        module = cls.__module__.rsplit(".", 1)[-1].title().replace("_", "")
        name = f"{module}{cls.__name__}" if cls.__name__ in self._shared else cls.__name__
        if isinstance(schema, Schema):
            name += "Edit" if schema.partial else ""
            name += "Part" if schema.only or schema.exclude else ""
        return f"{name}Input" if self.incoming and cls in self._both_ways else name


def _with_nested(schema: Schema, seen: set[int]) -> Iterator[Schema]:
    if id(schema) in seen:
        return
    seen.add(id(schema))
    yield schema
    for field in schema.fields.values():
        inner: object = field
        while isinstance(inner, (fields.List, fields.Dict)):
            inner = inner.inner if isinstance(inner, fields.List) else inner.value_field
        if isinstance(inner, fields.Nested):
            yield from _with_nested(inner.schema, seen)
