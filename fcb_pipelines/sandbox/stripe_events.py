"""The events of the Stripe stand-in: what differs between a dataset's objects then and now.

The dataset's own events (`stripe/events.json`) come first. Each look compares the objects with those of
the look before, and adds an event for each that is new, changed or gone. What changed while no stand-in
ran is not told, and the ids of a stand-in that starts anew are others: as at Stripe, where an event that
was seen and is no longer there means that some may be lost.
"""

import time
from collections.abc import Iterator

from fcb_pipelines.connectors.stripe.client import API_VERSION
from fcb_pipelines.sandbox.standin import Json, Tables

# A table -> the types of the events for a new, a changed and a lost object of it.
_TYPES = {
    "invoices": ("invoice.created", "invoice.updated", "invoice.deleted"),
    "credit_notes": ("credit_note.created", "credit_note.updated", "credit_note.voided"),
    "refunds": ("refund.created", "refund.updated", "refund.updated"),
    "disputes": ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.updated"),
    "invoice_payments": ("invoice_payment.paid", "invoice_payment.paid", "invoice_payment.paid"),
}
# What Stripe leaves out of the object in an event.
_NOT_TOLD = "payments"


class Events:
    """The events of one dataset's objects, oldest first, while the stand-in runs."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._began = time.time_ns()
        self._last: dict[str, dict[str, Json]] | None = None
        self._rows: dict[str, list[Json]] = {}
        self._told: list[Json] = []
        self._all: list[Json] = []

    def rows(self) -> list[Json]:
        """Every event; the same list as long as nothing changed."""
        rows = {name: self._tables.rows(name) for name in (*_TYPES, "events")}
        if rows.keys() == self._rows.keys() and all(
            rows[name] is self._rows[name] for name in rows
        ):
            return self._all
        now = {name: {row["id"]: row for row in rows[name]} for name in _TYPES}
        self._created = max(
            [0, *(row.get("created", 0) for each in rows.values() for row in each)]
            + [row["created"] for row in self._told[-1:]]
        )
        happened = self._opening(now) if self._last is None else self._differences(self._last, now)
        self._told += happened
        self._last, self._rows = now, rows
        self._all = [*rows["events"], *self._told]
        return self._all

    def _opening(self, now: dict[str, dict[str, Json]]) -> list[Json]:
        """The newest invoice's event, so that a stand-in that has just started has one to go on from."""
        newest = max(now["invoices"].values(), key=lambda row: row["created"], default=None)
        return [self._event("invoice.updated", newest, 0)] if newest else []

    def _differences(
        self, last: dict[str, dict[str, Json]], now: dict[str, dict[str, Json]]
    ) -> list[Json]:
        happened = [
            (kind, row) for name in _TYPES for kind, row in _changes(name, last[name], now[name])
        ]
        first = len(self._told)
        return [self._event(kind, row, first + n) for n, (kind, row) in enumerate(happened)]

    def _event(self, kind: str, row: Json, number: int) -> Json:
        return {
            "id": f"evt_{self._began}_{number:08}",
            "object": "event",
            "api_version": API_VERSION,
            "created": self._created,
            "data": {"object": {key: value for key, value in row.items() if key != _NOT_TOLD}},
            "livemode": bool(row.get("livemode", True)),
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }


def _changes(name: str, last: dict[str, Json], now: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    new, changed, gone = _TYPES[name]
    for key, row in now.items():
        if key not in last:
            yield new, row
        elif row != last[key]:
            yield changed, row
            if row.get("invoice") != last[key].get("invoice") and name == "invoice_payments":
                yield changed, last[key]
    yield from ((gone, row) for key, row in last.items() if key not in now)
