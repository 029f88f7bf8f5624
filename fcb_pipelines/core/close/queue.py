"""The queue: every hold and exception of all months in one list, with the day on which each first appeared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fcb_pipelines.core.close.exceptions import in_order
from fcb_pipelines.core.close.shapes import ExceptionRow, QueueJson, QueueRow
from fcb_pipelines.core.proof.completeness import UNPLACED

FirstSeen = Mapping[tuple[str, str], date]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedException:
    """One hold or exception as the last proof found it; `amount` is in minor units of `currency`.

    `period` is None for a document without a month. `first_seen` is the day on which the ref first had this
    code; it stays when the exception is gone (`cleared`, the day on which it was missed) and comes back.
    """

    ref: str
    code: str
    number: str
    period: str | None
    is_held: bool
    amount: int
    currency: str
    meaning: str
    owner: str
    remedy: str
    first_seen: date
    cleared: date | None = None


def queued(
    places: Mapping[str, Sequence[ExceptionRow]], former: Iterable[QueuedException], today: date
) -> tuple[QueuedException, ...]:
    """The rows of all places (months, and `unplaced`), then those of before that are gone.

    `former` are the rows that the last proof left.
    """
    before = {(row.ref, row.code): row for row in former}
    rows = queue(places, first_seen(before.values()), today)
    here = {(row["ref"], row["code"]) for row in rows}
    gone = (row for key, row in sorted(before.items()) if key not in here)
    return (
        *(
            QueuedException(
                ref=row["ref"],
                code=row["code"],
                number=row["number"],
                period=row["period"],
                is_held=row["is_held"],
                amount=row["amount"],
                currency=row["currency"],
                meaning=row["description"],
                owner=row["owner"],
                remedy=row["remedy"],
                first_seen=date.fromisoformat(row["first_seen"]),
            )
            for row in rows
        ),
        *(replace(row, cleared=row.cleared or today) for row in gone),
    )


def first_seen(former: Iterable[QueuedException]) -> FirstSeen:
    """The first day of each ref and code."""
    return {(row.ref, row.code): row.first_seen for row in former}


def queue(
    places: Mapping[str, Sequence[ExceptionRow]], known: FirstSeen, today: date
) -> list[QueueRow]:
    """The rows of all places in one order, each ref and code once; one that no proof has seen yet is of today."""
    rows: dict[tuple[str, str], QueueRow] = {}
    for place, own in places.items():
        for row in own:
            since = known.get((row["ref"], row["code"]), today)
            rows[row["ref"], row["code"]] = {
                **row,
                "period": None if place == UNPLACED else place,
                "first_seen": since.isoformat(),
                "age": max(0, (today - since).days),
            }
    return sorted(rows.values(), key=in_order)


def queue_json(rows: Sequence[QueueRow], today: date, *, everything: bool) -> QueueJson:
    """The queue as JSON values: what waits, and with `everything` what somebody acknowledged as well."""
    waiting = [row for row in rows if row["acknowledged"] is None]
    return {
        "as_of": today.isoformat(),
        "waiting": len(waiting),
        "acknowledged": len(rows) - len(waiting),
        "exceptions": list(rows) if everything else waiting,
    }
