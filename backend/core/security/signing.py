"""Signing keys, one per purpose, derived from SECRET_KEY by HKDF (RFC 5869).

A signature for one purpose is not valid for another. Keys in SECRET_KEY_FALLBACKS verify but do not sign, so that
SECRET_KEY can be changed without signing anyone out.
"""

import hashlib
from functools import lru_cache

from itsdangerous import Signer

from backend.core.config import current_settings
from backend.core.security import key_derivation
from backend.settings import Settings


def key(purpose: str, settings: Settings | None = None) -> bytes:
    """Return the current signing key for this purpose."""
    return key_derivation.derived((settings or current_settings()).secret_key, purpose)


def keys(purpose: str, settings: Settings | None = None) -> list[bytes]:
    """Return the keys that verify signatures for this purpose, the current one first."""
    settings = settings or current_settings()
    return [key_derivation.derived(secret, purpose) for secret in (settings.secret_key, *settings.secret_key_fallbacks)]


def key_id(key: bytes) -> str:
    """Return an identifier for a token's ``kid`` that reveals nothing about the key."""
    return hashlib.sha256(b"kid:" + key).hexdigest()[:12]


def signer(purpose: str) -> Signer:
    """Return the signer for this purpose: it signs with the current key and verifies with every key."""
    settings = current_settings()
    return _signer(purpose, settings.secret_key, settings.secret_key_fallbacks)


@lru_cache(maxsize=128)
def _signer(purpose: str, secret: str, fallbacks: tuple[str, ...]) -> Signer:
    derived = [
        key_derivation.derived(one, purpose) for one in (*reversed(fallbacks), secret)
    ]  # itsdangerous signs with the last
    return Signer(derived, key_derivation="none", digest_method=hashlib.sha256)
