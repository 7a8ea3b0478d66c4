"""Tables of accounts, their sessions, failed sign-ins, and emailed links."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created

NAME_TEXT: Final = "folded(firstname || ' ' || lastname)"
PERSON_TEXT: Final = (
    "folded(firstname || ' ' || lastname || ' ' || username || ' ' || email || ' ' || coalesce(phone, ''))"
)


class Account(Base):
    """A customer, a professional or an admin. ``*_key`` columns hold the normalised form that must be unique.

    ``email_changed_at`` is None for the address of the sign-up and for one that was restored. ``password_expires_at``
    is set while the account has a password that was issued to it: until then it serves only to choose another.
    ``language`` is the folder of texts that messages to the account are worded from; None until one
    is chosen, by hand or by the language of the browser.
    """

    __tablename__ = "accounts"

    id: Mapped[BigId]
    role: Mapped[str]
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    email_confirmed_at: Mapped[datetime | None]
    email_changed_at: Mapped[datetime | None]
    password_hash: Mapped[str]
    password_expires_at: Mapped[datetime | None]
    firstname: Mapped[str]
    lastname: Mapped[str]
    address: Mapped[str]
    pincode: Mapped[str] = mapped_column(ForeignKey("places.pincode"))
    phone: Mapped[str | None]
    phone_verified_at: Mapped[datetime | None]
    language: Mapped[str | None]
    blocked_at: Mapped[datetime | None]
    blocked_reason: Mapped[str | None]
    blocked_note: Mapped[str | None]
    created_at: Mapped[Created]
    last_seen_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    name_text: Mapped[str] = mapped_column(Computed(NAME_TEXT, persisted=True), deferred=True)
    person_text: Mapped[str] = mapped_column(Computed(PERSON_TEXT, persisted=True), deferred=True)

    __table_args__ = (
        CheckConstraint("role IN ('customer', 'professional', 'admin')", name="role"),
        CheckConstraint("(blocked_at IS NULL) = (blocked_reason IS NULL)", name="blocked_with_reason"),
        Index("ix_accounts_role", "role", "created_at", "id"),
        Index("ix_accounts_name", "role", "name_text", "id"),
        Index("ix_accounts_pincode", "pincode", "role", "created_at", "id"),
        Index("ix_accounts_blocked", "role", "created_at", "id", postgresql_where=text("blocked_at IS NOT NULL")),
        Index(
            "ix_accounts_person_text",
            "person_text",
            postgresql_using="gin",
            postgresql_ops={"person_text": "gin_trgm_ops"},
        ),
    )


class Session(Base):
    """One sign-in on one device: a family of refresh tokens of which only the newest is valid.

    ``proven_at`` is when the password was repeated; None while it was not, beyond the sign-in itself.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    client: Mapped[str]
    current_jti: Mapped[str]
    previous_jti: Mapped[str | None]
    rotated_at: Mapped[datetime | None]
    proven_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    last_used_at: Mapped[Created]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    user_agent: Mapped[str | None]
    address: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("client IN ('browser', 'api')", name="client"),
        Index("ix_sessions_account", "account_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_sessions_expires", "expires_at"),
        Index("ix_sessions_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )


class SignInFailure(Base):
    """A failed sign-in.

    ``account_key`` is the account, or a digest of a name that nobody has; ``address`` an IPv4 address or an IPv6 /64,
    ``network`` the /48 around it.
    """

    __tablename__ = "sign_in_failures"

    id: Mapped[BigId]
    account_key: Mapped[str]
    address: Mapped[str]
    network: Mapped[str | None]
    at: Mapped[datetime]

    __table_args__ = (
        Index("ix_sign_in_failures_network", "network", "at", postgresql_where=text("network IS NOT NULL")),
        Index("ix_sign_in_failures_account", "account_key", "at"),
        Index("ix_sign_in_failures_address", "address", "at"),
        Index("ix_sign_in_failures_at", "at"),
    )


class MailedLink(Base):
    """A single-use link. Only the token's digest is stored, so that the table's content cannot be used.

    ``email_key`` is the address it was mailed to. ``email`` is that address as it was typed, kept where the link puts
    it back (``email_undo``).
    """

    __tablename__ = "mailed_links"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    purpose: Mapped[str]
    email_key: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("purpose IN ('password_reset', 'email_confirmation', 'email_undo')", name="purpose"),
        CheckConstraint("(purpose = 'email_undo') = (email IS NOT NULL)", name="email_of_undo"),
        Index(
            "ix_mailed_links_undo",
            "email_key",
            postgresql_where=text("purpose = 'email_undo' AND used_at IS NULL"),
        ),
        Index("ix_mailed_links_account", "account_id", "purpose", "created_at"),
        Index("ix_mailed_links_expires", "expires_at"),
    )


class PhoneCode(Base):
    """A code sent by SMS to verify a number. Only its HMAC is stored; ``tries`` counts every guess."""

    __tablename__ = "phone_codes"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    phone: Mapped[str]
    code_hash: Mapped[bytes]
    address: Mapped[str]
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_phone_codes_account", "account_id", "created_at"),
        Index("ix_phone_codes_phone", "phone", "created_at"),
        Index("ix_phone_codes_address", "address", "created_at"),
        Index("ix_phone_codes_created", "created_at"),
    )
