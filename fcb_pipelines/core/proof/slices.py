"""The part of the extracts that each month needs, so that a month costs what it holds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.dispositions.opening import OpeningCash
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The rows that one month needs: index rows by ref, NexaCloud invoices by id."""

    documents: tuple[str, ...]
    invoices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """One month of the extracts: its numbers of rows, and the digests of a Fingerprint."""

    period: str
    documents: int
    invoices: int
    index: str
    nexacloud: str


def slices(
    periods: Iterable[str],
    index: Sequence[IndexRow],
    copies: Iterable[NexaCloudInvoice],
    opening: Mapping[str, OpeningCash],
) -> dict[str, Slice]:
    """The slice of each period, `YYYY-MM`; rows keep their order.

    A document belongs to its own month and to every month of its family: an invoice and its credit notes
    are judged together (B12). One dated before the cutover belongs to the months of its cash. A document
    without a month belongs to all, its NexaCloud invoices to none.
    """
    wanted = [*periods]
    places = _places(index, opening)
    documents: dict[str, list[str]] = {period: [] for period in wanted}
    invoices: dict[str, list[str]] = {period: [] for period in wanted}
    for row in index:
        for period in wanted if row.period is None else places[row.ref]:
            if period in documents:
                documents[period].append(row.ref)
    for copy in copies:
        for period in places.get(copy.claims or "", ()):
            if period in invoices:
                invoices[period].append(copy.invoice_id)
    return {
        period: Slice(documents=tuple(documents[period]), invoices=tuple(invoices[period]))
        for period in wanted
    }


def _places(
    index: Sequence[IndexRow], opening: Mapping[str, OpeningCash]
) -> dict[str, frozenset[str]]:
    """Ref -> every month that needs the document."""
    months: dict[str, set[str]] = defaultdict(set)
    for row in index:
        if row.period is not None:
            months[row.credits or row.ref].add(row.period)
    none: frozenset[str] = frozenset()
    return {
        row.ref: frozenset(months.get(row.credits or row.ref, none))
        | (opening[row.ref].periods if row.ref in opening else none)
        for row in index
    }
