"""Settings: each rejected value names its setting, and .env.example is up to date."""

import dataclasses
import os
import re
from datetime import time
from pathlib import Path

import pytest

from backend.core import valkey
from backend.settings import ROOT, Settings, SettingsError, describe, env_example

PRODUCTION = {
    "ENV": "production",
    "SECRET_KEY": "a-random-secret-of-32-bytes-or-more",
    "DATABASE_URL": "postgresql://market@db/market",
    "REDIS_URL": "redis://cache:6379",
    "PUBLIC_URL": "https://market.example/",
    "ADMIN_EMAIL": "asha@market.example",
    "MAIL_SERVER": "smtp.market.example",
}
# fmt: off
CONTRACT = [
    "PORT", "DATA_DIR", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ADMIN_USERNAME", "ADMIN_EMAIL",
    "ADMIN_PASSWORD", "MAIL_SERVER", "MAIL_PORT", "MAIL_USERNAME", "MAIL_PASSWORD", "MAIL_USE_TLS",
    "MAIL_DEFAULT_SENDER", "GCHAT_WEBHOOK_URL", "GCHAT_ALLOWED_HOSTS", "SMS_URL", "MARKET_TIMEZONE",
    "MARKET_CURRENCY", "REMINDER_AT", "PUBLIC_URL", "DOCUMENT_STORE_URL",
]
# fmt: on


def test_env_example_matches_settings() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example(), "regenerate it: make generate"


def test_settings_include_every_documented_name() -> None:
    assert set(CONTRACT) <= {row.name for row in describe()}


def test_settings_without_environment_have_defaults() -> None:
    settings = Settings.from_env({})
    assert (settings.env, settings.port, settings.host) == ("development", 5000, "127.0.0.1")
    assert settings.data_dir == ROOT / "data"
    assert settings.public_url == "http://127.0.0.1:5000"
    assert settings.document_store_url == f"file://{ROOT}/data/documents"
    assert settings.reminder_at == time(18, 0)
    assert settings.gchat_allowed_hosts == ("chat.googleapis.com",)
    assert settings.zone.key == "Asia/Kolkata"
    assert not settings.over_tls


def test_settings_instance_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings.from_env({}).port = 1  # type: ignore[misc]  # the point of the test


