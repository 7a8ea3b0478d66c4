"""Alembic's environment: every model, one database, online only."""

import time

import structlog
from alembic import context
from flask import current_app
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from backend.core import idempotency, web_assets
from backend.core.cache import versions as cache_versions
from backend.core.config import current_settings
from backend.core.db.exclusive import exclusive
from backend.core.db.session import Base
from backend.core.observability import fleet, health
from backend.core.queue import models as queue_models
from backend.domain.accounts import models as account_models
from backend.domain.audit import models as audit_models
from backend.domain.conversations import models as conversation_models
from backend.domain.dashboard import models as dashboard_models
from backend.domain.documents import models as document_models
from backend.domain.exports import models as export_models
from backend.domain.favourites import models as favourite_models
from backend.domain.market import models as market_models
from backend.domain.notifications import models as notification_models
from backend.domain.offers import models as offer_models
from backend.domain.photos import models as photo_models
from backend.domain.places import models as place_models
from backend.domain.price_lines import models as price_line_models
from backend.domain.professionals import models as area_models
from backend.domain.professionals import models as professional_models
from backend.domain.reports import models as report_models
from backend.domain.reviews import models as review_models
from backend.domain.scheduling import models as scheduling_models
from backend.domain.task_requests import models as request_models
from backend.domain.tasks import models as task_models
from backend.migrations.operations import LOCK_TIMEOUT

ALL_MODELS = (
    account_models,
    area_models,
    audit_models,
    conversation_models,
    cache_versions,
    document_models,
    dashboard_models,
    export_models,
    favourite_models,
    fleet,
    health,
    idempotency,
    market_models,
    notification_models,
    offer_models,
    photo_models,
    place_models,
    price_line_models,
    professional_models,
    queue_models,
    report_models,
    request_models,
    scheduling_models,
    review_models,
    task_models,
    web_assets,
)


log = structlog.get_logger(__name__)
LOCK = 7_310_544_205  # any number unique to this module; a concurrent migration then finds nothing to do
ATTEMPTS = 10
PAUSE_SECONDS = 1.0


def run() -> None:
    """Run each migration in its own transaction, so its locks end with it and a failure undoes only one."""
    settings = current_settings()
    with (
        exclusive(
            settings.database_url,
            LOCK,
            wait_seconds=settings.prepare_wait_seconds,
            on_wait=lambda: log.info("migrations.waited_for", reason="another process is migrating this database"),
        ),
        current_app.extensions["sqlalchemy"].engine.connect() as connection,
    ):
        connection.exec_driver_sql("SET statement_timeout = '1h'")  # enough to index a large table, but not unlimited
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        connection.commit()
        try:
            migrate(connection)
        finally:
            connection.rollback()
            # Behind a pooler, the connection is used by others afterwards; SET LOCAL would not reach autocommit blocks.
            connection.exec_driver_sql("RESET statement_timeout")
            connection.exec_driver_sql("RESET lock_timeout")
            connection.commit()


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing; if a table is locked, let its sessions continue and try again."""
    for attempt in range(1, ATTEMPTS + 1):
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            transaction_per_migration=True,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable) or attempt == ATTEMPTS:
                raise
            connection.rollback()
            log.warning("migrations.lock_timed_out", attempt=attempt, attempts=ATTEMPTS)
            time.sleep(PAUSE_SECONDS)
        else:
            return


run()
