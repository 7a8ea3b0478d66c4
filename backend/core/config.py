"""Access to the settings of the running application."""

from typing import cast

from flask import current_app

from backend.settings import Settings


def current_settings() -> Settings:
    """Return the settings of the application. Requires an application context."""
    return cast("Settings", current_app.extensions["settings"])
