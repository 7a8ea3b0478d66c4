"""Flask commands for operators, imported when the first of them is asked for: servers and workers need none."""

from importlib import import_module
from typing import Final

from click import Command, Context
from flask import Flask
from flask.cli import AppGroup

MODULES: Final = ("admins", "audit", "bootstrap", "demo", "doctor", "lifecycle", "openapi", "reference")


class OperatorCommands(AppGroup):
    """The application's commands; `demo` alone would bring Pillow and the whole job system into every process."""

    loaded = False

    def _load(self) -> None:
        if not self.loaded:
            self.loaded = True
            for name in MODULES:
                self.add_command(import_module(f"backend.cli.{name}").command)

    def list_commands(self, ctx: Context) -> list[str]:
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        self._load()
        return super().get_command(ctx, cmd_name)


def init_app(app: Flask) -> None:
    """Register the commands with the application."""
    app.cli = OperatorCommands(app.name)
