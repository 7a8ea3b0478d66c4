"""How the product connects to PostgreSQL: the address, with limits for a server that vanishes without a word."""

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from backend.core.observability.logging import process_fields

CONNECT_SECONDS = 3  # for each host


def address(url: str, *, silent_seconds: int) -> str:
    """Return a connection string for libpq; what the URL sets itself takes precedence.

    A host that disappears closes no connection. The kernel then waits for a quarter of an hour, unless it is told how
    long sent data may stay unconfirmed (``tcp_user_timeout``) and when to ask an idle host (keepalives).

    Connections are named after the kind of process, such as doorstep-web, and not after the machine too: a pooler sets
    the name of a session again whenever a client with another name uses it.
    """
    limits: dict[str, str | int | None] = {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": silent_seconds * 1000,
        "keepalives": 1,
        "keepalives_idle": silent_seconds,
        "keepalives_interval": max(1, silent_seconds // 3),
        "keepalives_count": 3,
        "application_name": process_fields()["service"],
    }
    return make_conninfo("", **{**limits, **conninfo_to_dict(url)})
