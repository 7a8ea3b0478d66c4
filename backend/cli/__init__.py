"""Flask commands for operators."""

from flask import Flask

from backend.cli import admins, audit, bootstrap, demo, doctor, lifecycle, openapi, reference


def init_app(app: Flask) -> None:
    app.cli.add_command(admins.command)
    app.cli.add_command(audit.command)
    app.cli.add_command(bootstrap.command)
    app.cli.add_command(demo.command)
    app.cli.add_command(doctor.command)
    app.cli.add_command(lifecycle.command)
    app.cli.add_command(openapi.command)
    app.cli.add_command(reference.command)
