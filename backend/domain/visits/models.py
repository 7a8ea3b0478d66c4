"""The table of links that share a visit."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, Created


class VisitLink(Base):
    """The link of one request by which others follow the visit; only the digest of its token is kept."""

    __tablename__ = "visit_links"

    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"), primary_key=True, autoincrement=False)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
