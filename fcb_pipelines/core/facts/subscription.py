"""Facts of one subscription as its billing source reports it: whether it lives, and since when not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.refs import source_ref

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFacts:
    """One subscription; `status` is the source's own word.

    `ended` is the moment of its end where it has one. A subscription that does not live and has no
    `ended` is of an unknown state (`problem`), and says nothing.
    """

    ref: str
    status: str
    live: bool
    ended: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRules:
    """Reads one source's subscriptions.

    `facts` reads a body of `owner` and never raises. `at_source` returns the source's own id of a
    service's subscription, from its id and the id that the service names (None: it is not here).
    `billed` returns the source's own id of the subscription that a document bills, from its listed body
    (None: it is of none); the rule itself is None where listed bodies never say so.
    """

    facts: Callable[[Json, str], SubscriptionFacts]
    at_source: Callable[[str, str | None], str | None]
    billed: Callable[[Json], str | None] | None = None


def stripe_subscription(body: Json, owner: str) -> SubscriptionFacts:
    """A subscription of Stripe. Only `canceled` and `incomplete_expired` are an end."""
    status = str(body.get("status"))
    over = status in ("canceled", "incomplete_expired")
    instant = body.get("ended_at") or body.get("canceled_at") or body.get("created")
    return _facts("stripe", owner, body.get("id"), status, over, _moment(instant) if over else None)


def lago_subscription(body: Json, owner: str) -> SubscriptionFacts:
    """A subscription of Lago, known by its external id, which the service gave it."""
    status = str(body.get("status"))
    over = status in ("terminated", "canceled")
    text = body.get("terminated_at") or body.get("canceled_at")
    ended = _instant(text) if over else None
    return _facts("lago", owner, body.get("external_id"), status, over, ended)


def _facts(
    side: str, owner: str, source_id: object, status: str, over: bool, ended: datetime | None
) -> SubscriptionFacts:
    named = source_id if isinstance(source_id, str) and source_id else None
    problem = None if named else "it has no id"
    if over and ended is None:
        problem = problem or f"it is {status}, and no date says since when"
    return SubscriptionFacts(
        ref=source_ref(side, owner, named or "?"),
        status=status,
        live=not over and problem is None,
        ended=ended,
        problem=problem,
    )


def _moment(instant: object) -> datetime | None:
    if isinstance(instant, bool) or not isinstance(instant, int):
        return None
    try:
        return _EPOCH + timedelta(seconds=instant)
    except OverflowError:
        return None


def _instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo else None
    except (ValueError, OverflowError):
        return None
