"""The window: the months that the daily sync rebuilds."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.digests import Form, digest_of_lines
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.dispositions.opening import OpeningCash
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, User
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement
from fcb_pipelines.core.periods import period_of

# Of a row every field counts, whatever its class is called.
_EVERY_FIELD = Form({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Digests of the inputs of a month's build: index rows, NexaCloud rows, ledger rows."""

    index: str
    nexacloud: str
    ledger: str


def fingerprints(
    periods: Iterable[str],
    index: Sequence[IndexRow],
    rows: Iterable[NexaCloudInvoice],
    users: Mapping[str, User],
    moves: Iterable[LedgerMove],
    settlements: Iterable[LedgerSettlement],
    opening: Mapping[str, OpeningCash],
) -> dict[str, Fingerprint]:
    """The present fingerprint of each period.

    A NexaCloud row and its user count in the month of their document. A document dated before the cutover
    counts in every month of its cash, and so do its settlements in the ledger.
    """
    wanted = {*periods}
    extracted = of_extracts(wanted, index, rows, users, opening)
    return with_ledger(extracted, index, moves, settlements, opening)


def of_extracts(
    periods: Iterable[str],
    index: Sequence[IndexRow],
    rows: Iterable[NexaCloudInvoice],
    users: Mapping[str, User],
    opening: Mapping[str, OpeningCash],
) -> dict[str, tuple[str, str]]:
    """Of each period's fingerprint the digests `index` and `nexacloud`."""
    wanted = {*periods}
    place = _months_of_members(index, wanted)
    noted = _months_of_notes(index, place)
    parts: dict[str, tuple[list[str], list[str]]] = {
        period: (_cash_of_before(period, opening), []) for period in wanted
    }
    for row, period in _months_of_rows(index, place, noted):
        parts[period][0].append(f"{row.ref} {row.body_hash}")
    for copy in rows:
        # It also says whose the notes of its document are.
        months = _places(copy.claims, place, opening) | noted.get(copy.claims or "", set())
        for period in months & wanted:
            parts[period][1].append(
                f"{_EVERY_FIELD.digest(copy)} {_EVERY_FIELD.digest(users.get(copy.user_id))}"
            )
    return {period: (digest_of_lines(a), digest_of_lines(b)) for period, (a, b) in parts.items()}


def with_ledger(
    extracted: Mapping[str, tuple[str, str]],
    index: Iterable[IndexRow],
    moves: Iterable[LedgerMove],
    settlements: Iterable[LedgerSettlement],
    opening: Mapping[str, OpeningCash],
) -> dict[str, Fingerprint]:
    """The fingerprints of these periods: the digests of their extracts with that of the ledger's rows."""
    wanted = extracted.keys()
    place = _months_of_members(index, wanted)
    lines: dict[str, list[str]] = {period: [] for period in wanted}
    for move in moves:
        # A person may have changed its date: it belongs to the month of its document.
        own = place.get(move.ref) or period_of(move.document.date)
        for period in {own, place.get(move.document.reverses or "", own)} & wanted:
            lines[period].append(
                f"{move.ref} {move.state} {move.residual} {move.accounting_date} "
                f"{move.document.content_hash} {move.stored_hash}"
            )
    for entry in settlements:
        for period in _places(entry.settlement.document, place, opening, entry.ref) & wanted:
            lines[period].append(
                f"{entry.ref} {entry.state} {entry.reconciled} {entry.settlement.content_hash}"
            )
    return {
        period: Fingerprint(
            index=documents, nexacloud=copies, ledger=digest_of_lines(lines[period])
        )
        for period, (documents, copies) in extracted.items()
    }


def months_to_rebuild(
    periods: Sequence[str],
    dispositions: Mapping[str, Sequence[Disposition]],
    built: Mapping[str, Fingerprint],
    now: Mapping[str, Fingerprint],
) -> tuple[str, ...]:
    """The last two months, and those with an open or held document or a changed fingerprint; in order.

    `dispositions` and `built` are from each month's last build; a month without one is rebuilt.
    """
    same = _unchanged_before_the_last_two(periods, built, now)
    return tuple(
        period
        for period in periods
        if period not in same or any(map(_is_open, dispositions.get(period, ())))
    )


def waiting_months(
    periods: Sequence[str],
    dispositions: Mapping[str, Sequence[Disposition]],
    built: Mapping[str, Fingerprint],
    now: Mapping[str, Fingerprint],
) -> frozenset[str]:
    """The months before the last two in which nothing is held, and whose fingerprint is that of their last build.

    Of the months to rebuild they are those that only something owed brings in.
    """
    return frozenset(
        period
        for period in _unchanged_before_the_last_two(periods, built, now)
        if all(row.verdict is not Verdict.HOLD for row in dispositions.get(period, ()))
    )


def _unchanged_before_the_last_two(
    periods: Sequence[str], built: Mapping[str, Fingerprint], now: Mapping[str, Fingerprint]
) -> frozenset[str]:
    """The months before the last two whose fingerprint is that of their last build."""
    return frozenset(period for period in periods[:-2] if built.get(period) == now[period])


def touched(built: Mapping[str, Fingerprint], now: Mapping[str, Fingerprint]) -> tuple[str, ...]:
    """The built months whose ledger rows alone changed since, as by the build of another month; in order.

    A credit note of April that is matched with an invoice of March settles March after it was built.
    """
    return tuple(
        period
        for period, then in sorted(built.items())
        if period in now
        and then.ledger != now[period].ledger
        and (then.index, then.nexacloud) == (now[period].index, now[period].nexacloud)
    )


def _months_of_members(index: Iterable[IndexRow], wanted: Collection[str]) -> dict[str, str]:
    return {
        row.ref: row.period
        for row in index
        if row.period is not None and row.period in wanted and row.is_member
    }


def _cash_of_before(period: str, opening: Mapping[str, OpeningCash]) -> list[str]:
    return [f"{ref} {one.basis}" for ref, one in opening.items() if period in one.periods]


def _places(
    ref: str | None,
    place: Mapping[str, str],
    opening: Mapping[str, OpeningCash],
    entry: str | None = None,
) -> frozenset[str]:
    """The months of a document, or of one `entry` of it: its own and those of its opening cash."""
    own = place.get(ref or "")
    cash = opening.get(ref or "")
    # An entry that its source no longer reports belongs to no month of opening cash.
    places = cash.periods if cash and (entry is None or entry in cash.refs) else frozenset()
    return places | {own} if own else places


def _months_of_notes(index: Iterable[IndexRow], place: Mapping[str, str]) -> dict[str, set[str]]:
    """The months of the credit notes of each invoice."""
    notes: dict[str, set[str]] = defaultdict(set)
    for row in index:
        if row.credits and row.ref in place:
            notes[row.credits].add(place[row.ref])
    return notes


def _months_of_rows(
    index: Sequence[IndexRow], place: Mapping[str, str], noted: Mapping[str, set[str]]
) -> Iterable[tuple[IndexRow, str]]:
    """Each row with each of its months: its own and those of its invoice or of its notes (B12)."""
    for row in index:
        found = {place.get(row.ref), place.get(row.credits or ""), *noted.get(row.ref, ())}
        yield from ((row, period) for period in found if period)


def _is_open(row: Disposition) -> bool:
    return row.verdict is Verdict.HOLD or (row.verdict is Verdict.POST and row.owed > 0)
