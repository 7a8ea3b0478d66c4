"""The first start."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.cli import bootstrap
from backend.core.database import db
from backend.domain.places import loading


def test_it_may_take_its_time_over_the_places(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[str, Any] = {}

    def load() -> int:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            limits[name] = db.session.execute(text(f"SHOW {name}")).scalar_one()
        return 0

    monkeypatch.setattr(loading, "load", load)
    bootstrap.run(app)
    assert limits == {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
