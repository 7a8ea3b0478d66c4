"""Every setting of Doorstep, typed and checked: the only reader of the environment and of `.env`."""

import dataclasses
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

from backend import settings_values as v
from backend.settings_values import Described, SettingsError

__all__ = ["VERSION", "Settings", "SettingsError", "describe", "env_example", "opentelemetry_variables"]

RUNTIME_FILE = "run/runtime.env"
OWNER_FILE = "run/owner.env"
SECRET_KEY_BYTES = 32
SECRET_KEY_CHARACTERS = 10
SAMPLE_ADMIN_EMAIL = "admin@localhost.localdomain"
FORMER_SAMPLE_ADMIN_EMAIL = "admin@example.com"
ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("DOORSTEP_HOME") or ROOT)  # has `.env`; not ROOT where a copy of the sources runs
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def _folder(text: str) -> Path:
    """Relative to the project's folder, wherever a command is called from."""
    return (HOME / Path(text).expanduser()).absolute()


def _certificates(text: str) -> Path | None:
    return v.certificates(_folder(text)) if text else None


def _in(group: str) -> Any:
    """A maker of fields that belong to one group of `.env.example`."""

    def setting(parse: Any, default: str, about: str, *, secret: bool = False) -> Any:
        metadata = {"parse": parse, "default": default, "about": about, "group": group, "secret": secret}
        return dataclasses.field(default=parse(default), repr=not secret, metadata=metadata)

    return setting


