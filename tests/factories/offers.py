"""A request whose price is agreed by offer, and offers for it, made over HTTP."""

from typing import Any

from sqlalchemy import text

from backend.core.db.session import db, transaction
from tests.factories.requests import RequestMarket, do
from tests.factories.users import User, Users

LATER = text("UPDATE offers SET valid_until = valid_until - make_interval(hours => :hours)")


class Quote:
    """A request of Asha's for a task with the pricing "quote", and two professionals who offer the task."""

    def __init__(self, users: Users, **changes: Any) -> None:
        self.market = RequestMarket(users)
        self.market.task_id = self.market.task("Painting", pricing="quote")
        self.asha = users.customer(firstname="Asha")
        self.ravi, self.sita = (self.market.professional(firstname=name) for name in ("Ravi", "Sita"))
        self.id = self.market.ask(self.asha, **changes)["id"]
        self.path = f"/requests/{self.id}"

    def offer(self, who: User, amount: str = "900.00", **more: Any) -> dict[str, Any]:
        return do(who, f"{self.path}/offers", {"amount": amount, **more})

    def try_offer(self, who: User, **body: Any) -> Any:
        return who.post(f"{self.path}/offers", {"amount": "900.00", **body})

    def accept(self, offer: dict[str, Any], who: User | None = None) -> Any:
        return (who or self.asha).post(f"{self.path}/offers/{offer['id']}/accept")

    def withdraw(self, offer: dict[str, Any], who: User) -> Any:
        return who.post(f"{self.path}/offers/{offer['id']}/withdraw")

    def seen_by(self, who: User) -> dict[str, Any]:
        return dict(who.get(self.path).json)

    def offers(self, who: User | None = None) -> list[dict[str, Any]]:
        return list((who or self.asha).get(f"{self.path}/offers").json["items"])

    def states(self) -> dict[int, str]:
        """Return the states of the offers that the customer sees, by id."""
        return {offer["id"]: offer["state"] for offer in self.offers()}


def pass_hours(hours: float) -> None:
    """Move the ends of all offers into the past, which a trigger refuses to everyone else."""
    with transaction():
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(LATER, {"hours": hours})