def test_settings_repr_hides_secrets() -> None:
    shown = repr(Settings.from_env({**PRODUCTION, "ADMIN_PASSWORD": "not for the log", "MAIL_PASSWORD": "nor this"}))
    assert "not for" not in shown
    assert "nor this" not in shown
    assert PRODUCTION["SECRET_KEY"] not in shown


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "ADMIN_EMAIL", "MAIL_SERVER"]
)
def test_production_without_required_setting_is_rejected(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Settings.from_env({key: value for key, value in PRODUCTION.items() if key != name})


def test_production_with_required_settings_is_accepted() -> None:
    settings = Settings.from_env(PRODUCTION)
    assert settings.is_production
    assert settings.over_tls
    assert settings.public_url == "https://market.example"


@pytest.mark.parametrize(
    ("name", "value", "way_out"),
    [
        ("PUBLIC_URL", "http://market.example", {"INSECURE": "yes"}),
        ("PUBLIC_URL", "http://127.0.0.1:5000", {"INSECURE": "yes"}),
        ("ADMIN_EMAIL", "admin@localhost.localdomain", {"ADMIN_EMAIL": "admin@example.org"}),
        ("ADMIN_EMAIL", "admin@example.com", {"ADMIN_EMAIL": "admin@example.org"}),
        ("MAIL_SERVER", "", {"MAIL_TO_FILES": "yes"}),
        ("SECRET_KEY", "abcdefghi" * 4, {"SECRET_KEY": "abcdefghij" * 4}),
        ("SECRET_KEY", "a" * 40, {"SECRET_KEY": "0123456789" * 4}),
    ],
)
def test_production_with_insecure_value_is_rejected_unless_confirmed(
    name: str, value: str, way_out: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Settings.from_env({**PRODUCTION, name: value})
    assert Settings.from_env({**PRODUCTION, name: value, **way_out}).is_production
    assert not Settings.from_env({**PRODUCTION, "ENV": "development", name: value}).is_production


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "staging"),
        ("PORT", "abc"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "\u0665\u0660\u0660\u0660"),
        ("HOST", "not a host"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY_FALLBACKS", f"{'k' * 32},short"),
        ("PUBLIC_URL", "ftp://market.example"),
        ("DATABASE_URL", "mysql://db/market"),
        ("DATABASE_URL", "postgresql://db:port/market"),
        ("DATABASE_URL", "postgresql://db1:5432,db2:port/market"),
        ("REDIS_URL", "http://cache"),
        ("REDIS_URL", "redis://cache:99999999/0"),
        ("REDIS_URL", "redis://cache/name"),
        ("ADMIN_USERNAME", "two words"),
        ("ADMIN_EMAIL", "nobody"),
        ("ADMIN_PASSWORD", "short"),
        ("MAIL_PORT", "smtp"),
        ("MAIL_USE_TLS", "perhaps"),
        ("MAIL_DEFAULT_SENDER", "a@b\nBcc: c@d"),
        ("GCHAT_WEBHOOK_URL", "chat.googleapis.com"),
        ("GCHAT_ALLOWED_HOSTS", "https://chat.googleapis.com"),
        ("SMS_URL", "json://127.0.0.1:9000/sms"),
        ("SMS_URL", "carrier-pigeon://{phone}"),
        ("MARKET_TIMEZONE", "Asia/Nowhere"),
        ("MARKET_TIMEZONE", "../etc/passwd"),
        ("MARKET_CURRENCY", "rupees"),
        ("MARKET_COUNTRY", "India"),
        ("REMINDER_AT", "6 pm"),
        ("REMINDER_AT", "24:00"),
        ("TRUSTED_PROXIES", "the-proxy"),
        ("SIGNUP_RATE_LIMIT", "many"),
        ("DOCUMENT_STORE_URL", "gopher://x"),
        ("DOCUMENT_STORE_OPTIONS", "[1]"),
        ("JOB_LEASE_SECONDS", "1"),
    ],
)
def test_malformed_setting_is_rejected_in_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("EXPORT_STORE_URL", {"DOCUMENT_STORE_URL": "s3://market", "EXPORT_STORE_URL": "s3://market/exports"}),
        ("EXPORT_STORE_URL", {"DOCUMENT_STORE_URL": "s3://m/files/papers", "EXPORT_STORE_URL": "s3://m/files/"}),
        ("EXPORT_STORE_URL", {"DOCUMENT_STORE_URL": "file:///srv/files", "EXPORT_STORE_URL": "file:///srv/./files/"}),
        ("EXPORT_STORE_URL", {"DOCUMENT_STORE_URL": "file:///a%20b", "EXPORT_STORE_URL": "file:///a b/exports"}),
        ("DOCUMENT_STORE_URL", {"DOCUMENT_STORE_URL": "file:///srv/data", "DATA_DIR": "/srv/data"}),
        ("DOCUMENT_STORE_URL", {"DOCUMENT_STORE_URL": "file:///", "DATA_DIR": "/data", "EXPORT_STORE_URL": "s3://x"}),
        ("EXPORT_STORE_URL", {"EXPORT_STORE_URL": "file:///srv", "DATA_DIR": "/srv/d", "DOCUMENT_STORE_URL": "s3://x"}),
    ],
)  # fmt: skip
def test_stores_within_each_other_are_rejected(name: str, changes: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Settings.from_env(changes)


def test_stores_beside_each_other_are_accepted() -> None:
    for documents, exports in (
        ("s3://market/papers", "s3://market/papers-of-exports"),
        ("s3://market", "s3://other"),
        ("file:///srv/market", "s3://srv/market"),
        ("", ""),
    ):
        Settings.from_env({"DOCUMENT_STORE_URL": documents, "EXPORT_STORE_URL": exports, "DATA_DIR": "/srv/data"})


def test_settings_error_names_all_malformed_settings() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"PORT": "0", "MARKET_TIMEZONE": "Mars", "LOG_LEVEL": "loud"})
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "PORT",
        "MARKET_TIMEZONE",
        "LOG_LEVEL",
    ]


def test_settings_error_does_not_repeat_secret_value() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DATABASE_URL": "mysql://root:hunter2@db/market"})
    assert "hunter2" not in str(caught.value)


