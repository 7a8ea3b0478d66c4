"""Parsers for settings: each returns a checked value or raises ValueError with a one-line message. Derived defaults."""

import dataclasses
import ipaddress
import json
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}
RATE = re.compile(r"\d+\s*(per|/)\s*(\d+\s*)?(second|minute|hour|day)s?")
SENTINEL = "sentinel"  # scheme of addresses that name Sentinels instead of a server
HOST_AND_PORT = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?")


class SettingsError(Exception):
    """A setting has an invalid value; the message is a line that names the setting, and one more for each other."""

    def __init__(self, name: str, problem: str, *, more: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__("\n".join(f"{one}: {what}" for one, what in ((name, problem), *more)))
        self.name = name


class Described(NamedTuple):
    """One line of the table of settings."""

    name: str
    default: str
    about: str
    group: str


def text(value: str) -> str:
    return value


def username(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,30}", value):
        raise ValueError("must be 3 to 30 letters, digits, dots, hyphens or underscores")
    return value


def password(value: str) -> str:
    if value and not 8 <= len(value) <= 1024:
        raise ValueError("must have 8 to 1,024 characters")
    return value


def one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {value!r}")
        return value.lower()

    return parse


def some_of(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    def parse(value: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(word.lower() for word in words(value)))
        if not found or not set(found) <= set(allowed):
            raise ValueError(f"must be some of {', '.join(allowed)}, separated by commas, not {value!r}")
        return found

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", value) or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {value!r}")
        return int(value)

    return parse


def switch(value: str) -> bool:
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise ValueError(f"must be on or off, not {value!r}")


def words(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def hosts(value: str) -> tuple[str, ...]:
    for part in words(value):
        if not HOST_AND_PORT.fullmatch(part):
            raise ValueError(f"must list host or host:port separated by commas, not {part!r}")
    return tuple(part.lower() for part in words(value))


def hosts_or_domains(value: str) -> tuple[str, ...]:
    """Return the listed hosts; none if the value is "off"."""
    if value.lower() == "off":
        return ()
    for part in words(value):
        if not HOST_AND_PORT.fullmatch(part.removeprefix(".")):
            raise ValueError(f"must list host, host:port or .domain separated by commas, not {part!r}")
    return tuple(part.lower() for part in words(value))


def host_names(value: str) -> tuple[str, ...]:
    for part in words(value):
        if not re.fullmatch(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", part):
            raise ValueError(f"must list host names without ports separated by commas, not {part!r}")
    return tuple(part.lower() for part in words(value))


def networks(value: str) -> tuple[str, ...]:
    for part in words(value):
        try:
            ipaddress.ip_network(part, strict=False)
        except ValueError:
            raise ValueError(f"must list addresses or networks separated by commas, not {part!r}") from None
    return words(value)


def rate(value: str) -> str:
    if not RATE.fullmatch(value.lower()):
        raise ValueError(f'must be a rate like "100 per hour", not {value!r}')
    return value.lower()


def clock_time(value: str) -> time:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError(f"must be a time of day as HH:MM, not {value!r}")
    return time.fromisoformat(value)


def zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"must be a time zone such as Asia/Kolkata, not {value!r}") from None
    return value


def capitals(length: int, example: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not re.fullmatch(rf"[A-Z]{{{length}}}", value):
            raise ValueError(f"must be {length} capital letters such as {example}, not {value!r}")
        return value

    return parse


def countries(value: str) -> tuple[str, ...]:
    for part in words(value):
        if not re.fullmatch("[A-Z]{2}", part):
            raise ValueError(f"must list countries as two capital letters separated by commas, not {part!r}")
    return words(value)


def web_url(value: str) -> str:
    parts = urlsplit(value) if value else None
    if parts and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("must be an address that starts with http:// or https://")
    return value.rstrip("/")


def host_address(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", value):
        raise ValueError(f"must be an address to listen on such as 127.0.0.1, not {value!r}")
    return value


def database_url(value: str) -> str:
    # Without these, the first host that answers is used, even if it is a standby, which accepts no writes; and a
    # command waits for minutes for a first host that is gone.
    return _several_hosts(value, "target_session_attrs=read-write", "connect_timeout=3")


def replica_url(value: str) -> str:
    # A primary serves where no standby is left. libpq tries the hosts in random order (PostgreSQL 18, 34.1.1.3).
    return _several_hosts(
        value, "target_session_attrs=prefer-standby", "load_balance_hosts=random", "connect_timeout=3"
    )


def _several_hosts(value: str, *wanted: str) -> str:
    """Return the URL, with these options where it names several hosts and does not set them itself."""
    if not value:
        return value
    scheme, _, rest = value.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg"} or not rest:
        raise ValueError("must be a PostgreSQL URL: postgresql://user:password@host:5432/name")
    authority, slash, database = rest.partition("/")
    credentials, at, hosts = authority.rpartition("@")
    for host in hosts.split(","):
        _check_port(f"//{host}")
    url = f"postgresql://{credentials}{at}{hosts}{slash}{database}"
    if "," not in hosts:
        return url
    more = "&".join(option for option in wanted if option.partition("=")[0] + "=" not in database)
    return f"{url}{'' if slash else '/'}{'&' if '?' in database else '?'}{more}" if more else url


def redis_url(value: str) -> str:
    if not value:
        return value
    if value.partition("://")[0] in {SENTINEL, "redis+sentinel", "valkey+sentinel"}:
        return _sentinel_url(value)
    parts = urlsplit(value)
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
    if scheme not in {"redis", "rediss"} or not parts.hostname or not re.fullmatch(r"(/\d{0,4})?", parts.path):
        raise ValueError("must be a Redis or Valkey URL: redis://:password@host:6379/0")
    _check_port(value)
    return urlunsplit((scheme, parts.netloc, parts.path, parts.query, ""))


def _sentinel_url(value: str) -> str:
    # Several hosts in one address: Python's versions disagree about brackets in it, so IPv6 hosts need a name.
    parts = urlsplit(value.replace("[", "%5B").replace("]", "%5D"))
    hosts = parts.netloc.rpartition("@")[2].split(",")
    known = {"sentinel_username", "sentinel_password"}
    if (
        not all(re.fullmatch(HOST_AND_PORT, host) for host in hosts)
        or not re.fullmatch(r"/[A-Za-z0-9._-]+(/\d{0,4})?", parts.path)
        or not parse_qs(parts.query).keys() <= known
    ):
        raise ValueError("must name Sentinels and their service: sentinel://:password@host:26379,host:26379/service/0")
    for host in hosts:
        _check_port(f"//{host}")
    return urlunsplit((SENTINEL, parts.netloc, parts.path, parts.query, ""))


def _check_port(value: str) -> None:
    try:
        _ = urlsplit(value).port
    except ValueError:
        raise ValueError("has a port that is not a number from 1 to 65535") from None


def redis_database(url: str, offset: int) -> str:
    """Return the address of the same server with the database number raised by `offset`."""
    if not url:
        return ""
    parts = urlsplit(url)
    service, _, named = parts.path.rpartition("/") if parts.scheme != SENTINEL else _service(parts.path)
    return urlunsplit(parts._replace(path=f"{service}/{int(named or 0) + offset}"))


def _service(path: str) -> tuple[str, str, str]:
    service, slash, number = path.removeprefix("/").partition("/")
    return f"/{service}", slash, number


def sms_url(value: str) -> str:
    if not value:
        return value
    if "{phone}" not in value:
        raise ValueError("must contain {phone} in place of the recipient's number")
    from apprise import Apprise  # imported here: it is heavy, and most installations send no SMS

    if Apprise.instantiate(value.replace("{phone}", "+919876543210"), suppress_exceptions=True) is None:
        raise ValueError("is not a supported Apprise URL, such as json://127.0.0.1:9000/sms/{phone}")
    return value


def chat_url(value: str) -> str:
    if not value:
        return value
    if "{phone}" not in value and "{chat_id}" not in value:
        raise ValueError("must contain {phone} or {chat_id} in place of the recipient")
    from apprise import Apprise  # imported here for the same reason

    sample = value.replace("{phone}", "+919876543210").replace("{chat_id}", "123456789")
    if Apprise.instantiate(sample, suppress_exceptions=True) is None:
        raise ValueError("is not a supported Apprise URL, such as tgram://BOT_TOKEN/{chat_id}")
    return value


def store_url(value: str) -> str:
    if value and not re.match(r"(file|memory|s3)://", value):
        raise ValueError("must start with file://, s3:// or memory://")
    if value.startswith("s3://") and not urlsplit(value).netloc:
        raise ValueError("must name a bucket: s3://bucket/folder")
    return value


def store_contains(outer: str, inner: str) -> bool:
    """Return whether one store is, or is inside, the folder or bucket of another."""
    (kind, *within), (other_kind, *path) = _store_path(outer), _store_path(inner)
    return kind == other_kind and path[: len(within)] == within


def _store_path(url: str) -> list[str]:
    """Return the kind of store, then its folders from the root down."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return ["file", *Path(os.path.realpath(unquote(parts.path))).parts]
    return [parts.scheme, *(part for part in (parts.netloc + parts.path).split("/") if part)]


def certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"must be a readable PEM file of certificates: {path}: {error.strerror}") from None
    return path


def json_object(value: str) -> str:
    try:
        is_object = isinstance(json.loads(value or "{}"), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ValueError("must be a JSON object")
    return value


def mail_address(value: str) -> str:
    if value and not re.fullmatch(r"(?:[^<>\r\n]*<[^@<>\s]+@[^@<>\s]+>|[^@<>\s]+@[^@<>\s]+)", value):
        raise ValueError(f"must be an email, not {value!r}")
    return value


def contact(value: str) -> str:
    """Return the contact as a URI (RFC 9116); an email becomes a ``mailto:`` URI."""
    if not value or re.fullmatch(r"(https://|mailto:)[^\s]+", value):
        return value
    if re.fullmatch(r"[^@<>\s:/]+@[^@<>\s:/]+", value):
        return f"mailto:{value}"
    raise ValueError("must be an email or the https:// address of a page")


def day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise ValueError(f"must be a date such as 2027-06-30, not {value!r}") from None


def with_secret_files(given: Mapping[str, str], settings: Any) -> Mapping[str, str]:
    """Add secrets that are in files, as containers get them: SECRET_KEY_FILE=/run/secrets/key."""
    found = dict(given)
    for name in (field.name.upper() for field in dataclasses.fields(settings) if field.metadata["secret"]):
        path = found.pop(f"{name}_FILE", "").strip()
        if not path:
            continue
        if given.get(name, "").strip():
            raise SettingsError(f"{name}_FILE", f"cannot be combined with {name}")
        try:
            found[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE", f"cannot be read: {error}") from None
    return found


def read_env_file(content: str, *, name: str = ".env") -> Mapping[str, str]:
    """Parse lines of NAME=value; quotes around a value and `export ` before a name are allowed."""
    found: dict[str, str] = {}
    for number, raw in enumerate(content.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        key, sign, value = line.removeprefix("export ").partition("=")
        if not sign or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key.strip()):
            raise SettingsError(f"{name} line {number}", "must be NAME=value")
        found[key.strip()] = _unquoted(value.strip())
    return found


def env_file(path: Path) -> Mapping[str, str]:
    """Return the settings in a file; none if it does not exist."""
    try:
        return read_env_file(path.read_text(encoding="utf-8"), name=path.name)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"cannot be read: {error}") from None


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.split(r"\s+#", value, maxsplit=1)[0].rstrip()


def parsed(given: Mapping[str, str], fields: Iterable[dataclasses.Field[object]]) -> dict[str, Any]:
    """Return the value of each setting. Raises SettingsError, which names all that are invalid."""
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for field in fields:
        name = field.name.upper()
        raw = given.get(name, "").strip() or field.metadata["default"]
        try:
            values[field.name] = field.metadata["parse"](raw)
        except ValueError as error:
            problems.append((name, str(error)))
    if problems:
        raise SettingsError(*problems[0], more=problems[1:])
    return values


def described(fields: Iterable[dataclasses.Field[object]]) -> Iterator[Described]:
    """Return the lines of the table of settings, in the order of their fields."""
    for field in fields:
        meta = field.metadata
        yield Described(field.name.upper(), meta["default"], meta["about"], meta["group"])


def example(rows: Iterable[Described]) -> str:
    """Return a file of settings that are commented out, with their defaults, by group."""
    lines = ["# All settings of Doorstep with their defaults. Copy to .env and change what you need.", ""]
    group = None
    for row in rows:
        if row.group != group:
            lines += ([] if group is None else [""]) + [f"## {row.group}"]
            group = row.group
        lines += [f"# {row.about}", f"#{row.name}={row.default}"]
    return "\n".join(lines) + "\n"


def fill_in(values: dict[str, Any]) -> None:
    """Fill in defaults that follow from other settings."""
    data_dir = values["data_dir"]
    values["machine_name"] = values["machine_name"] or socket.gethostname()
    # Each takes some 50 MiB of its own, and on two processors a third has none to run on.
    values["worker_concurrency"] = values["worker_concurrency"] or (3 if (os.cpu_count() or 1) > 2 else 2)
    values["public_url"] = values["public_url"] or f"http://127.0.0.1:{values['port']}"
    values["web_url"] = values["web_url"] or f"http://127.0.0.1:{values['port']}"
    if values["events_port"]:
        values["events_url"] = values["events_url"] or f"http://127.0.0.1:{values['events_port']}"
    for offset, name in enumerate(("broker_url", "cache_url", "limits_url")):
        values[name] = values[name] or redis_database(values["redis_url"], offset)
    for name, folder in (("document_store_url", "documents"), ("export_store_url", "exports")):
        values[name] = values[name] or f"file://{data_dir / folder}"
