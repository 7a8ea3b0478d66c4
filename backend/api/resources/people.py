"""How admins see people: what lists, single persons and moderation share."""

from typing import Any

from backend.api.resources.accounts import present
from backend.api.wire import Reply
from backend.core.authz import Actor, Role
from backend.domain.accounts import queries as accounts
from backend.domain.audit.actions import record_read
from backend.domain.moderation import queries
from backend.domain.professionals import queries as trades
from backend.domain.professionals.approval import allowed_actions
from backend.domain.professionals.queries import Trade


def present_person(account: Any, trade: Trade | None = None) -> dict[str, Any]:
    """An account with what only admins see."""
    actions = ["block" if account.blocked_at is None else "unblock"]
    if account.role == Role.PROFESSIONAL:
        trade = trade or trades.trade(account.id)
        actions = [*allowed_actions(trade.approval, Role.ADMIN), *actions]
    body = present(account, trade)
    if trade is not None:
        body["tasks_done"] = trade.tasks_done
    body["blocked_at"] = account.blocked_at
    body["blocked_reason"] = account.blocked_reason
    body["blocked_note"] = account.blocked_note
    body["last_seen_at"] = account.last_seen_at
    body["allowed_actions"] = actions
    return body


def answer(account_id: int) -> Reply:
    """The account after something was done to it."""
    account = accounts.get(account_id)
    return Reply(present_person(account), version=account.version)


def answer_one(actor: Actor, account_id: int, *, role: Role) -> Reply:
    """One person with figures, reviews and history; that the admin looked is in the audit trail."""
    person = queries.person(account_id, role=role)
    record_read(actor, "person_viewed", subject_id=account_id)
    body = {
        **present_person(person.account),
        "figures": person.figures,
        "latest_reviews": person.reviews,
        "history": person.history,
    }
    return Reply(body, version=person.account.version)
