"""Accounts for admins: details, statistics, reviews and audit entries."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from backend.core.db.pagination import Window
from backend.core.db.session import db
from backend.core.errors import NotFound
from backend.core.security.authz import Role
from backend.domain.accounts import queries as accounts
from backend.domain.accounts.models import Account
from backend.domain.audit import queries as audit
from backend.domain.reviews import queries as reviews

LATEST: Final = 20
FIGURES: Final = text("""
    SELECT count(*) FILTER (WHERE status = 'requested') AS requested,
           count(*) FILTER (WHERE status = 'accepted') AS accepted,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'closed') AS closed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE status = 'expired') AS expired,
           coalesce(sum(price + coalesce(lines_amount, 0)) FILTER (WHERE status = 'closed'), 0)::numeric(14, 2)
               AS value_closed,
           (SELECT count(*) FROM request_events e
             WHERE e.actor_id = :id AND e.action = 'release' AND e.at > now() - interval '90 days') AS released_90_days,
           (SELECT count(*) FROM request_events e
             WHERE e.actor_id = :id AND e.action = 'cancel' AND e.at > now() - interval '90 days') AS cancelled_90_days,
           (SELECT count(*) FROM request_rejections j WHERE j.professional_id = :id) AS rejected
      FROM task_requests WHERE professional_id = :id OR customer_id = :id
""")


@dataclass(frozen=True, slots=True)
class AccountDetail:
    """An account with the facts for an admin's decision."""

    account: Account
    figures: dict[str, object]
    reviews: list[dict[str, object]]
    history: list[dict[str, object]]


def account_detail(account_id: int, *, role: Role) -> AccountDetail:
    """Return one customer or professional. Raises NotFound for others."""
    account = accounts.get(account_id)
    if account.role != role:
        raise NotFound(f"{role.capitalize()} not found.")
    is_professional = role is Role.PROFESSIONAL
    concerning = (
        reviews.ReviewFilters(professional_id=account_id)
        if is_professional
        else reviews.ReviewFilters(customer_id=account_id)
    )
    latest = reviews.page(filters=concerning, window=Window(limit=LATEST), private=True)
    history = audit.page(
        filters=audit.AuditFilters(subject_id=account_id, subject_kind="account", changes_only=True),
        window=Window(limit=LATEST),
    )
    figures = dict(db.session.execute(FIGURES, {"id": account_id}).mappings().one())
    return AccountDetail(account, figures, latest.items, history.items)
