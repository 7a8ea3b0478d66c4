"""Files kept through fsspec: a folder by default, S3 by a setting."""

from flask import Flask

from backend.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the stores to the application."""
    app.extensions["document_store_url"] = settings.document_store_url
