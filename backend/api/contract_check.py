"""Holds an answer's rows against the declared response schema (used while testing)."""

from typing import Any

import orjson
from marshmallow import Schema

from backend.api.wire import to_json


def differences(schema: Schema | None, row: Any) -> list[str]:
    """What the answer has beside, without, or other than the schema says; empty when they agree."""
    if schema is None:
        return []
    wire = orjson.loads(to_json(row))
    if not isinstance(wire, dict):
        return [f"an object was declared, {type(wire).__name__} was sent"]
    declared = {field.data_key or name: field for name, field in schema.fields.items() if not field.load_only}
    problems = [f"{name} is not declared" for name in wire if name not in declared]
    problems += [f"{name} is missing" for name, field in declared.items() if name not in wire and field.required]
    problems += [f"{k}: {v}" for k, v in schema.validate(wire).items()] if not problems else []
    return problems
