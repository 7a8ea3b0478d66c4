"""URL converters. A malformed id does not match any route, so the response is 404."""

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

MAX_BIGINT = 2**63 - 1


class IdConverter(BaseConverter):
    """A positive bigint in ASCII digits."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > MAX_BIGINT:
            raise ValidationError
        return number


def init_app(app: Flask) -> None:
    app.url_map.converters["id"] = IdConverter
