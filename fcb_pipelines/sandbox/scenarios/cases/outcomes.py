"""What must come out of each edge case, told by its author.

Nothing here asks the pipeline: amounts are those that were authored, and what stands settled is what
the case says.
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
    """One line as it must stand in the books: minor units, `tax` its share of the billed tax."""

    family: str
    account: str
    net: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry that settles a document; `method` is that of docs/status.md, `ref` its own id.

    With `why` it is listed for that and never booked; `gone` lists one that is booked and that its
    source no longer tells.
    """

    day: str
    method: str
    amount: int
    ref: str = ""
    why: str | None = None
    gone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What must become of a document.

    `reason` is that of a skip or hold, None posts it (FORGOTTEN too). `settled` is what stands settled in the ledger in
    minor units (None: all that the source confirms), `settled_as` the payment state where the sum does
    not say it. `stands` are the lines of a posted move that is no longer what its source says, `noted`
    what of a void one its credit notes take back (net and tax). `cash` is why money of a document that
    does not stand is listed; `lost`: its source has lost it; `waits`: what settles it is not booked yet. `detail` is asserted where
    it is told.
    """

    reason: str | None = None
    exceptions: tuple[str, ...] = ()
    settled: int | None = None
    settled_as: str | None = None
    stands: tuple[Booked, ...] | None = None
    noted: tuple[int, int] = (0, 0)
    cash: str = "cash_without_document"
    lost: bool = False
    waits: bool = False
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of the population: its case, its identity, what was billed, and its outcome.

    `partner` is the billing account, `confirmed` what the source confirms as settled. Amounts are
    positive for credit notes too.
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
        """What was billed."""
        return self.net + self.tax

    @property
    def disposition(self) -> str:
        """post, skip or hold."""
        reason = self.outcome.reason
        if reason in (None, FORGOTTEN):
            return "post"
        return "skip" if reason in SKIPS else "hold"

    @property
    def posted_lines(self) -> tuple[Booked, ...]:
        """The lines that stand in the books; none where nothing does."""
        if self.outcome.stands is not None:
            return self.outcome.stands
        return self.lines if self.disposition == "post" else ()

    @property
    def stands(self) -> bool:
        """Whether a posted move stands in the books."""
        return self.disposition == "post" or self.outcome.stands is not None

    @property
    def billed(self) -> tuple[int, int]:
        """Net and tax that the source says were billed since the books began, positive.

        What its credit notes take back of a void invoice counts as billed, since they do.
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
        """What stands settled in the ledger; below zero where an older debt stands beside it."""
        if not self.stands:
            return 0
        return self.confirmed if self.outcome.settled is None else self.outcome.settled

    @property
    def posted_total(self) -> int:
        """The total of the posted move."""
        return sum(line.net + line.tax for line in self.posted_lines)


def standing_entries(member: Member, entries: Sequence[Entry]) -> list[Entry]:
    """The settlements that must stand beside a document: none of one that does not stand itself."""
    waits = member.outcome.waits or "settlement_period_locked" in member.outcome.exceptions
    booked = [each for each in entries if each.why is None]
    return (
        sorted(booked, key=lambda e: (e.day, e.method, e.amount))
        if member.stands and not waits
        else []
    )
