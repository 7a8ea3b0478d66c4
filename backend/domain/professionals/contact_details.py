"""Contact details in texts that everyone can read: they are refused, because work is arranged through requests."""

import re
from typing import Final

from backend.core.errors import Invalid

MESSAGE: Final = "Remove phone numbers, email addresses and links. Customers reach you through requests."
# Digits of any script, as people write phone numbers: grouped, in brackets, with a country code. Prices and years have
# fewer.
PHONE: Final = re.compile(r"(?<!\d)\+?(?:[ ().\-/]*\d){10,15}(?!\d)")
EMAIL: Final = re.compile(r"\S@\S+\.\S|\b\S+ ?(?:\(at\)|\[at\]) ?\S+", re.IGNORECASE)
LINK: Final = re.compile(
    r"\b(?:https?|upi|tel|mailto|whatsapp):|\bwww\.|\b[a-z0-9-]{2,}\.(?:com|in|net|org|me|io|app|co|info|biz|link)\b",
    re.IGNORECASE,
)


def are_in(text: str) -> bool:
    """Return whether the text seems to contain a phone number, an email address or a link."""
    return any(pattern.search(text) for pattern in (PHONE, EMAIL, LINK))


def refuse(field: str, text: str) -> None:
    """Raise Invalid ``contact_details``, naming the field, if the text seems to contain any."""
    if are_in(text):
        raise Invalid.field(field, MESSAGE, code="contact_details")
