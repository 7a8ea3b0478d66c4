"""Mail out: Flask-Mail with a timeout, or files under DATA_DIR/mail when no server is set."""

from flask import Flask

from backend.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the mailer to the application."""
    app.extensions["mail_server"] = settings.mail_server