_start, _web, _store = _in("Start"), _in("Web server"), _in("Database, cache and queue")
_first, _mail, _channels, _market = _in("First admin"), _in("Mail"), _in("Google Chat and SMS"), _in("Market")
_access, _limits, _files, _jobs = _in("Access"), _in("Limits"), _in("Documents and exports"), _in("Jobs")
_retention, _logs = _in("Retention"), _in("Logs and metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings; each attribute is the lower-case name of an environment variable. Durations carry their unit."""

    env: str = _start(v.one_of("production", "development", "test"), "development", "production, development or test")
    data_dir: Path = _start(_folder, "data", "Folder for files: documents, exports, emails, the embedded database")
    machine_name: str = _start(
        v.text, "", "Name of this machine in the list of processes, one for each machine; default: its host name"
    )
    secret_key: str = _start(
        v.text,
        "",
        "Key that signs tokens, 32 bytes or more. make run generates one; required in production",
        secret=True,
    )
    secret_key_fallbacks: tuple[str, ...] = _start(
        v.words, "", "Previous SECRET_KEYs, comma-separated: signatures made with them stay valid", secret=True
    )
    public_url: str = _start(
        v.web_url, "", "Public address of the product; default http://127.0.0.1:PORT, required in production"
    )
    insecure: bool = _start(
        v.switch, "off", "Allow production without TLS. For trials only: cookies can be intercepted"
    )

    host: str = _web(v.host_address, "127.0.0.1", "Address to listen on")
    port: int = _web(v.whole(1, 65535), "5000", "Port to listen on")
    web_workers: int = _web(v.whole(1, 256), "2", "Web server processes")
    web_threads: int = _web(
        v.whole(1, 256), "24", "Threads per web server process; up to two thirds may wait for password checks"
    )
    trusted_proxies: tuple[str, ...] = _web(
        v.networks, "", "Addresses or networks of proxies whose X-Forwarded-For is trusted, comma-separated"
    )
    allowed_hosts: tuple[str, ...] = _web(
        v.host_names, "", "Host names to accept besides PUBLIC_URL's and loopback; .example.org: all subdomains"
    )
    events_host: str = _web(v.host_address, "127.0.0.1", "Address on which the process of live updates listens")
    events_port: int = _web(v.whole(0, 65535), "0", "Its port; 0: make run picks a free one, others run without it")
    events_url: str = _web(
        v.web_url,
        "",
        "Where web servers reach that process; default http://127.0.0.1:EVENTS_PORT; set: make run starts none",
    )
    events_streams: int = _web(v.whole(1, 1000000), "10000", "Streams of live updates that the process holds at most")
    events_streams_per_account: int = _web(v.whole(1, 10000), "10", "Streams of one account")
    events_relayed: int = _web(
        v.whole(0, 1000),
        "32",
        "Streams that each web server process passes on where no proxy sends /events to that process; 0: none",
    )
    web_url: str = _web(
        v.web_url, "", "Where that process reaches a web server, to check tokens; default http://127.0.0.1:PORT"
    )
    max_body_bytes: int = _web(v.whole(1024, 1 << 30), "6291456", "Largest request body; documents are 5 MiB at most")
    drain_seconds: int = _web(
        v.whole(0, 600), "0", "How long /readyz reports a shutdown before it starts, so that load balancers notice"
    )
    shutdown_seconds: int = _web(
        v.whole(1, 600), "20", "How long running requests and jobs may take to finish at shutdown"
    )

    database_url: str = _store(
        v.database_url,
        "",
        "postgresql://user:password@host/name, or host1,host2 with standbys; empty: make run starts a PostgreSQL",
        secret=True,
    )
    database_replica_url: str = _store(
        v.replica_url,
        "",
        "A replica, or several, for lists, dashboard, reports and exports, at most 5 seconds behind; empty: none",
        secret=True,
    )
    owner_database_url: str = _store(
        v.database_url,
        "",
        "The same database as the owner of its tables, for migrations, backup and doctor only; default DATABASE_URL",
        secret=True,
    )
    database_pooled: bool = _store(v.switch, "off", "DATABASE_URL leads to PgBouncer, OWNER_DATABASE_URL past it")
    db_prepare: bool = _store(
        v.switch, "on", "Use prepared statements; off for PgBouncer before 1.21 or with max_prepared_statements=0"
    )
    prepare_wait_seconds: int = _store(
        v.whole(0, 86400), "900", "How long prepare waits while another machine prepares the same database"
    )
    redis_url: str = _store(
        v.redis_url, "", "redis://host:6379/0 or sentinel://host,host/service/0; empty: a bundled Valkey", secret=True
    )
    broker_url: str = _store(v.redis_url, "", "Message broker; default: the database of REDIS_URL", secret=True)
    cache_url: str = _store(v.redis_url, "", "Cache; default: the database of REDIS_URL + 1", secret=True)
    limits_url: str = _store(v.redis_url, "", "Rate limits; default: the database of REDIS_URL + 2", secret=True)
    db_pool_size: int = _store(v.whole(1, 200), "16", "Database connections per web server process for transactions")
    db_read_pool_size: int = _store(
        v.whole(1, 200), "12", "Additional database connections per web server process for reads"
    )
    db_pool_timeout_seconds: int = _store(v.whole(1, 60), "3", "Longest wait for a free connection before a 503")
    db_statement_timeout_ms: int = _store(v.whole(100, 600000), "8000", "Longest statement of a request")
    db_lock_timeout_ms: int = _store(v.whole(100, 600000), "5000", "Maximum wait for a lock")
    db_idle_transaction_timeout_ms: int = _store(
        v.whole(100, 600000), "15000", "Idle transactions are terminated after this"
    )
    db_silent_seconds: int = _store(
        v.whole(1, 600), "4", "A database host without a response for so long is checked, and disconnected if silent"
    )
    cache_timeout_ms: int = _store(
        v.whole(10, 10000), "200", "Longest wait for the cache before the request continues without it"
    )
    cache_seconds: int = _store(v.whole(0, 86400), "60", "How long a cached response is kept")

    admin_username: str = _first(v.username, "admin", "Admin created at the first start")
    admin_email: str = _first(v.mail_address, SAMPLE_ADMIN_EMAIL, "Email of that admin; required in production")
    admin_password: str = _first(
        v.password,
        "",
        "Empty: a password is printed once, valid for 72 hours; it must be changed at the first sign-in",
        secret=True,
    )

    mail_server: str = _mail(v.text, "", "SMTP host; empty: emails are written as .eml files under DATA_DIR/mail")
    mail_to_files: bool = _mail(v.switch, "off", "Allow production without MAIL_SERVER; files are deleted after a week")
    mail_port: int = _mail(v.whole(1, 65535), "25", "SMTP port")
    mail_username: str = _mail(v.text, "", "SMTP username")
    mail_password: str = _mail(v.text, "", "SMTP password", secret=True)
    mail_use_tls: bool = _mail(v.switch, "off", "Use STARTTLS")
    mail_use_ssl: bool = _mail(v.switch, "off", "Implicit TLS")
    mail_ca_file: Path | None = _mail(
        _certificates,
        "",
        "PEM file of the certificate authorities for the mail server; empty: those of the system",
    )
    mail_default_sender: str = _mail(v.mail_address, "Doorstep <noreply@localhost.localdomain>", "Sender of all emails")
    mail_timeout_seconds: int = _mail(v.whole(1, 120), "10", "Timeout for the mail server")

    gchat_webhook_url: str = _channels(
        v.web_url, "", "Default webhook, for accounts without one of their own", secret=True
    )
    gchat_allowed_hosts: tuple[str, ...] = _channels(
        v.hosts,
        "chat.googleapis.com",
        "Allowed webhook hosts (host or host:port), comma-separated; http only for listed loopback addresses",
    )
    push_allowed_hosts: tuple[str, ...] = _channels(
        v.hosts_or_domains,
        "fcm.googleapis.com, updates.push.services.mozilla.com, .push.apple.com, .notify.windows.com",
        "Push servers of browsers (host, host:port or .domain for all its subdomains), comma-separated; off: no push",
    )
    sms_url: str = _channels(v.sms_url, "", "Apprise URL with {phone} in place of the recipient's number", secret=True)
    sms_countries: tuple[str, ...] = _channels(
        v.countries,
        "",
        "Countries whose mobile numbers can receive SMS (ISO 3166, comma-separated); default MARKET_COUNTRY",
    )
    sms_per_person_a_day: int = _channels(
        v.whole(0, 10000), "10", "SMS per day to one account or number, codes excluded"
    )
    sms_a_day: int = _channels(v.whole(0, 10000000), "1000", "SMS per day in total, codes included")
    chat_url: str = _channels(
        v.chat_url,
        "",
        "Apprise URL of a chat app (WhatsApp, Signal, Telegram, ntfy) with {phone} or {chat_id} for the recipient",
        secret=True,
    )
    outbound_timeout_seconds: int = _channels(
        v.whole(1, 120), "10", "Timeout for webhooks, push servers, SMS and chat gateways"
    )

    market_name: str = _market(v.text, "Doorstep", "Name shown in the application and in emails")
    market_timezone: str = _market(v.zone, "Asia/Kolkata", "Time zone for display and for day boundaries")
    market_currency: str = _market(v.capitals(3, "INR"), "INR", "ISO 4217 code of all prices")
    market_country: str = _market(v.capitals(2, "IN"), "IN", "ISO 3166 code, for phone numbers without a country code")
    reminder_at: time = _market(v.clock_time, "18:00", "Time of the daily reminders, in MARKET_TIMEZONE")

    security_contact: str = _access(
        v.contact, "", "Where to report a vulnerability: email or https:// page, for /.well-known/security.txt"
    )
    security_contact_expires: date | None = _access(
        v.day, "", "Last day of that contact, such as 2027-06-30; required with it, less than a year ahead"
    )
    access_token_minutes: int = _access(v.whole(1, 1440), "15", "Lifetime of an access token")
    refresh_token_days: int = _access(v.whole(1, 365), "30", "Lifetime of an unused session")
    session_max_days: int = _access(v.whole(1, 3650), "90", "Absolute lifetime of a session")
    reset_token_minutes: int = _access(v.whole(5, 1440), "60", "Lifetime of an emailed password reset link")
    email_confirmation: bool = _access(
        v.switch, "off", "Until an email is confirmed, send nothing to it but the confirmation"
    )
    argon2_memory_kib: int = _access(v.whole(8, 4194304), "19456", "Argon2id memory")
    argon2_time_cost: int = _access(v.whole(1, 100), "2", "Argon2id iterations")
    argon2_parallelism: int = _access(v.whole(1, 64), "1", "Argon2id parallelism")
    hashes_at_once: int = _access(v.whole(1, 64), "1", "Concurrent password hashes per process")

    login_window_minutes: int = _limits(v.whole(1, 1440), "15", "Period over which failed sign-ins are counted")
    login_failures_per_account_and_address: int = _limits(v.whole(1, 100000), "10", "Failed sign-ins before a 429")
    login_failures_per_account: int = _limits(
        v.whole(1, 100000), "50", "Failed sign-ins per account from all addresses before a 429"
    )
    login_failures_per_address: int = _limits(
        v.whole(1, 100000), "100", "Failed sign-ins per address for all accounts before a 429"
    )
    signup_rate_limit: str = _limits(v.rate, "2000 per hour", "Sign-ups per address")
    forgot_rate_limit: str = _limits(v.rate, "60 per hour", "Password reset emails requested from one address")
    email_change_rate_limit: str = _limits(v.rate, "5 per hour", "Email changes per account")
    email_taken_rate_limit: str = _limits(
        v.rate, "20 per hour", "Different emails that sign-ups from one address may find taken"
    )
    request_rate_limit: str = _limits(v.rate, "2000 per hour", "Requests created per account")
    document_rate_limit: str = _limits(v.rate, "20 per hour", "Document uploads per account")
    photo_rate_limit: str = _limits(v.rate, "120 per hour", "Photos of requests uploaded per account")
    profile_rate_limit: str = _limits(
        v.rate, "20000 per hour", "Public profiles, their reviews and photos read from one address, beyond cached ones"
    )
    times_rate_limit: str = _limits(
        v.rate, "1200 per hour", "Lookups of available times by one account, or by visitors from one address"
    )
    visit_rate_limit: str = _limits(v.rate, "3600 per hour", "Shared visits read from one address")
    visit_reported_hours: int = _limits(
        v.whole(1, 168), "12", "How many hours later a client that was offline may report a step of a visit"
    )
    offer_longest_days: int = _limits(v.whole(1, 365), "30", "How many days an offer of a price is valid at most")
    message_rate_limit: str = _limits(v.rate, "600 per hour", "Messages written by one account in all conversations")
    conversation_rate_limit: str = _limits(v.rate, "30 per minute", "Messages written by one account about one request")
    message_digest_minutes: int = _limits(
        v.whole(0, 1440), "15", "Messages unread for this long are announced by one notification; 0: never"
    )
    open_requests_per_customer: int = _limits(
        v.whole(0, 1000000), "500", "Open requests (requested or accepted) per customer; 0: no limit"
    )
    new_account_requests_an_hour: int = _limits(
        v.whole(0, 1000000), "0", "Requests per hour from an account younger than a day; 0: no separate limit"
    )
    request_messages_an_hour: int = _limits(
        v.whole(0, 1000000),
        "60",
        "Messages per hour to one professional about new requests; the rest come as one digest; 0: no limit",
    )
    idempotency_keep_hours: int = _limits(v.whole(1, 720), "24", "How long the response to an Idempotency-Key is kept")

    document_store_url: str = _files(v.store_url, "", "file:///dir or s3://bucket/dir; default DATA_DIR/documents")
    document_store_options: str = _files(
        v.json_object, "", "fsspec options of the storage, as a JSON object", secret=True
    )
    files_kept_after_replacement: int = _files(
        v.whole(1, 365), "2", "Days to keep files of replaced documents and files that nothing refers to"
    )
    photo_keep_days: int = _files(
        v.whole(1, 36500), "180", "Days to keep the photos of a request after its end; its history keeps their digests"
    )
    export_store_url: str = _files(v.store_url, "", "file:///dir or s3://bucket/dir; default DATA_DIR/exports")
    export_keep_days: int = _files(v.whole(1, 365), "7", "How long an export can be downloaded")
    export_gzip_above_mb: int = _files(
        v.whole(0, 100000), "10", "Exports above this size are sent compressed to clients that accept gzip; 0: never"
    )

    worker_concurrency: int = _jobs(
        v.whole(0, 256),
        "0",
        "Worker processes; all but one may run bulk jobs and exports; 0: 3, or 2 on up to two processors",
    )
    worker_queues: tuple[str, ...] = _jobs(
        v.some_of("urgent", "bulk", "exports"), "urgent,bulk,exports", "Jobs that this worker runs, separated by commas"
    )
    job_soft_limit_seconds: int = _jobs(v.whole(1, 86400), "240", "A job is asked to stop after this")
    job_hard_limit_seconds: int = _jobs(v.whole(1, 86400), "270", "A job is killed after this")
    job_lease_seconds: int = _jobs(
        v.whole(2, 86400),
        "20",
        "A job whose lease is not renewed for this long is free to be claimed again",
    )
    job_visibility_seconds: int = _jobs(
        v.whole(1, 86400), "600", "The queue redelivers an unacknowledged message after this"
    )
    job_max_attempts: int = _jobs(v.whole(1, 100), "8", "Attempts before a job is marked as failed permanently")
    crash_at: str = _jobs(
        v.text, "", "For tests only: failpoints at which a process is killed, each once, comma-separated"
    )
    job_sweep_seconds: int = _jobs(
        v.whole(1, 3600), "5", "How often to look for jobs that are due again or that the queue lost, 5 at most"
    )

    notifications_keep_days: int = _retention(v.whole(1, 36500), "400", "Days to keep notifications")
    deliveries_keep_days: int = _retention(
        v.whole(1, 36500), "400", "Days to keep the delivery log; at most NOTIFICATIONS_KEEP_DAYS"
    )
    reports_keep_months: int = _retention(v.whole(1, 1200), "24", "Months to keep monthly reports after they were sent")
    sessions_keep_days: int = _retention(v.whole(1, 3650), "30", "Days to keep sessions after their end")
    jobs_keep_days: int = _retention(v.whole(1, 3650), "3", "Days to keep done jobs")

    log_level: str = _logs(v.one_of("debug", "info", "warning", "error"), "info", "debug, info, warning or error")
    log_format: str = _logs(v.one_of("text", "json"), "text", "text (for reading) or json (for log collectors)")
    access_log: bool = _logs(v.switch, "off", "Log each call of the web server as a line of JSON")
    metrics_from: tuple[str, ...] = _logs(
        v.networks,
        "127.0.0.0/8,::1",
        "Addresses or networks that may read /metrics, comma-separated; calls that came through a proxy may never",
    )
    metrics_port: int = _logs(
        v.whole(0, 65535), "0", "Port on which worker, beat and live updates serve /metrics too; 0: they do not"
    )
    metrics_open: bool = _logs(v.switch, "off", "Deprecated: the same as METRICS_FROM=0.0.0.0/0,::/0")

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.market_timezone)

    @property
    def over_tls(self) -> bool:
        """Return whether the public address uses TLS; cookies are then marked as secure."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the given mapping, or the environment, then `.env`, then what `make run` recorded for its own servers.

        The owner's address is left out: web server, worker and beat do not need it.
        """
        return dataclasses.replace(
            cls._read(_process_environment() if environ is None else environ),
            owner_database_url="",
        )

    @classmethod
    def with_owner(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings with the owner's address, for commands that change tables; default DATABASE_URL."""
        settings = cls._read(_process_environment(owner=True) if environ is None else environ)
        if settings.database_pooled and not settings.owner_database_url:
            raise SettingsError("OWNER_DATABASE_URL", "must lead to PostgreSQL itself when DATABASE_POOLED is on")
        return dataclasses.replace(settings, owner_database_url=settings.owner_database_url or settings.database_url)

    def as_owner(self) -> Self:
        """Return the same settings, connecting to the database as the owner of its tables, past a pooler."""
        owner = self.owner_database_url or self.database_url
        return dataclasses.replace(self, database_url=owner, database_pooled=False, db_prepare=True)

    @classmethod
    def _read(cls, given: Mapping[str, str]) -> Self:
        values = v.parsed(v.with_secret_files(given, cls), dataclasses.fields(cls))
        has_address = bool(values["public_url"])
        v.fill_in(values)
        settings = cls(**values)
        _check_together(settings)
        if settings.is_production:
            _check_production(settings, has_address=has_address)
        return settings


def opentelemetry_variables() -> Mapping[str, str]:
    """Return OpenTelemetry's own variables, in the environment or `.env`; its SDK checks them."""
    given = {**v.env_file(HOME / ".env"), **os.environ}
    return {name: value for name, value in given.items() if name.startswith("OTEL_")}


def _process_environment(*, owner: bool = False) -> Mapping[str, str]:
    merged = v.with_secret_files({**v.env_file(HOME / ".env"), **os.environ}, Settings)
    data_dir = _folder(merged.get("DATA_DIR") or "data")
    noted = v.env_file(data_dir / RUNTIME_FILE)
    if owner and not merged.get("DATABASE_URL"):  # the recorded owner belongs to another database
        noted = {**noted, **v.env_file(data_dir / OWNER_FILE)}
    return {**noted, **merged}


def _check_together(settings: Settings) -> None:
    if settings.secret_key and len(settings.secret_key.encode()) < SECRET_KEY_BYTES:
        raise SettingsError("SECRET_KEY", f"must have at least {SECRET_KEY_BYTES} bytes")
    if any(len(secret.encode()) < SECRET_KEY_BYTES for secret in settings.secret_key_fallbacks):
        raise SettingsError("SECRET_KEY_FALLBACKS", f"must each have at least {SECRET_KEY_BYTES} bytes")
    _check_stores(settings)
    _check_pairs(settings)
    order = ("job_soft_limit_seconds", "job_hard_limit_seconds", "job_visibility_seconds")
    for lower, higher in pairwise(order):
        if getattr(settings, lower) >= getattr(settings, higher):
            raise SettingsError(higher.upper(), f"must be greater than {lower.upper()}")
    if settings.deliveries_keep_days > settings.notifications_keep_days:  # a delivery keeps its notification
        raise SettingsError("DELIVERIES_KEEP_DAYS", "must not be greater than NOTIFICATIONS_KEEP_DAYS")
    if settings.crash_at and settings.env != "test":
        raise SettingsError("CRASH_AT", "can be used only in tests (ENV=test)")


def _check_stores(settings: Settings) -> None:
    """Stores lie apart from each other and from our other data: what one store sweeps must be its own."""
    for name in ("document_store_url", "export_store_url"):
        if v.store_contains(getattr(settings, name), f"file://{quote(str(settings.data_dir))}"):
            raise SettingsError(name.upper(), "must not contain DATA_DIR; use a separate folder")
    documents, exports = settings.document_store_url, settings.export_store_url
    if v.store_contains(documents, exports) or v.store_contains(exports, documents):
        raise SettingsError("EXPORT_STORE_URL", "must not be inside DOCUMENT_STORE_URL, or contain it")


def _check_production(settings: Settings, *, has_address: bool) -> None:
    """Refuse what is harmless on a laptop and a hole, or of no use, where people rely on it."""
    needed = {name: getattr(settings, name) for name in ("secret_key", "database_url", "redis_url")}
    for name, value in {**needed, "public_url": has_address}.items():
        if not value:
            raise SettingsError(name.upper(), "is required in production")
    if len(set(settings.secret_key)) < SECRET_KEY_CHARACTERS:
        problem = f"has fewer than {SECRET_KEY_CHARACTERS} different characters; generate a random key"
        raise SettingsError("SECRET_KEY", problem)
    if not settings.over_tls and not settings.insecure:
        raise SettingsError(
            "PUBLIC_URL", "must start with https:// in production (set INSECURE=yes for a trial without TLS)"
        )
    if settings.admin_email in (SAMPLE_ADMIN_EMAIL, FORMER_SAMPLE_ADMIN_EMAIL):
        raise SettingsError("ADMIN_EMAIL", "must be your own address in production, not the example")
    if not settings.mail_server and not settings.mail_to_files:
        raise SettingsError(
            "MAIL_SERVER", "is required in production (set MAIL_TO_FILES=yes to save emails as files instead)"
        )


def _check_pairs(settings: Settings) -> None:
    if settings.mail_use_tls and settings.mail_use_ssl:
        raise SettingsError("MAIL_USE_SSL", "cannot be combined with MAIL_USE_TLS")
    if bool(settings.security_contact) != bool(settings.security_contact_expires):
        raise SettingsError("SECURITY_CONTACT_EXPIRES", "must be set together with SECURITY_CONTACT")


def describe() -> Iterator[Described]:
    """All settings with their defaults, in order."""
    return v.described(dataclasses.fields(Settings))


def env_example() -> str:
    """The content of `.env.example`: every setting, commented out, with its default."""
    return v.example(describe())


if __name__ == "__main__":
    sys.stdout.write(env_example())
