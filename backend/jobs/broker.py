"""The transport to the broker: kombu's for Redis, with a closed connection reported as a connection error."""

from typing import Final, cast

from kombu.transport import redis
from redis.connection import Connection
from redis.exceptions import ConnectionError as BrokerConnectionError
from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection

from backend.core import valkey

OF_ADDRESS: Final = frozenset({"host", "port", "db", "username", "password"})


class Channel(redis.Channel):
    """A channel that outlives its connection without ending the worker.

    When the broker fails, Celery drops the connection while jobs are still running. kombu then closes a channel that
    has no connection, to return its unacknowledged messages, and Celery acknowledges those jobs' messages on it. Both
    look up the broker's address in the connection. There kombu raises an AttributeError, which nothing handles and
    which ends the worker. A connection error is handled: the worker connects again.
    """

    def _connparams(self, asynchronous: bool = False) -> dict[str, object]:
        if self.connection is None or self.connection.client is None:
            raise BrokerConnectionError("The connection of this channel is closed")
        found: dict[str, object] = super()._connparams(asynchronous)  # type: ignore[no-untyped-call]  # kombu says no more
        return found


class Transport(redis.Transport):
    """kombu's transport with the channel above."""

    Channel = Channel
    brpop_timeout = 5  # seconds; the default of one wakes an idle worker each second


class SentinelChannel(Channel):
    """A channel to the server that leads.

    kombu has one too. It takes the Sentinels from a list of addresses of which its connection also uses one after the
    other, and then takes kombu's own channel for the next.
    """

    connection_class: type[Connection] | None = SentinelManagedConnection
    sentinel_url: str
    from_transport_options = (*redis.Channel.from_transport_options, "sentinel_url")  # type: ignore[assignment]  # kombu's is read as a tuple of that length

    def _get_pool(self, asynchronous: bool = False) -> SentinelConnectionPool:
        params = self._connparams(asynchronous)
        self.keyprefix_fanout = self.keyprefix_fanout.format(db=params["db"])
        options = {name: value for name, value in params.items() if name not in OF_ADDRESS}
        pool = cast("SentinelConnectionPool", valkey.client(self.sentinel_url, **options).connection_pool)
        if asynchronous:
            self._async_sentinel_manager = pool.sentinel_manager
        else:
            self._sentinel_manager = pool.sentinel_manager
        return pool


class SentinelTransport(Transport):
    """kombu's transport with the channel that asks Sentinels."""

    Channel = SentinelChannel
