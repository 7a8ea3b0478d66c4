"""Topics of jobs: the name of each, and the type of its payload, which is stored as a JSON object."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Final, Generic, TypeVar, get_type_hints

from backend.core.errors import PermanentFailure

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Stored = Mapping[str, object]
FIELD_TYPES: Final = (int, str, date)
Payload = TypeVar("Payload", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class RunPayload:
    """Names the run that the job starts or completes."""

    run_id: int


@dataclass(frozen=True, slots=True)
class PartPayload:
    """One part of a run: the rows with ids above ``after``, up to ``until``."""

    run_id: int
    after: int
    until: int


@dataclass(frozen=True, slots=True)
class StoredFilePayload:
    """Names a file in a store."""

    store_key: str


@dataclass(frozen=True, slots=True)
class Topic(Generic[Payload]):
    """A kind of job. The fields of its payload, a dataclass, are of the types in FIELD_TYPES."""

    name: str
    payload: type[Payload]

    def dump(self, payload: Payload) -> dict[str, int | str]:
        """Return the payload as stored."""
        return {name: _plain(getattr(payload, name)) for name in _field_types(self.payload)}

    def load(self, stored: Stored) -> Payload:
        """Return the payload of a stored job. Fields that another version of the application wrote are ignored.

        Raises PermanentFailure if a field is missing or has another type.
        """
        types = _field_types(self.payload)
        try:
            return self.payload(**{name: _rich(kind, stored[name]) for name, kind in types.items()})
        except (KeyError, TypeError, ValueError) as error:
            raise PermanentFailure(f"the payload of topic {self.name} is invalid: {error!r}") from error


def run_id(stored: Stored) -> int | None:
    """Return the run that a job belongs to, if any."""
    found = stored.get("run_id")
    return found if isinstance(found, int) else None


@cache
def _field_types(payload: type["DataclassInstance"]) -> dict[str, type]:
    hints = get_type_hints(payload)
    types = {field.name: hints[field.name] for field in fields(payload)}
    if wrong := [name for name, kind in types.items() if kind not in FIELD_TYPES]:
        raise TypeError(f"{payload.__name__} cannot be stored: {', '.join(wrong)}")
    return types


def _plain(value: int | str | date) -> int | str:
    return value.isoformat() if isinstance(value, date) else value


def _rich(kind: type, value: object) -> object:
    if kind is date and isinstance(value, str):
        return date.fromisoformat(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value
