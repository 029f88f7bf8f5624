"""The shapes of the JSON of the status (described in docs/status.md) and of the close report.

Amounts are integer minor units of the currency beside them; dates are ISO 8601, periods `YYYY-MM`.
"""

from collections.abc import Mapping
from typing import Literal, TypedDict

from fcb_pipelines.core.cash.shapes import CashSection, CashStatus
from fcb_pipelines.core.close.report_shapes import (
    AgeingRow,
    Changes,
    FamilyCompared,
    Found,
    OpenDocument,
    RollForward,
)
from fcb_pipelines.core.events.proof import EventsSection, EventsStatus
from fcb_pipelines.core.metering.shapes import MeteringSection, MeteringStatus

Count = Literal["population", "post", "skip", "hold"]

# Currency -> measure -> source, posted and listed.
Amounts = Mapping[str, Mapping[str, Mapping[str, int]]]


class Period(TypedDict):
    """The members of one month, or of `unplaced`, and the outcome of each gate."""

    population: int
    post: int
    skip: int
    hold: int
    gates: dict[str, str]


class GateDetail(TypedDict):
    """A gate that does not pass."""

    gate: str
    period: str | None
    outcome: str
    count: int
    detail: str
    sample: list[str]
    recovery: str


class Line(TypedDict):
    """One intended line of a document."""

    family: str
    account: str
    net: int
    tax: int


class Settled(TypedDict):
    """One settlement of a document in the ledger; `amount` is negative for a reversal."""

    date: str
    method: str
    amount: int


class Listed(TypedDict):
    """One amount that a source has and the books lack, or the reverse."""

    what: str
    entry: str
    date: str | None
    amount: int
    why: str | None


class Document(TypedDict):
    """One member of the population, as billed by its source and as held by the ledger."""

    ref: str
    number: str
    period: str | None
    date: str | None
    kind: str
    disposition: str
    reason: str | None
    detail: str
    exceptions: list[str]
    acknowledged: list[str]
    partner: str | None
    currency: str
    net: int
    tax: int
    total: int
    paid: int
    state: str
    payment_state: str
    lines: list[Line]
    settlements: list[Settled]
    listed: list[Listed]


class CurrencyTotals(TypedDict):
    """The posted totals of one currency; credit notes are negative."""

    posted_count: int
    posted_total: int
    receivable: int
    by_family: dict[str, int]


class StatusJson(TypedDict):
    """The status of the months shown and of `unplaced`; `snapshot` is that of the last extract."""

    periods: dict[str, Period]
    gates: dict[str, str]
    gate_details: list[GateDetail]
    documents: list[Document]
    totals: dict[str, CurrencyTotals]
    other_service: int
    amounts: Amounts
    metering: MeteringStatus
    events: EventsStatus
    cash: CashStatus | None
    snapshot: str


class Made(TypedDict):
    """What a report was made from, and by which version; `digest` is that of the whole report without it."""

    snapshot: str
    version: str
    digest: str


class BilledRow(TypedDict):
    """Where one measure of one currency stands: `billed` is posted, draft, held, listed or different."""

    measure: str
    currency: str
    billed: int
    posted: int
    draft: int
    held: int
    listed: int
    unknown: int
    difference: int


class TieOutRow(TypedDict):
    """Two amounts that must be equal."""

    name: str
    currency: str
    left_label: str
    left: int
    right_label: str
    right: int
    difference: int
    ok: bool


class GateRow(TypedDict):
    """One gate; `detail` is empty where it passes."""

    name: str
    outcome: str
    description: str
    detail: str
    count: int
    recovery: str


class Acknowledged(TypedDict):
    """Who acknowledged an exception, when (UTC), why, and the last day on which it holds."""

    by: str
    at: str
    note: str
    until: str | None


class ExceptionRow(TypedDict):
    """One hold or one exception of one document, with its remedy, its options and whom it waits for."""

    ref: str
    number: str
    code: str
    description: str
    detail: str
    remedy: str
    alternatives: list[str]
    amount: int
    currency: str
    is_held: bool
    date: str | None
    partner: str | None
    owner: str
    acknowledged: Acknowledged | None


class QueueRow(ExceptionRow):
    """An exception in the queue of all months.

    `period` is None for a document without a month; `first_seen` is the day on which its ref first had this
    code, `age` the days since.
    """

    period: str | None
    first_seen: str
    age: int


class QueueJson(TypedDict):
    """The queue as of a day; `waiting` and `acknowledged` count its rows, shown or not."""

    as_of: str
    waiting: int
    acknowledged: int
    exceptions: list[QueueRow]


class DoubtedTax(TypedDict):
    """One document whose tax differs from the expected; `expected` is None where none can be computed."""

    ref: str
    number: str
    verdict: str
    detail: str
    expected: int | None
    billed: int
    difference: int
    currency: str


class TaxWitness(TypedDict):
    """The number of documents by verdict, and those that do not match."""

    verdicts: dict[str, int]
    rows: list[DoubtedTax]


class Owing(TypedDict):
    """The receivable of one billing account in one currency."""

    partner: str
    name: str | None
    currency: str
    minor: int


class SettledSum(TypedDict):
    """The settlements of one method in one currency; `total` is negative for refunds."""

    currency: str
    method: str
    count: int
    total: int


class Sold(TypedDict):
    """Revenue by family and tax by key."""

    revenue_by_family: dict[str, int]
    tax_by_key: dict[str, int]


class TaxRow(TypedDict):
    """One tax as billed: `base` and `amount` of the posted documents, credit notes negative."""

    key: str
    name: str
    percentage: str
    jurisdiction: str
    account: str | None
    currency: str
    base: int
    amount: int


class ReportJson(Sold):
    """The close report of one month; revenue and tax are in the company's currency.

    `customers` maps each billing account of a document to its name, where NexaCloud knows one, `links` each
    document, of other months those that are open, to where it is found.
    """

    period: str
    currency: str
    company: str
    generated_from: Made
    population: int
    post: int
    skip: int
    hold: int
    billed: list[BilledRow]
    tie_outs: list[TieOutRow]
    gates: list[GateRow]
    gates_over_all: list[GateRow]
    exceptions: list[ExceptionRow]
    documents: list[Document]
    tax_witness: TaxWitness
    receivable: list[Owing]
    roll_forward: list[RollForward]
    ageing: list[AgeingRow]
    open_documents: list[OpenDocument]
    revenue_compared: list[FamilyCompared]
    settlements: list[SettledSum]
    other_currencies: dict[str, Sold]
    taxes: list[TaxRow]
    customers: dict[str, str]
    links: dict[str, Found]
    changes: Changes
    metering: MeteringSection | None
    events: EventsSection | None
    cash: CashSection | None
