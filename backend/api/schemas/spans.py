"""``from`` and ``to`` as every call takes them: days of the market's zone, or moments."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from marshmallow import ValidationError, fields

from backend.api.schemas.common import Moment, check_years
from backend.core.spans import Edge

DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
moment: Final = Moment()


class SpanEdge(fields.Field[Edge]):
    """One end of a span: a day (kept as a date) or a moment. See ``backend.core.spans.between``."""

    def __init__(self, **kwargs: Any) -> None:
        about = {"type": "string", "description": "A day (2026-12-01) or a time with an offset; the end is included."}
        super().__init__(metadata=about, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Edge:
        if not (isinstance(value, str) and DAY.fullmatch(value.strip())):
            at: Edge = moment.deserialize(value)
            return at
        try:
            day = date.fromisoformat(value.strip())
        except ValueError as error:
            raise ValidationError("There is no such day.") from error
        check_years(day)
        return day
