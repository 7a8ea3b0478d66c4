"""Keys for one purpose each, derived from a secret by HKDF (RFC 5869). It needs the standard library only."""

import hmac
from functools import lru_cache
from typing import Final

SALT: Final = b"doorstep"
KEY_BYTES: Final = 32


@lru_cache(maxsize=128)
def derived(secret: str, purpose: str) -> bytes:
    """Return the key for a purpose."""
    extracted = hmac.digest(SALT, secret.encode(), "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")  # one block of output is enough
