"""Keys for signing: one for each purpose, all derived from SECRET_KEY by HKDF (RFC 5869).

What is signed for one purpose cannot pass for another. Keys in SECRET_KEY_FALLBACKS sign nothing more, but what they
signed stays valid, so that SECRET_KEY can be changed without signing anyone out.
"""

import hashlib
import hmac
from functools import lru_cache
from typing import Final

from backend.core.config import current_settings
from backend.settings import Settings

SALT: Final = b"doorstep"
KEY_BYTES: Final = 32


def key(purpose: str, settings: Settings | None = None) -> bytes:
    """Return the key that signs for this purpose now."""
    return _derived((settings or current_settings()).secret_key, purpose)


def keys(purpose: str, settings: Settings | None = None) -> list[bytes]:
    """Return the keys that verify for this purpose, the one in use first."""
    settings = settings or current_settings()
    return [_derived(secret, purpose) for secret in (settings.secret_key, *settings.secret_key_fallbacks)]


def key_id(key: bytes) -> str:
    """Return a name for a key that tells nothing about it, for a token's ``kid``."""
    return hashlib.sha256(b"kid:" + key).hexdigest()[:12]


def sign(purpose: str, message: bytes) -> bytes:
    """Return the HMAC-SHA256 of a message under the purpose's key."""
    return hmac.digest(key(purpose), message, "sha256")


def verifies(purpose: str, message: bytes, signature: bytes, *, before_purposes: bool = False) -> bool:
    """Return whether a signature, which may be cut to a shorter one, is of this message.

    Args:
        before_purposes: Also accept what was signed by SECRET_KEY itself, as all was before keys had purposes.
    """
    candidates = keys(purpose)
    if before_purposes:
        settings = current_settings()
        candidates += [secret.encode() for secret in (settings.secret_key, *settings.secret_key_fallbacks)]
    expected = [hmac.digest(candidate, message, "sha256")[: len(signature)] for candidate in candidates]
    return len(signature) > 0 and any(hmac.compare_digest(signature, one) for one in expected)


@lru_cache(maxsize=128)
def _derived(secret: str, purpose: str) -> bytes:
    extracted = hmac.digest(SALT, secret.encode(), "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")  # one block of the expansion is enough
