"""Sending one delivery: what is said, to whom, by which channel, and what to do when it does not work."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from backend.core.clock import now
from backend.core.crash import crash_point
from backend.domain.notifications import digests, ledger, outbox, sms_limits
from backend.domain.notifications.channels import SENDERS, NotReachable, Parcel, PutOff, Refused, sms
from backend.domain.notifications.channels.parcel import Contact
from backend.domain.notifications.messages import message, words
from backend.domain.notifications.models import Delivery

TRIES_BEFORE_NEXT_CHANNEL: Final = 3
PATIENCE: Final = timedelta(hours=24)
PATIENCE_BEFORE_NEXT_CHANNEL: Final = timedelta(minutes=2)
FIRST_PAUSE_SECONDS: Final = 3
LONGEST_PAUSE_SECONDS: Final = 900
BEING_SENT_SECONDS: Final = 5


class TryAgain(Exception):
    """It did not get out now; nothing was changed. ``number`` is the try that failed, None when none was made."""

    def __init__(self, *, delivery_id: int, number: int | None, reason: str, after_seconds: int) -> None:
        super().__init__(reason)
        self.delivery_id = delivery_id
        self.number = number
        self.reason = reason
        self.after_seconds = after_seconds


def deliver(delivery_id: int, *, interrupted: bool) -> None:
    """Send a delivery that waits, or put it on its next channel. Raises TryAgain."""
    try:
        found = ledger.waiting(delivery_id)
    except ledger.BeingSent as error:
        reason = "another worker is sending it"
        raise TryAgain(delivery_id=delivery_id, number=None, reason=reason, after_seconds=BEING_SENT_SECONDS) from error
    if found is None:
        return
    delivery, contact = found
    if interrupted:
        ledger.note_interrupted(delivery)
    params = delivery.params
    if _is_too_late(delivery):
        ledger.mark_failed(delivery, detail="It was no longer valid when it could be sent.")
    elif delivery.channel == "sms" and not sms_limits.is_counted(delivery.id):
        _count_sms(delivery, contact)
    elif delivery.kind == digests.KIND and not (params := digests.params(delivery)):
        ledger.mark_needless(delivery, detail="They were all read in the application.")
    else:
        _send(delivery, _parcel(delivery, contact, params))


def _send(delivery: Delivery, parcel: Parcel) -> None:
    try:
        said = SENDERS[delivery.channel](parcel)
    except NotReachable as error:
        ledger.mark_failed(delivery, detail=str(error), skipped=True, or_mail=_may_be_mailed(delivery))
    except Refused as error:
        ledger.mark_failed(delivery, detail=str(error))
    except PutOff as error:
        _put_off(delivery, error)
    else:
        crash_point("delivery.sent")
        ledger.mark_sent(delivery, detail=said)


def _count_sms(delivery: Delivery, contact: Contact) -> None:
    """Count an SMS against the day's limits; a job of its own then sends it, so that nobody waits for the gateway."""
    try:
        phone = sms.number(contact, delivery.params.get("send_to"))
    except NotReachable as error:
        ledger.mark_failed(delivery, detail=str(error), skipped=True, or_mail=_may_be_mailed(delivery))
        return
    if reason := sms_limits.count(delivery, phone=phone):
        ledger.mark_failed(delivery, detail=reason, skipped=True, or_mail=_may_be_mailed(delivery))
    else:
        outbox.send_counted(delivery)


def _may_be_mailed(delivery: Delivery) -> bool:
    """Who chose SMS alone gets a mail when there is none to be had; a code that verifies a number does not."""
    return delivery.channel == "sms" and not message(delivery.kind).account


def _is_too_late(delivery: Delivery) -> bool:
    until = delivery.params.get("valid_until")
    return message(delivery.kind).account and until is not None and datetime.fromisoformat(until) <= now()


def _put_off(delivery: Delivery, error: PutOff) -> None:
    """Try again with growing pauses; not for ever, and sooner by another channel where there is one."""
    number = delivery.attempts + 1
    waits = now() - max(delivery.created_at, delivery.not_before or delivery.created_at)
    if delivery.next_channels:
        enough = number >= TRIES_BEFORE_NEXT_CHANNEL if error.tried else waits > PATIENCE_BEFORE_NEXT_CHANNEL
    else:
        enough = waits > PATIENCE
    if enough:
        ledger.mark_failed(delivery, detail=str(error))
        return
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(number - 1, 10))
    after = max(pause, error.after_seconds or 0)
    made = number if error.tried else None
    raise TryAgain(delivery_id=delivery.id, number=made, reason=str(error), after_seconds=after)


def _parcel(delivery: Delivery, contact: Contact, params: Mapping[str, Any]) -> Parcel:
    return Parcel(
        delivery_id=delivery.id,
        kind=delivery.kind,
        message_id=delivery.message_id,
        contact=contact,
        said=message(delivery.kind),
        words=words(delivery.kind, params, request_id=delivery.request_id, without_links=True),
        params=params,
    )
