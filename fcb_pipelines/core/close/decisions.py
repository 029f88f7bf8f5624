"""What a person decided about an exception: that it is known and may stay, or that this no longer holds.

    an acknowledgement    of one exception, as it was seen: until something of it moves, or a day is past
    a withdrawal          of that acknowledgement, by its id

Decisions are only added. What is in force follows from all of them, in whatever order they were kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fcb_pipelines.core.digests import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of a person, `by` their name on the machine.

    An acknowledgement has a `note` and in `seen` the digest of the exception as it was seen
    (`core.close.seen`); `until` is the last day on which it holds, None: no day ends it. A withdrawal has
    the `id` of the acknowledgement in `withdraws`.
    """

    ref: str
    code: str
    by: str
    at: datetime
    note: str = ""
    seen: str = ""
    until: date | None = None
    withdraws: str | None = None

    @property
    def id(self) -> str:
        """The digest of the decision, 64 hex digits."""
        return _DECIDED.digest(self)


_DECIDED = Form({Decision: ("ref", "code", "by", "at", "note", "seen", "until", "withdraws")})

# Ref and code -> the acknowledgements of that exception, the latest first.
Acknowledgements = Mapping[tuple[str, str], Sequence[Decision]]


def in_force(decisions: Iterable[Decision], today: date) -> Acknowledgements:
    """The acknowledgements that nobody withdrew and whose last day is not past.

    Whether one still is of the exception as it is now, its `seen` decides.
    """
    kept = tuple(decisions)
    withdrawn = {one.withdraws for one in kept if one.withdraws}
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for one in sorted(kept, key=lambda each: (each.at, each.id), reverse=True):
        holds = one.until is None or one.until >= today
        if one.withdraws is None and holds and one.id not in withdrawn:
            found[one.ref, one.code].append(one)
    return dict(found)
