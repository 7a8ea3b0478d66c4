"""The connection string: who connects, and how long a silent host is waited for."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from backend.core.db.address import address
from backend.core.observability import logging


def test_connections_are_named_after_the_kind_of_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(logging._process, "service", "doorstep-worker")
    found = conninfo_to_dict(address("postgresql://a@db/doorstep", silent_seconds=4))
    assert (found["application_name"], found["tcp_user_timeout"]) == ("doorstep-worker", "4000")


def test_address_keeps_what_the_url_sets() -> None:
    url = "postgresql://a@db/doorstep?application_name=reports&tcp_user_timeout=9000"
    found = conninfo_to_dict(address(url, silent_seconds=4))
    assert (found["application_name"], found["tcp_user_timeout"]) == ("reports", "9000")
