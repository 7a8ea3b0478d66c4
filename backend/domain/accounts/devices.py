"""Devices that signed in before: a signed cookie gives their tries a count of their own.

Strangers who fail on purpose then cannot lock the owner out (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). A stolen cookie gives no access, only as many tries as anyone has.
"""

import base64
import secrets
from datetime import timedelta
from typing import Final

from backend.core import signing
from backend.core.clock import now

PURPOSE: Final = "devices"
LIFE: Final = timedelta(days=180)
MOST_ACCOUNTS: Final = 4  # that sign in on one device, a family's say; the latest are kept
MAX_COOKIE: Final = 2000


def recognised(cookie: str | None, account_id: int) -> str | None:
    """Return the id of the device if this account signed in on it before, else None."""
    for token in _tokens(cookie):
        account, _, rest = token.partition(".")
        if account == str(account_id):
            return _device(token, rest)
    return None


def remember(cookie: str | None, account_id: int) -> str:
    """Return the cookie's next value, after this account signed in on the device. The device keeps its id."""
    device = recognised(cookie, account_id) or secrets.token_urlsafe(12)
    signed = f"{account_id}.{device}.{int(now().timestamp())}"
    others = [token for token in _tokens(cookie) if not token.startswith(f"{account_id}.")]
    return "~".join([f"{signed}.{_signature(signed)}", *others][:MOST_ACCOUNTS])


def _tokens(cookie: str | None) -> list[str]:
    return cookie.split("~") if cookie and len(cookie) <= MAX_COOKIE and cookie.isascii() else []


def _device(token: str, rest: str) -> str | None:
    signed, _, signature = token.rpartition(".")
    try:
        device, since, _ = rest.split(".")
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        age = now().timestamp() - int(since)
    except ValueError:
        return None
    is_ours = len(given) == 32 and signing.verifies(PURPOSE, signed.encode(), given)
    return device if is_ours and age <= LIFE.total_seconds() else None


def _signature(signed: str) -> str:
    return base64.urlsafe_b64encode(signing.sign(PURPOSE, signed.encode())).decode().rstrip("=")
