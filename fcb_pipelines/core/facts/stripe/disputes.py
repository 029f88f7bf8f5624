"""Stripe's disputes: those that take money, and when it went and came back (S9, S13)."""

from fcb_pipelines.core.facts.bodies import Json

# A dispute in one of these took nothing, or gave it back.
_OVER = frozenset({"won", "warning_closed", "prevented"})


def taking(body: Json) -> list[Json]:
    """The disputes of a document that took money, or may take it."""
    return [each for each in body.get("disputes") or () if each["status"] not in _OVER]


def is_lost(dispute: Json) -> bool:
    """Whether the customer's bank keeps the money."""
    return bool(dispute["status"] == "lost")


def withdrawn_on(dispute: Json) -> int:
    """The instant at which Stripe withdrew the money."""
    taken = [each["created"] for each in dispute.get("balance_transactions") or ()]
    return int(min(taken, default=dispute["created"]))


def came_back_on(dispute: Json) -> int | None:
    """The instant at which the money of a dispute that is over came back; None where none did."""
    transactions = dispute.get("balance_transactions") or ()
    back = [each["created"] for each in transactions if (each.get("amount") or 0) > 0]
    return max(back) if dispute["status"] in _OVER and back else None
