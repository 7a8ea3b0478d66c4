"""The headers of every response that keep browsers from misusing it."""

from typing import Final

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), interest-cohort=()",
}
STRICT_TRANSPORT: Final = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
