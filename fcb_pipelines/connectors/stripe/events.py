"""Stripe's events as triggers: which objects may have changed since a mark. Their contents are not used.

Events are kept 30 days and come in the account's own API version, so only ids are read from them.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from fcb_pipelines.connectors.failures import Failure, NotAllowed
from fcb_pipelines.connectors.sources import Body, ListInFull
from fcb_pipelines.connectors.stripe.client import StripeReader
from fcb_pipelines.core.facts.bodies import Json

PATH = "/v1/events"
# Seconds before the newest event from which on events are read again: one may become visible late.
OVERLAP = 3600
# Stripe takes at most twenty types. Drafts and open invoices are read again in any case, so their
# steps (finalized, payment_failed) are left out.
TYPES = (
    "invoice.created", "invoice.updated", "invoice.paid", "invoice.overpaid", "invoice.voided",
    "invoice.marked_uncollectible", "invoice.deleted", "invoice_payment.paid",
    "credit_note.created", "credit_note.updated", "credit_note.voided",
    "refund.created", "refund.updated", "refund.failed", "charge.refund.updated",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
    "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated",
)  # fmt: skip

# An event's object -> the list it is on.
_LISTS = {
    "invoice": "invoices",
    "credit_note": "credit_notes",
    "refund": "refunds",
    "dispute": "disputes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in the events: the newest one, and when it was created (a Unix time)."""

    newest: str
    created: int

    @property
    def since(self) -> int:
        """The time from which on changes are read again."""
        return self.created - OVERLAP

    def as_body(self) -> Body:
        """The mark as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """The events since a mark: the ids they name, by list, and the mark to go on from.

    `seen` are the events of the last hour before that mark, which need not be acted on again.
    """

    named: dict[str, set[str]]
    mark: Mark
    seen: tuple[str, ...]


def newest_event(reader: StripeReader) -> Mark | str:
    """The mark of now, or why there is none: the full list does not need it."""
    try:
        page = reader.get(PATH, {"types": list(TYPES), "limit": 1})
    except NotAllowed:
        return "the key may not read events"
    except Failure as failure:
        return f"events can't be read ({failure.came_back})"
    events = page.get("data")
    if not events:
        return "Stripe has no event of an invoice, credit note, refund or dispute"
    try:
        return Mark(newest=str(events[0]["id"]), created=_time(events[0]))
    except (KeyError, TypeError):
        return "the newest event can't be read"


def mark_of(body: Body) -> Mark:
    """A mark from JSON. Raises ListInFull for one that can't be read."""
    try:
        mark = Mark(**body)
    except TypeError as error:
        raise ListInFull("the mark of the last sync can't be read") from error
    if not isinstance(mark.created, int):
        raise ListInFull("the mark of the last sync can't be read")
    return mark


def poll(reader: StripeReader, mark: Mark, seen: Collection[str]) -> Polled:
    """Every event since a mark but those `seen`. Raises ListInFull where one may be lost.

    The newest event of before must come again: where it does not, Stripe has forgotten it, and
    perhaps others after it.
    """
    try:
        swept = reader.sweep(PATH, {"types": list(TYPES), "created[gte]": mark.since})
    except NotAllowed as failure:
        raise ListInFull("the key may no longer read events") from failure
    except Failure as failure:
        raise ListInFull(f"events can't be read ({failure.came_back})") from failure
    if swept.problem:
        raise ListInFull(swept.problem)
    if mark.newest not in {each["id"] for each in swept.items}:
        raise ListInFull(f"{mark.newest}, the newest event of the last sync, is no longer there")
    try:
        times = {each["id"]: _time(each) for each in swept.items}
        named = _named(each for each in swept.items if each["id"] not in seen)
    except (KeyError, TypeError) as error:
        raise ListInFull(f"an event can't be read ({error!r})") from error
    last = max(times.values())
    return Polled(
        named=named,
        mark=Mark(newest=next(one for one, time in times.items() if time == last), created=last),
        seen=tuple(one for one, time in times.items() if time >= last - OVERLAP),
    )


def _named(events: Iterable[Json]) -> dict[str, set[str]]:
    named = {name: set[str]() for name in _LISTS.values()}
    for event in events:
        about = event["data"]["object"]
        if about["object"] == "invoice_payment":
            named["invoices"].add(about["invoice"])
        else:
            named[_LISTS[about["object"]]].add(about["id"])
    return named


def _time(event: Json) -> int:
    created = event["created"]
    if not isinstance(created, int):
        raise TypeError(f"{event['id']} was created at {created!r}")
    return created