def test_redis_url_gives_broker_cache_and_limits_separate_databases() -> None:
    settings = Settings.from_env({"REDIS_URL": "valkey://:pw@cache:6379/3", "LIMITS_URL": "redis://other/0"})
    assert settings.broker_url == "redis://:pw@cache:6379/3"
    assert settings.cache_url == "redis://:pw@cache:6379/4"
    assert settings.limits_url == "redis://other/0"


@pytest.mark.parametrize(("processors", "wanted", "got"), [(1, "", 2), (2, "0", 2), (3, "", 3), (2, "5", 5)])
def test_worker_concurrency_follows_processors_unless_set(
    monkeypatch: pytest.MonkeyPatch, processors: int, wanted: str, got: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert Settings.from_env({"WORKER_CONCURRENCY": wanted}).worker_concurrency == got


def test_sentinel_url_gives_same_service_in_separate_databases() -> None:
    settings = Settings.from_env({"REDIS_URL": "redis+sentinel://:pw@one:26379,two:5,three/market?sentinel_password=x"})
    hosts = "sentinel://:pw@one:26379,two:5,three/market"
    assert settings.broker_url == f"{hosts}/0?sentinel_password=x"
    assert settings.cache_url == f"{hosts}/1?sentinel_password=x"
    address = valkey.SentinelAddress(settings.limits_url)
    assert address.hosts == [("one", 26379), ("two", 5), ("three", 26379)]
    assert (address.service, address.database) == ("market", 2)
    assert (address.account, address.sentinel_account) == ({"password": "pw"}, {"password": "x"})
    assert [valkey.database(url) for url in (settings.cache_url, "redis://a", "redis://a/7")] == [1, 0, 7]


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://one,two",
        "sentinel://one,/market",
        "sentinel://one:x/market",
        "sentinel://[::1]:5,one/market",
        "sentinel://one:70000/market",
        "sentinel://one/market/x",
        "sentinel://one/market?ssl=1",
    ],
)
def test_sentinel_url_without_hosts_or_service_is_rejected(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^REDIS_URL: (must name Sentinels|has a port)"):
        Settings.from_env({"REDIS_URL": url})


def test_deliveries_kept_longer_than_their_notifications_are_rejected() -> None:
    with pytest.raises(SettingsError, match=r"^DELIVERIES_KEEP_DAYS: must not be greater than NOTIFICATIONS_KEEP_DAYS"):
        Settings.from_env({"NOTIFICATIONS_KEEP_DAYS": "30"})


def test_sms_url_with_phone_placeholder_is_accepted() -> None:
    url = "json://127.0.0.1:9000/sms/{phone}"
    assert Settings.from_env({"SMS_URL": url}).sms_url == url


def test_environment_overrides_env_file_and_env_file_overrides_runtime_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "runtime.env").write_text(f"DATABASE_URL=postgresql://own/db\nSECRET_KEY={'r' * 40}\nPORT=1\n")
    (tmp_path / ".env").write_text(f"export DATA_DIR='{tmp_path}'\nPORT=2  # a remark\nMAIL_PORT=26\n")
    monkeypatch.setattr("backend.settings.HOME", tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAIL_PORT", "27")
    settings = Settings.from_env()
    assert (settings.database_url, settings.port, settings.mail_port) == ("postgresql://own/db", 2, 27)
    assert settings.secret_key == "r" * 40


def test_env_file_line_without_setting_is_rejected_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=5000\nwhat is this\n")
    monkeypatch.setattr("backend.settings.HOME", tmp_path)
    with pytest.raises(SettingsError, match=r"^\.env line 2: "):
        Settings.from_env()


def test_owner_database_url_is_used_only_by_owner_commands() -> None:
    given = {"DATABASE_URL": "postgresql://app@db/market", "OWNER_DATABASE_URL": "postgresql://owner@db/market"}
    assert Settings.from_env(given).owner_database_url == ""
    assert Settings.from_env(given).as_owner().database_url == "postgresql://app@db/market"
    assert Settings.with_owner(given).as_owner().database_url == "postgresql://owner@db/market"
    alone = Settings.with_owner({"DATABASE_URL": "postgresql://app@db/market"})
    assert alone.owner_database_url == "postgresql://app@db/market"


def test_owner_database_url_of_runtime_file_is_used_only_for_its_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "runtime.env").write_text("DATABASE_URL=postgresql://app@own/db\n")
    (tmp_path / "run" / "owner.env").write_text("OWNER_DATABASE_URL=postgresql://owner@own/db\n")
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert Settings.with_owner().as_owner().database_url == "postgresql://owner@own/db"
    assert Settings.from_env().owner_database_url == ""
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@elsewhere/db")
    assert Settings.with_owner().as_owner().database_url == "postgresql://app@elsewhere/db"


