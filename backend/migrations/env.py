"""Alembic's environment: every model, one database, online only."""

import time

from alembic import context
from flask import current_app

from backend.core import idempotency
from backend.core.cache import versions as cache_versions
from backend.core.db.session import Base
from backend.core.observability import health
from backend.core.queue import models as queue_models
from backend.domain.accounts import models as account_models
from backend.domain.audit import models as audit_models
from backend.domain.documents import models as document_models
from backend.domain.exports import models as export_models
from backend.domain.market import models as market_models
from backend.domain.notifications import models as notification_models
from backend.domain.places import models as place_models
from backend.domain.professionals import models as area_models
from backend.domain.professionals import models as professional_models
from backend.domain.reports import models as report_models
from backend.domain.reviews import models as review_models
from backend.domain.scheduling import models as scheduling_models
from backend.domain.task_requests import models as request_models
from backend.domain.tasks import models as task_models

ALL_MODELS = (
    account_models,
    area_models,
    audit_models,
    cache_versions,
    document_models,
    export_models,
    health,
    idempotency,
    market_models,
    notification_models,
    place_models,
    professional_models,
    queue_models,
    report_models,
    request_models,
    scheduling_models,
    review_models,
    task_models,
)


POLL_SECONDS = 0.2
LOCK = 7_310_544_205  # any number unique to this module; a concurrent preparation then finds nothing to do


def run() -> None:
    """Run each migration in its own transaction, so its locks end with it and a failure undoes only one."""
    with current_app.extensions["sqlalchemy"].engine.connect() as connection:
        connection.exec_driver_sql("SET statement_timeout = '1h'")  # enough to index a large table, but not unlimited
        connection.commit()
        # Not by waiting for the lock in a statement: making an index concurrently waits for all running statements.
        while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar_one():
            connection.commit()
            time.sleep(POLL_SECONDS)
        connection.exec_driver_sql(
            "SET lock_timeout = '10s'"
        )  # a session that waits for a table lock blocks later ones
        connection.commit()
        try:
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                compare_type=True,
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.rollback()
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
            connection.commit()


run()
