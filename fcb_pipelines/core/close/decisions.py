"""What a person decided: that an exception is known and may stay, that a draft may be posted, or that either no
longer holds.

    an acknowledgement    of one exception, as it was seen: until something of it moves, or a day is past
    an approval           of one draft, as the document that it is: until the document changes
    a withdrawal          of an acknowledgement or approval, by its id

Decisions are only added. What is in force follows from all of them, in whatever order they were kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fcb_pipelines.core.digests import Form

# The code of an approval; no hold and no exception has it.
APPROVAL = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of a person, `by` their name on the machine.

    An acknowledgement has a `note` and in `seen` the digest of the exception as it was seen
    (`core.close.seen`); `until` is the last day on which it holds, None: no day ends it. An approval has the code
    `approval`, and in `seen` the content hash of the document. A withdrawal has the `id` of the one or the other
    in `withdraws`.
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

    @property
    def is_approval(self) -> bool:
        """Whether it is of a draft, given or withdrawn, and of no exception."""
        return self.code == APPROVAL


_DECIDED = Form({Decision: ("ref", "code", "by", "at", "note", "seen", "until", "withdraws")})

# Ref and code -> the acknowledgements of that exception, the latest first.
Acknowledgements = Mapping[tuple[str, str], Sequence[Decision]]
# Ref -> the approvals of that document, the latest first.
Approvals = Mapping[str, Sequence[Decision]]


def in_force(decisions: Iterable[Decision], today: date) -> Acknowledgements:
    """The acknowledgements that nobody withdrew and whose last day is not past.

    Whether one still is of the exception as it is now, its `seen` decides.
    """
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for one in _given(decisions):
        if not one.is_approval and (one.until is None or one.until >= today):
            found[one.ref, one.code].append(one)
    return dict(found)


def approvals(decisions: Iterable[Decision]) -> Approvals:
    """The approvals that nobody withdrew. Whether one is of the document as it is now, its `seen` decides."""
    found: dict[str, list[Decision]] = defaultdict(list)
    for one in _given(decisions):
        if one.is_approval:
            found[one.ref].append(one)
    return dict(found)


def _given(decisions: Iterable[Decision]) -> list[Decision]:
    """What was decided and not withdrawn, the latest first."""
    kept = tuple(decisions)
    withdrawn = {one.withdraws for one in kept if one.withdraws}
    in_order = sorted(kept, key=lambda each: (each.at, each.id), reverse=True)
    return [one for one in in_order if one.withdraws is None and one.id not in withdrawn]
