"""Tables of places: pincodes with coordinates, localities (post offices), districts and states."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, DateTime, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId

BYTEWISE = Text(collation="C")  # so that one index serves prefix searches and the order


class Place(Base):
    """A pincode with its coordinates in degrees of WGS 84.

    ``uncertain``: the point is the middle of the neighbouring pincodes, or one that stands for a whole postal area.
    """

    __tablename__ = "places"

    pincode: Mapped[str] = mapped_column(primary_key=True)
    locality: Mapped[str]
    district: Mapped[str]
    state: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    uncertain: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        Index(
            "ix_places_earth",
            text("ll_to_earth(latitude, longitude)"),
            postgresql_using="gist",
            postgresql_where=text("latitude IS NOT NULL"),
        ),
    )


class Locality(Base):
    """A post office's area within a pincode, with the name that users know."""

    __tablename__ = "localities"

    id: Mapped[BigId]
    pincode: Mapped[str]
    name: Mapped[str]
    district: Mapped[str]
    state: Mapped[str]
    name_key: Mapped[str] = mapped_column(BYTEWISE, Computed("plain_text(name)", persisted=True))

    __table_args__ = (
        Index("ix_localities_pincode", "pincode"),
        Index("ix_localities_name", "name_key", "pincode", "id"),
        Index("ix_localities_similar", text("name_key gin_trgm_ops"), postgresql_using="gin"),
    )


class Region(Base):
    """A district or state, by the key under which availability is counted."""

    __tablename__ = "regions"

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    name_key: Mapped[str] = mapped_column(BYTEWISE, Computed("plain_text(name)", persisted=True))

    __table_args__ = (
        CheckConstraint("kind IN ('district', 'state')", name="kind"),
        Index("ix_regions_name", "name_key"),
    )


class PlaceImport(Base):
    """A version of the places written to this database, and how many pincodes it changed."""

    __tablename__ = "place_imports"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pincodes: Mapped[int]
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
