"""Messages through a gateway that an Apprise URL names, for SMS and chat."""

import logging

from backend.core import http_client
from backend.core.config import current_settings
from backend.core.errors import RetryLater
from backend.domain.notifications.channels.message import NotReachable


def send(url: str, *, title: str, body: str, name: str) -> str:
    """Send a message to the recipient that the URL contains. ``name`` is the gateway's, for errors.

    Raises NotReachable, or RetryLater: Apprise reports failure without a reason.
    """
    from apprise import Apprise  # imported here: 3 MB and 60 ms that only processes that send such messages need

    limit = current_settings().outbound_timeout_seconds
    joint = "&" if "?" in url else "?"
    gateway = Apprise.instantiate(f"{url}{joint}cto={min(4, limit)}&rto={limit}&redirect=no", suppress_exceptions=True)
    if gateway is None:
        raise NotReachable(f"The {name} gateway does not support this recipient.")
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines hold numbers and gateways' secrets
    try:
        taken = http_client.within(
            http_client.Deadline(limit), lambda: gateway.notify(body=body, title=title, body_format="text")
        )
    except TimeoutError as error:
        raise RetryLater(f"The {name} gateway did not respond in time.") from error
    if not taken:
        raise RetryLater(f"The {name} gateway did not accept the message.")
    return "accepted by the gateway"
