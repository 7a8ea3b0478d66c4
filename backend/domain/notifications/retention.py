"""Maintenance of deliveries: requeue stuck ones, delete old ones."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, exists, select, text
from sqlalchemy.orm import aliased

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.queue import Lane, enqueue_many
from backend.domain.notifications import create
from backend.domain.notifications.models import Delivery, Notification

BATCH: Final = 500
# A delivery and its job are written together; one without a job was sent again, restored or edited by hand.
STUCK: Final = text("""
    SELECT d.id, d.kind, d.attempts FROM deliveries d
     WHERE d.state = 'waiting' AND coalesce(d.not_before, d.created_at) < now() - interval '10 minutes'
       AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.topic = :topic AND j.done_at IS NULL
                          AND j.key IN ('d' || d.id, 'd' || d.id || ':' || d.attempts, 'r' || d.id, 's' || d.id))
     ORDER BY d.created_at LIMIT :batch
""")


def revive(limit: int = BATCH) -> int:
    """Enqueue waiting deliveries without a job, and return how many."""
    rows = db.session.execute(STUCK, {"topic": create.TOPIC.name, "batch": limit}).all()
    for lane in Lane:
        jobs = [(f"r{row.id}", create.DeliveryPayload(row.id)) for row in rows if create.lane_of(row.kind) is lane]
        enqueue_many(create.TOPIC, jobs, lane=lane)
    return len(rows)


def drop_old_deliveries(limit: int = BATCH) -> int:
    """Delete old finished deliveries with their attempts."""
    before = now() - timedelta(days=current_settings().deliveries_keep_days)
    old = select(Delivery.id).where(Delivery.created_at < before, Delivery.state != "waiting")
    chosen = old.order_by(Delivery.created_at).limit(limit).scalar_subquery()
    gone = delete(Delivery).where(Delivery.id.in_(chosen)).returning(Delivery.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def drop_old_notifications(limit: int = BATCH) -> int:
    """Delete old notifications without deliveries."""
    delivery = aliased(Delivery)
    unreferenced = ~exists().where(delivery.notification_id == Notification.id)
    before = now() - timedelta(days=current_settings().notifications_keep_days)
    old = select(Notification.id).where(Notification.created_at < before, unreferenced)
    chosen = old.order_by(Notification.created_at, Notification.id).limit(limit).scalar_subquery()
    gone = delete(Notification).where(Notification.id.in_(chosen))
    done = db.session.execute(gone.returning(Notification.id).execution_options(synchronize_session=False))
    return len(done.all())
