"""The preparation of the database at the first start."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.cli import bootstrap
from backend.core.db.session import db
from backend.domain.places import loading
from tests.conftest import ADMIN_PASSWORD
from tests.factories.users import Users


def test_bootstrap_loads_places_without_statement_timeout(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[str, Any] = {}

    def load() -> int:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            limits[name] = db.session.execute(text(f"SHOW {name}")).scalar_one()
        return 0

    monkeypatch.setattr(loading, "load", load)
    bootstrap.run(app)
    assert limits == {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


def test_bootstrap_password_from_settings_needs_no_change(app: Flask, users: Users) -> None:
    made = bootstrap.run(app)
    assert made.admin_password is None
    assert users.sign_in("admin", ADMIN_PASSWORD).get("/customers").status_code == 200


def test_bootstrap_generated_password_must_be_changed(
    app: Flask, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], admin_password=""))
    made = bootstrap.run(app)
    assert made.admin_password
    admin = users.sign_in("admin", made.admin_password)
    assert admin.get("/customers").json["code"] == "password_change_needed"
