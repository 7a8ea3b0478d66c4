"""Bodies and queries are typed: the TypedDict in a handler's signature agrees with the schema that loads the data."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import UnionType
from typing import (
    Any,
    Final,
    NotRequired,
    Required,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pytest
from marshmallow import Schema, fields, missing
from werkzeug.datastructures import FileStorage

from backend.api.endpoint import ATTRIBUTE, Endpoint
from backend.api.routes import ROUTES
from backend.api.schemas.common import DateTimeField, Money, Quantity, RangeBound, Upload
from backend.api.schemas.market import ClockTime
from backend.api.schemas.scheduling import DayMinute

KINDS: Final[tuple[tuple[type[fields.Field[Any]], set[type]], ...]] = (
    (Upload, {FileStorage}),
    (Money, {Decimal}),
    (Quantity, {Decimal}),
    (DateTimeField, {datetime}),
    (RangeBound, {date, datetime}),
    (ClockTime, {time}),
    (DayMinute, {int}),
    (fields.Date, {date}),
    (fields.Integer, {int}),
    (fields.Decimal, {Decimal}),
    (fields.Float, {float}),
    (fields.Boolean, {bool}),
    (fields.String, {str}),
)


def members(hint: Any) -> set[Any]:
    """Return the types that a hint allows, without NotRequired and type arguments."""
    if get_origin(hint) in (Required, NotRequired):
        return members(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return set().union(*(members(part) for part in get_args(hint)))
    return {get_origin(hint) or hint}


def expected(field: fields.Field[Any]) -> set[Any]:
    """Return the types that a field can load, apart from TypedDicts of nested schemas."""
    kinds: set[Any] = next((types for kind, types in KINDS if isinstance(field, kind)), set())
    if isinstance(field, fields.List):
        kinds = {Sequence if field.load_default == () else list}
    elif isinstance(field, fields.Dict):
        kinds = {dict}
    return kinds | ({type(None)} if field.allow_none or field.load_default is None else set())


def differences(schema: Schema, data: Any) -> Iterator[str]:
    """Yield how a TypedDict differs from the schema, nested ones included."""
    if not is_typeddict(data):
        yield f"{data} is not a TypedDict"
        return
    hints = get_type_hints(data, include_extras=True)
    if set(hints) != set(schema.fields):
        yield f"{data.__name__}: fields differ: {sorted(set(hints) ^ set(schema.fields))}"
        return
    for name, field in schema.fields.items():
        is_optional = not field.required and field.load_default is missing
        if is_optional != (name in data.__optional_keys__):
            yield f"{data.__name__}.{name} must {'' if is_optional else 'not '}be NotRequired"
        types = members(hints[name])
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            yield from differences(field.inner.schema, get_args(hints[name])[0])
        if isinstance(field, fields.Nested):
            nested = next(kind for kind in types if kind is not type(None))
            yield from differences(field.schema, nested)
            types = types - {nested}
        if types != expected(field):
            yield f"{data.__name__}.{name}: {types}, but the schema loads {expected(field)}"


def inputs(handler: Any) -> Iterator[tuple[Schema, Any]]:
    """Yield the schemas of a call's input, each with the type in the handler's signature."""
    spec: Endpoint = getattr(handler, ATTRIBUTE)
    hints = get_type_hints(handler)
    if spec.query is not None:
        yield spec.query, hints["query"]
    if spec.form is not None:  # has the fields of the body, and the file
        yield spec.form, hints["body" if spec.body else "form"]
    elif spec.body is not None:
        yield spec.body, hints["body"]


def handlers() -> Iterator[tuple[str, Any]]:
    """Yield each handler with its name."""
    for _, resource in ROUTES:
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(resource, method):
                yield f"{resource.__name__}.{method}", getattr(resource, method)


@pytest.mark.parametrize("handler", [pytest.param(handler, id=name) for name, handler in handlers()])
def test_input_types_match_their_schemas(handler: Any) -> None:
    assert not [problem for schema, data in inputs(handler) for problem in differences(schema, data)]


class Example(Schema):
    count = fields.Integer(required=True)
    name = fields.String()


class Agrees(TypedDict):
    count: int
    name: NotRequired[str]


class LacksName(TypedDict):
    count: int


class RequiresName(TypedDict):
    count: int
    name: str


class HasOtherType(TypedDict):
    count: str
    name: NotRequired[str]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (dict, "<class 'dict'> is not a TypedDict"),
        (LacksName, "LacksName: fields differ: ['name']"),
        (RequiresName, "RequiresName.name must be NotRequired"),
        (HasOtherType, "HasOtherType.count: {<class 'str'>}, but the schema loads {<class 'int'>}"),
    ],
)
def test_input_type_that_differs_from_schema_is_reported(data: Any, problem: str) -> None:
    assert list(differences(Example(), data)) == [problem]


def test_input_type_that_matches_schema_is_accepted() -> None:
    assert not list(differences(Example(), Agrees))
