"""Table of the marketplace's settings."""

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base


class MarketSetting(Base):
    """A changed setting; all others have the default in settings.py of this package."""

    __tablename__ = "market_settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int | str] = mapped_column(JSONB)
