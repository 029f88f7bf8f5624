"""The shapes of the status JSON, which docs/status.md describes, and of the close report's.

Amounts are integer minor units of the currency beside them; dates are ISO 8601, periods `YYYY-MM`.
"""

from collections.abc import Mapping
from typing import Literal, TypedDict

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
    """What settles a document in the ledger; negative where it is taken back."""

    date: str
    method: str
    amount: int


class Listed(TypedDict):
    """What a source says and the books do not hold, or the reverse."""

    what: str
    entry: str
    date: str | None
    amount: int
    why: str | None


class Document(TypedDict):
    """One member of the population, as its source billed it and the ledger answers it."""

    ref: str
    number: str
    period: str | None
    date: str | None
    kind: str
    disposition: str
    reason: str | None
    detail: str
    exceptions: list[str]
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
    """What is posted in one currency; credit notes are negative."""

    posted_count: int
    posted_total: int
    receivable: int
    by_family: dict[str, int]


class StatusJson(TypedDict):
    """The status of the months shown and of `unplaced`."""

    periods: dict[str, Period]
    gates: dict[str, str]
    gate_details: list[GateDetail]
    documents: list[Document]
    totals: dict[str, CurrencyTotals]
    other_service: int
    amounts: Amounts
    metering: MeteringStatus


class Snapshot(TypedDict):
    """The extract that a report was told from."""

    snapshot: str


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


class ExceptionRow(TypedDict):
    """One hold or one exception of one document, with what mends it and the lawful ways out."""

    ref: str
    number: str
    code: str
    description: str
    detail: str
    remedy: str
    alternatives: list[str]
    amount: int
    currency: str


class DoubtedTax(TypedDict):
    """One document whose tax is not what was to be expected; None where nothing can be."""

    ref: str
    number: str
    verdict: str
    detail: str
    expected: int | None
    billed: int
    difference: int
    currency: str


class TaxWitness(TypedDict):
    """How many documents came out how, and those that do not match."""

    verdicts: dict[str, int]
    rows: list[DoubtedTax]


class Owing(TypedDict):
    """What one billing account owes in one currency."""

    partner: str
    name: str | None
    currency: str
    minor: int


class SettledSum(TypedDict):
    """The settlements of one method in one currency; negative for what went back to customers."""

    currency: str
    method: str
    count: int
    total: int


class Sold(TypedDict):
    """Revenue by family and tax by key."""

    revenue_by_family: dict[str, int]
    tax_by_key: dict[str, int]


class ReportJson(Sold):
    """The close report of one month; what was sold is in the company's currency."""

    period: str
    currency: str
    company: str
    generated_from: Snapshot
    population: int
    post: int
    skip: int
    hold: int
    tie_outs: list[TieOutRow]
    gates: list[GateRow]
    gates_over_all: list[GateRow]
    exceptions: list[ExceptionRow]
    documents: list[Document]
    tax_witness: TaxWitness
    receivable: list[Owing]
    settlements: list[SettledSum]
    other_currencies: dict[str, Sold]
    metering: MeteringSection | None
