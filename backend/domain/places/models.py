"""Tables of places: a pincode's point, and the localities (post offices) in it."""

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.database import Base, BigId


class Place(Base):
    """A pincode and its point (WGS 84 degrees; the median of its offices that are not flagged)."""

    __tablename__ = "places"

    pincode: Mapped[str] = mapped_column(primary_key=True)
    locality: Mapped[str]
    district: Mapped[str]
    state: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]

    __table_args__ = (
        Index(
            "ix_places_earth",
            text("ll_to_earth(latitude, longitude)"),
            postgresql_using="gist",
            postgresql_where=text("latitude IS NOT NULL"),
        ),
    )


class Locality(Base):
    """A post office's area within a pincode: what people call the place."""

    __tablename__ = "localities"

    id: Mapped[BigId]
    pincode: Mapped[str]
    name: Mapped[str]
    district: Mapped[str]
    state: Mapped[str]

    __table_args__ = (Index("ix_localities_pincode", "pincode"),)
