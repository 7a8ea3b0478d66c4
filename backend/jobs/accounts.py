"""Sends password reset links."""

from backend.core.queue import Lease
from backend.domain.accounts import sign_in
from backend.jobs.registry import job


@job(sign_in.RESET_TOPIC)
def mail_reset_link(payload: sign_in.ResetRequest, _: Lease) -> None:
    """Email the link to the account with that address, if there is one."""
    sign_in.mail_reset_link(payload.email)
