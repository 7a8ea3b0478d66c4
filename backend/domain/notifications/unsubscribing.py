"""One click ends reminders or reports: an address signed for one person and one kind, good for ever."""

from typing import Final

from backend.core import signing
from backend.core.config import current
from backend.core.errors import NotFound
from backend.domain.notifications import preferences
from backend.domain.notifications.messages import ENGLISH

PURPOSE: Final = "unsubscribe"
BYTES: Final = 16


def address(account_id: int, kind: str) -> str:
    """The address that a mail's one-click header and its last line name."""
    signature = signing.sign(PURPOSE, _signed(account_id, kind))[:BYTES]
    return f"{current().public_url}/unsubscribe/{account_id}.{kind}.{signature.hex()}"


def read(token: str) -> tuple[int, str]:
    """Whom and what a token is for. Raises NotFound for one that we did not make."""
    account, _, rest = token.partition(".")
    kind, _, signature = rest.partition(".")
    known = kind in ENGLISH and ENGLISH[kind].unsubscribable
    if not (known and account.isascii() and account.isdigit() and len(account) <= 19 and signature.isascii()):
        raise NotFound("This link is not complete. Copy all of it, or change your preferences in the application.")
    if not _is_ours(signature, _signed(int(account), kind)):
        raise NotFound("This link is not complete. Copy all of it, or change your preferences in the application.")
    return int(account), kind


def unsubscribe(token: str) -> str:
    """Send no more of the token's kind to its person; returns the kind. Repeating it changes nothing."""
    account_id, kind = read(token)
    preferences.unsubscribe(account_id, kind)
    return kind


def _signed(account_id: int, kind: str) -> bytes:
    return f"unsubscribe:{account_id}:{kind}".encode()


def _is_ours(signature: str, signed: bytes) -> bool:
    """Return whether we made the link, however long ago: mails are kept for years."""
    try:
        given = bytes.fromhex(signature)
    except ValueError:
        return False
    return len(given) == BYTES and signing.verifies(PURPOSE, signed, given, before_purposes=True)
