"""The expected outcome of each edge case, written by its author.

Nothing here asks the pipeline: all amounts, settlements and codes are the author's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

BOOKS_BEGIN = "2025-03-01"
FORGOTTEN = "forgotten_by_nexacloud"
SKIPS = frozenset(
    {
        "draft_at_source",
        "void_at_source",
        "invoice_skipped",
        "reversed_already",
        "test_mode",
        "before_cutover",
        "zero_amount",
        "fully_discounted",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One line as it must be posted: minor units, `tax` its share of the billed tax."""

    family: str
    account: str
    net: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry that settles a document; `method` is that of docs/status.md, `ref` its own id.

    `why` is the code under which it is listed instead of booked, `withdrawn` the code under which a
    booked one is listed that its source no longer has.
    """

    day: str
    method: str
    amount: int
    ref: str = ""
    why: str | None = None
    withdrawn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The expected outcome of a document.

    `reason` is that of a skip or hold; None posts it, and so does FORGOTTEN. `settled` is the amount
    settled in the ledger, in minor units (None: all that the source confirms), `settled_as` the payment
    state where it does not follow from the amount. `posted` are the lines of a posted move that differs
    from its source by now, `noted` the net and tax of a void document that its credit notes reverse.
    `cash` is the code under which money of an unposted document is listed. `lost`: the source no longer
    has the document; `waits`: its settlements are not booked yet. `detail` is compared where it is given.
    """

    reason: str | None = None
    exceptions: tuple[str, ...] = ()
    settled: int | None = None
    settled_as: str | None = None
    posted: tuple[Booked, ...] | None = None
    noted: tuple[int, int] = (0, 0)
    cash: str = "cash_without_document"
    lost: bool = False
    waits: bool = False
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of the population: its case, its identity, its amounts, and its outcome.

    `what` describes the case, `partner` is the billing account, `confirmed` the amount that the source
    confirms as settled. Amounts are minor units, positive for credit notes, too.
    """

    case: str
    what: str
    ref: str
    number: str
    kind: str
    day: date | None
    period: str | None
    partner: str
    currency: str
    net: int
    tax: int
    lines: tuple[Booked, ...]
    confirmed: int
    outcome: Outcome

    @property
    def rule(self) -> str:
        """The rule that the case is of: `S6` of `EC-S6-1`."""
        return self.case.split("-")[1]

    @property
    def total(self) -> int:
        """The billed amount with tax."""
        return self.net + self.tax

    @property
    def disposition(self) -> str:
        """The disposition: post, skip or hold."""
        reason = self.outcome.reason
        if reason in (None, FORGOTTEN):
            return "post"
        return "skip" if reason in SKIPS else "hold"

    @property
    def posted_lines(self) -> tuple[Booked, ...]:
        """The lines in the books; none for an unposted document."""
        if self.outcome.posted is not None:
            return self.outcome.posted
        return self.lines if self.disposition == "post" else ()

    @property
    def is_posted(self) -> bool:
        """Whether the document is posted, whatever its disposition is now."""
        return self.disposition == "post" or self.outcome.posted is not None

    @property
    def billed(self) -> tuple[int, int]:
        """Net and tax billed by the source since the books began, positive.

        The part of a void invoice that credit notes reverse counts as billed, since the notes count.
        """
        if self.outcome.lost or self.day is None:
            return 0, 0
        if self.disposition == "skip":
            return self.outcome.noted
        return self.net, self.tax

    @property
    def sign(self) -> int:
        """Minus one for a credit note."""
        return -1 if self.kind == "credit_note" else 1

    @property
    def settled(self) -> int:
        """The amount settled in the ledger; below zero where an older debt was added."""
        if not self.is_posted:
            return 0
        return self.confirmed if self.outcome.settled is None else self.outcome.settled

    @property
    def posted_total(self) -> int:
        """The total of the posted move."""
        return sum(line.net + line.tax for line in self.posted_lines)


def booked_entries(member: Member, entries: Sequence[Entry]) -> list[Entry]:
    """The booked settlements of a document, by date; none for an unposted one."""
    waits = member.outcome.waits or "settlement_period_locked" in member.outcome.exceptions
    booked = [each for each in entries if each.why is None]
    return (
        sorted(booked, key=lambda e: (e.day, e.method, e.amount))
        if member.is_posted and not waits
        else []
    )
