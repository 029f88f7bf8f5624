"""The outbox of a month: the events it has told, and those that it calls for now."""

from collections.abc import Iterable
from dataclasses import replace

from fcb_pipelines.core.events.event import Event


def outbox(
    period: str,
    told: Iterable[Event],
    called_for: Iterable[Event],
    *,
    open_period: str,
) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
    """The events of this month, and those of them that are new, both in order.

    `told` are all that were told already. `called_for` may be of any month: a month takes its own, and
    the open one takes as its own what an earlier one has left, so that nothing waits for a month that
    nobody builds any more.
    """
    kept = {one.id: one for one in told}
    new = {
        one.id: replace(one, period=period)
        for one in called_for
        if one.id not in kept
        and (one.period == period or (period == open_period and one.period < period))
    }
    own = [one for one in kept.values() if one.period == period]
    return _in_order([*own, *new.values()]), _in_order(new.values())


def _in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda one: (one.occurred_at, one.subject, _rank(one), one.id)))


def _rank(one: Event) -> int:
    """Thresholds that are reached at once are told from the lowest."""
    return one.reached.percent if one.reached else 0
