"""The contact for reporting vulnerabilities (RFC 9116)."""

from datetime import datetime, time, timedelta
from typing import Final

from flask import Response

from backend.api.auth import PROBES
from backend.api.endpoint import Resource, endpoint
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.errors import NotFound
from backend.core.security.authz import Actor

PATH: Final = "/.well-known/security.txt"


class SecurityTxt(Resource):
    @endpoint(summary="Get the security contact (RFC 9116)", who=PROBES, media_type="text/plain", errors=(NotFound,))
    def get(self, _: Actor | None) -> Response:
        """404 if SECURITY_CONTACT is not set or has expired."""
        settings = current_settings()
        if settings.security_contact_expires is None:
            raise NotFound("No security contact is configured.")
        day_after = settings.security_contact_expires + timedelta(days=1)
        expires = datetime.combine(day_after, time(), tzinfo=settings.zone)
        if expires <= now():
            raise NotFound("The security contact has expired.")
        lines = (
            f"Contact: {settings.security_contact}",
            f"Expires: {expires.isoformat()}",
            "Preferred-Languages: en",
            f"Canonical: {settings.public_url}{PATH}",
        )
        response = Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = "no-cache"
        return response
