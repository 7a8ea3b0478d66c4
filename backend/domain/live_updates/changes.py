"""Which accounts are notified of which change: every rule of live updates. None of them reads the database.

An unnecessary event costs its recipient one repeated read. Events hold no data, so they reveal none.
"""

from collections.abc import Iterable

from backend.core.events.announce import announce, announce_ended_sessions
from backend.core.events.protocol import Topic
from backend.core.security.authz import Role


def announce_request(
    request_id: int, *, version: int, accounts: Iterable[int | None], is_offered: bool = False
) -> None:
    """Notify both sides and admins of a changed request, and if ``is_offered`` the professionals who may accept it.

    Their lists also change when another professional accepts it. Only a search could find which of them see it, so all
    are notified, without its id, and those who have such a list open read it again.
    """
    announce(Topic.REQUESTS, accounts=accounts, roles=[Role.ADMIN], object_id=request_id, version=version)
    if is_offered:
        announce(Topic.REQUESTS, roles=[Role.PROFESSIONAL])


def announce_history(request_id: int, *, accounts: Iterable[int | None]) -> None:
    """Notify these accounts of what changed around a request that is itself unchanged: its history, who is to come."""
    announce(Topic.REQUESTS, accounts=accounts, object_id=request_id)


def announce_review(request_id: int, *, accounts: Iterable[int | None] = ()) -> None:
    """Notify these accounts, and the admins who moderate it, that the review of a request was changed."""
    announce(Topic.REQUESTS, accounts=accounts, roles=[Role.ADMIN], object_id=request_id)


def announce_audit() -> None:
    """Notify admins of a new entry in the audit trail: what one of them changed is on the pages of the others."""
    announce(Topic.AUDIT, roles=[Role.ADMIN])


def announce_audit_read() -> None:
    """Notify admins that the audit trail has a new entry of what was read: only the trail itself shows it."""
    announce(Topic.AUDIT_READS, roles=[Role.ADMIN])


def announce_messages(
    request_id: int, *, accounts: Iterable[int | None], message_id: int | None = None, is_reported: bool = False
) -> None:
    """Notify both sides of a conversation of a new message, whose id is the version, or that one has been read.

    If ``is_reported``, admins are notified that a report was made or settled.
    """
    announce(
        Topic.MESSAGES,
        accounts=accounts,
        roles=[Role.ADMIN] if is_reported else [],
        object_id=request_id,
        version=message_id,
    )


def announce_notifications(account_ids: Iterable[int]) -> None:
    """Notify accounts that their notifications changed."""
    announce(Topic.NOTIFICATIONS, accounts=account_ids)


def announce_deliveries() -> None:
    """Notify admins that the delivery log changed. Without ids, a mailing to many is one change."""
    announce(Topic.DELIVERIES, roles=[Role.ADMIN])


def announce_account(account_id: int) -> None:
    """Notify an account's other devices, and the admins who list it, that its details changed or that it is new."""
    announce(Topic.ACCOUNT, accounts=[account_id], object_id=account_id)
    announce(Topic.USERS, roles=[Role.ADMIN], object_id=account_id)


def announce_preferences(account_id: int) -> None:
    """Notify an account's other devices of what only its owner sees: how it is notified, and on which devices."""
    announce(Topic.ACCOUNT, accounts=[account_id], object_id=account_id)


def announce_sessions(account_ids: Iterable[int]) -> None:
    """Notify accounts that they were signed in or out on a device."""
    announce(Topic.SESSIONS, accounts=account_ids)


def announce_hours(professional_id: int) -> None:
    """Notify a professional's other devices of their working hours."""
    announce(Topic.SCHEDULE, accounts=[professional_id])


def announce_favourites(customer_id: int) -> None:
    """Notify a customer's other devices of their favourites."""
    announce(Topic.FAVOURITES, accounts=[customer_id])


def announce_exclusion(actor_id: int, *, other_id: int) -> None:
    """Notify both of a pair that is matched no more, or again: requests open to the professional come or go.

    The other one is not told by whom: the event is the one of any request that is taken.
    """
    announce(Topic.FAVOURITES, accounts=[actor_id])
    announce(Topic.REQUESTS, accounts=[actor_id, other_id])


def announce_tasks() -> None:
    """Notify everyone who is signed in that the catalogue changed: a task, its rules or its checklist."""
    announce(Topic.TASKS, roles=[Role.ADMIN, Role.CUSTOMER, Role.PROFESSIONAL])


def announce_approval(professional_id: int) -> None:
    """Notify a professional, and the admins who decide, that the approval or the profile photo changed."""
    announce(Topic.ACCOUNT, accounts=[professional_id], object_id=professional_id)
    announce(Topic.APPROVALS, roles=[Role.ADMIN], object_id=professional_id)


def announce_export(export_id: int) -> None:
    """Notify admins of an export's progress."""
    announce(Topic.EXPORTS, roles=[Role.ADMIN], object_id=export_id)


def announce_reports(customer_ids: Iterable[int]) -> None:
    """Notify customers that they have a new report."""
    announce(Topic.REPORTS, accounts=customer_ids)


def announce_sign_out(session_ids: Iterable[str]) -> None:
    """End the streams of sessions that have ended."""
    announce_ended_sessions(session_ids)
