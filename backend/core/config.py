"""The settings of the running application, for code that knows no Flask request."""

from typing import cast

from flask import current_app

from backend.settings import Settings


def current_settings() -> Settings:
    """The frozen settings that the application was made with. Needs an application context."""
    return cast("Settings", current_app.extensions["settings"])
