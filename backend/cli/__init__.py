"""Flask commands: what an operator types."""

from flask import Flask

from backend.cli import bootstrap, lifecycle, openapi


def init_app(app: Flask) -> None:
    app.cli.add_command(bootstrap.command)
    app.cli.add_command(lifecycle.command)
    app.cli.add_command(openapi.command)