def test_mail_ca_file_without_certificates_is_rejected(tmp_path: Path) -> None:
    assert Settings.from_env({}).mail_ca_file is None
    (tmp_path / "none.pem").write_text("no certificate")
    for name in ("none.pem", "missing.pem"):
        with pytest.raises(SettingsError, match="MAIL_CA_FILE: must be a readable PEM file"):
            Settings.from_env({"MAIL_CA_FILE": str(tmp_path / name)})


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("postgres://u:p@db:5432/market", "postgresql://u:p@db:5432/market"),
        (
            "postgresql://u:p@a:1,b:2/market",
            "postgresql://u:p@a:1,b:2/market?target_session_attrs=read-write&connect_timeout=3",
        ),
        (
            "postgresql://a,b/m?connect_timeout=9",
            "postgresql://a,b/m?connect_timeout=9&target_session_attrs=read-write",
        ),
        (
            "postgresql://a,b/m?target_session_attrs=any",
            "postgresql://a,b/m?target_session_attrs=any&connect_timeout=3",
        ),
        ("postgresql:///market?host=/run/postgresql", "postgresql:///market?host=/run/postgresql"),
    ],
)
def test_database_url_with_several_hosts_asks_for_the_one_that_accepts_writes(given: str, read: str) -> None:
    assert Settings.from_env({"DATABASE_URL": given}).database_url == read


@pytest.mark.parametrize("url", ["tgram://123456789:abcdefg_hijklmnop/{chat_id}", "json://127.0.0.1:9000/chat/{phone}"])
def test_chat_url_with_placeholder_is_accepted(url: str) -> None:
    assert Settings.from_env({"CHAT_URL": url}).chat_url == url


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("CHAT_URL", "tgram://123456789:abcdefg_hijklmnop/", "must contain {phone} or {chat_id}"),
        ("CHAT_URL", "unknown://host/{chat_id}", "is not a supported Apprise URL"),
        ("PUSH_ALLOWED_HOSTS", "https://fcm.googleapis.com", "must list host, host:port or .domain"),
    ],
)
def test_channel_setting_that_is_malformed_is_named(name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(problem)):
        Settings.from_env({name: value})


def test_push_allowed_hosts_off_allows_none() -> None:
    assert Settings.from_env({"PUSH_ALLOWED_HOSTS": "off"}).push_allowed_hosts == ()
    assert ".push.apple.com" in Settings.from_env({}).push_allowed_hosts


def test_pooled_database_without_owner_is_refused_for_commands() -> None:
    """Migrations behind a pooler would set their limits on sessions of others."""
    given = {"DATABASE_URL": "postgresql://app@127.0.0.1:6432/d", "DATABASE_POOLED": "on"}
    with pytest.raises(SettingsError, match="OWNER_DATABASE_URL"):
        Settings.with_owner(given)
    owner = Settings.with_owner({**given, "OWNER_DATABASE_URL": "postgresql://o@127.0.0.1:5432/d"}).as_owner()
    assert (owner.database_pooled, owner.db_prepare) == (False, True)


def test_secret_in_a_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{'f' * 40}\n")
    assert Settings.from_env({"SECRET_KEY_FILE": str(file)}).secret_key == "f" * 40


def test_secret_in_a_file_and_in_the_environment_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("f" * 40)
    with pytest.raises(SettingsError, match="SECRET_KEY_FILE: cannot be combined with SECRET_KEY"):
        Settings.from_env({"SECRET_KEY_FILE": str(file), "SECRET_KEY": "k" * 40})


def test_secret_in_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^MAIL_PASSWORD_FILE: cannot be read: "):
        Settings.from_env({"MAIL_PASSWORD_FILE": str(tmp_path / "none")})
