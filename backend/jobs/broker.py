"""The transport to the broker: kombu's for Redis, with a closed connection reported as a connection error."""

from kombu.transport import redis
from redis.exceptions import ConnectionError as BrokerConnectionError


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
