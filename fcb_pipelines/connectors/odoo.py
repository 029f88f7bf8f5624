"""The production ledger: a real Odoo behind the ledger port.

Every call costs a constant number of remote calls a batch. What must happen together - a record
and its external id, a payment and its reconciliation, a posting and the proof of its date - happens
in one transaction, in the server action that setup made (`odoo_action`). So a killed process or a
lost answer leaves a whole step or none, and the next run finds by external id what is there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from fcb_pipelines.connectors.failures import (
    ContractBreach,
    EntriesRefused,
    NotAllowed,
    NotPrepared,
)
from fcb_pipelines.connectors.odoo_action import Batches
from fcb_pipelines.connectors.odoo_chart import SETUP, SOURCE_REF, Chart, look
from fcb_pipelines.connectors.odoo_company import Company, read_company, version_problem
from fcb_pipelines.connectors.odoo_connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo_moves import BATCH, PAGE, Moves, in_pages, read
from fcb_pipelines.connectors.odoo_partners import Partners
from fcb_pipelines.connectors.odoo_reading import Around, minor
from fcb_pipelines.connectors.odoo_settlements import (
    Settlements,
    assert_settleable,
    by_document,
    is_loose,
    journal_of,
)
from fcb_pipelines.connectors.odoo_setup import Setup
from fcb_pipelines.core.company import Settings
from fcb_pipelines.core.documents import LedgerDocument, Partner, Settlement
from fcb_pipelines.core.facts import Method
from fcb_pipelines.core.standing import (
    LedgerDescription,
    SetupStep,
    StandingMove,
    StandingPartner,
    StandingSettlement,
    TrialBalanceRow,
)

Item = TypeVar("Item", LedgerDocument, Settlement)


class OdooLedger:
    """The books of one company in Odoo."""

    def __init__(self, connection: OdooConnection, settings: Settings) -> None:
        self._odoo = connection
        self._settings = settings
        self._found: Chart | None = None

    @property
    def connection(self) -> OdooConnection:
        """The access that these books are reached through."""
        return self._odoo

    def describe(self) -> LedgerDescription:
        """What this Odoo is and what it lacks. Reads only."""
        company = read_company(self._odoo)
        chart = look(self._odoo, self._settings, company)
        too_old = version_problem(self._odoo.version)
        return LedgerDescription(
            adapter="odoo",
            identity=self._identity(chart, company),
            version=self._odoo.version,
            company=company.name,
            company_currency=company.currency,
            currencies=company.currencies,
            invoice_lock=company.invoice_lock,
            entry_lock=company.entry_lock,
            missing=(*too_old, *chart.missing),
        )

    def setup(self, *, dry_run: bool = False) -> tuple[SetupStep, ...]:
        """Make what is missing. Needs a user with the rights of Settings unless it is a dry run."""
        self._found = None
        return Setup(self._odoo, self._settings).run(dry_run=dry_run)

    def read_moves(self, refs: Collection[str] | None = None) -> tuple[StandingMove, ...]:
        """Our moves of these refs, in their order, or all of them."""
        if refs is not None and not refs:
            return ()
        found = self._moves().find(refs)
        wanted = found if refs is None else dict.fromkeys(refs)
        return read(
            self._moves(), {ref: found[ref] for ref in wanted if ref in found}, self._around
        )

    def read_settlements(
        self, refs: Collection[str] | None = None
    ) -> tuple[StandingSettlement, ...]:
        """Our settlements of these refs, in their order, or all of them."""
        if refs is not None and not refs:
            return ()
        found = self._settlements().find(refs)
        wanted = found if refs is None else dict.fromkeys(refs)
        return self._settlements().read(
            {ref: found[ref] for ref in wanted if ref in found}, self._around
        )

    def upsert_partners(self, partners: Sequence[Partner]) -> tuple[StandingPartner, ...]:
        """Link or make each partner; the answer has one standing partner for each of `partners`."""
        if not partners:
            return ()
        known = Partners(self._odoo, self._batches())
        for batch in in_pages(partners):
            known.upsert(batch)
        return known.standing(partners)

    def write_drafts(
        self, documents: Sequence[LedgerDocument], *, replace: Collection[str] = ()
    ) -> tuple[StandingMove, ...]:
        """Write each absent document as a draft; rebuild those drafts whose ref is in `replace`.

        Raises NotPrepared for an account, tax, partner or currency that Odoo lacks and NotAllowed
        for a date in a locked period; then nothing is written. Raises EntriesRefused with code
        tax_mismatch for those whose billed tax Odoo can't carry; the others are written then.
        """
        if not documents:
            return ()
        refs = _unique([document.ref for document in documents])
        there = self._moves().rows(list((found := self._moves().find(refs)).values()))
        drafts = {
            ref: move
            for ref, move in found.items()
            if ref in replace and there.get(move, {}).get("state") == "draft"
        }
        todo = [each for each in documents if each.ref not in found or each.ref in drafts]
        self._assert_open(todo, "invoice_lock")
        partners = self._partners(document.partner for document in todo)
        refused = [
            each
            for batch in in_pages(todo, BATCH)
            for each in self._moves().write(
                batch, partners, [drafts[each.ref] for each in batch if each.ref in drafts]
            )
        ]
        written = self.read_moves(refs)
        if refused:
            raise EntriesRefused(f"writing {len(todo)} drafts to Odoo", refused)
        return written

    def post(self, refs: Sequence[str]) -> tuple[StandingMove, ...]:
        """Post these drafts. Raises NotAllowed, and posts nothing, when one is in a locked period."""
        if not refs:
            return ()
        found = self._moves().find(refs)
        rows = self._moves().rows(list(found.values()))
        days = {
            move: row["invoice_date"] or row["date"]
            for move, row in rows.items()
            if row["state"] == "draft"
        }
        lock = read_company(self._odoo).invoice_lock
        for move, day in days.items():
            if lock is not None and date.fromisoformat(day) <= lock:
                raise _locked(f"posting {rows[move]['ref']}", day, lock)
        for batch in in_pages(list(days), BATCH):
            self._moves().post({move: days[move] for move in batch})
        return self.read_moves(refs)

    def settle(self, settlements: Sequence[Settlement]) -> tuple[StandingSettlement, ...]:
        """Write, post and reconcile each absent settlement; reconcile those that stand unmatched.

        Raises NotPrepared when a document is not posted, NotAllowed for a date in a locked period;
        then nothing is written.
        """
        if not settlements:
            return ()
        refs = _unique([each.ref for each in settlements])
        standing = {each.ref: each for each in self.read_settlements(refs)}
        new = [each for each in settlements if each.ref not in standing]
        loose = [
            each for each in settlements if each.ref in standing and is_loose(standing[each.ref])
        ]
        self._assert_open(new, "entry_lock")
        documents = {
            move.ref: move for move in self.read_moves([each.document for each in (*new, *loose)])
        }
        for each in new:
            assert_settleable(each, documents.get(each.document))
        partners = self._partners(each.partner for each in new)
        receivables = self._receivables(documents)
        moves = {ref: int(move.move_id) for ref, move in documents.items()}
        for batch in by_document([*new, *loose]):
            fresh = [each for each in batch if each.ref not in standing]
            waiting: dict[str, list[int]] = {}
            for each in batch:
                if each.ref in standing and each.document in moves:
                    entry = int(standing[each.ref].move_id)
                    waiting.setdefault(each.document, []).append(entry)
            self._settlements().write(fresh, partners, receivables, moves, waiting)
        return self.read_settlements(refs)

    def trial_balance(self) -> tuple[TrialBalanceRow, ...]:
        """Balances over the posted entries that carry our reference, by account and currency."""
        self._batches()
        domain = [("company_id", "=", self._odoo.company), ("parent_state", "=", "posted"),
                  (f"move_id.{SOURCE_REF}", "!=", False)]  # fmt: skip
        groups = self._odoo.call(
            "account.move.line",
            "formatted_read_group",
            domain,
            groupby=["account_id", "currency_id"],
            aggregates=["amount_currency:sum"],
        )
        codes = self._account_codes([row["account_id"][0] for row in groups])
        rows = [
            (codes[row["account_id"][0]], str(row["currency_id"][1]), row["amount_currency:sum"])
            for row in groups
        ]
        return tuple(
            TrialBalanceRow(account=code, currency=currency, balance=minor(balance, currency))
            for code, currency, balance in sorted(rows)
            if minor(balance, currency)
        )

    # --- parts ------------------------------------------------------------------------------------

    def _chart(self) -> Chart:
        """The chart as first found complete in what every call needs."""
        if self._found is None:
            chart = look(self._odoo, self._settings, read_company(self._odoo))
            lacking = [part for part in chart.missing if part.what in ("field", "server action")]
            if lacking:
                told = ", ".join(f"{part.what} {part.name}" for part in lacking[:5])
                raise NotPrepared(
                    f"opening Odoo database {self._odoo.database}",
                    f"it lacks {told}",
                    remedy=SETUP,
                )
            self._found = chart
        return self._found

    def _batches(self) -> Batches:
        return Batches(self._odoo, self._chart().action or 0)

    def _moves(self) -> Moves:
        residue = self._settings.policies.tax_residue
        return Moves(self._odoo, self._batches(), self._chart(), residue)

    def _settlements(self) -> Settlements:
        return Settlements(self._odoo, self._batches(), self._chart())

    def _identity(self, chart: Chart, company: Company) -> str:
        """The database's own number and the company's id; a copy that is set up gets no other."""
        if chart.action is None:
            return ""
        uuid = Batches(self._odoo, chart.action).run("identity")["uuid"]
        return f"odoo:{uuid}:{company.id}"

    def _around(self, rows: Iterable[Row], lines: Iterable[Row]) -> Around:
        """What telling these moves needs, in two calls."""
        chart, settings = self._chart(), self._settings
        partners = [row["partner_id"][0] for row in rows if row["partner_id"]]
        accounts = [line["account_id"][0] for line in lines if line["account_id"]]
        journals: dict[int, tuple[Method, ...]] = {}
        for method in Method:
            code = journal_of(method, settings)
            if code in chart.journals:
                journal = chart.journal(code)
                journals[journal] = (*journals.get(journal, ()), method)
        return Around(
            chart=chart,
            accounts=self._account_codes(accounts),
            links=Partners(self._odoo, self._batches()).links(partners),
            families=chart.families(),
            journals=journals,
        )

    def _account_codes(self, ids: Iterable[int]) -> Mapping[int, str]:
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        rows = self._odoo.rows("account.account", [("id", "in", wanted)], ["code"], archived=True)
        return {row["id"]: row["code"] or "" for row in rows}

    def _partners(self, links: Iterable[str]) -> dict[str, int]:
        wanted = list(dict.fromkeys(links))
        found = Partners(self._odoo, self._batches()).find(wanted)
        for link in wanted:
            if link not in found:
                raise NotPrepared(
                    f"writing for partner {link}", "no partner in Odoo has this link",
                    remedy="fcb sync",
                )  # fmt: skip
        return found

    def _receivables(self, documents: Mapping[str, StandingMove]) -> dict[str, int]:
        """Document ref -> id of the account that its receivable stands on."""
        ids = {int(move.move_id): ref for ref, move in documents.items()}
        found: dict[str, int] = {}
        for page in in_pages(list(ids), PAGE):
            for line in self._settlements().receivable_lines(page):
                found[ids[line["move_id"][0]]] = line["account_id"][0]
        return found

    def _assert_open(self, todo: Sequence[Item], lock_name: str) -> None:
        """Raises NotAllowed for the first that lies in a locked period, NotPrepared for a currency."""
        if not todo:
            return
        company = read_company(self._odoo)
        lock: date | None = getattr(company, lock_name)
        for each in todo:
            if lock is not None and each.date <= lock:
                raise _locked(f"writing {each.ref}", each.date.isoformat(), lock)
            if each.currency not in company.currencies:
                raise NotPrepared(
                    f"writing {each.ref}",
                    f"this Odoo does not hold {each.currency}",
                    remedy=f"activate the currency {each.currency} in Odoo",
                )


def _locked(tried: str, day: str, lock: date) -> NotAllowed:
    return NotAllowed(tried, f"its date {day} lies in the period locked to {lock}")


def _unique(refs: list[str]) -> list[str]:
    twice = {ref for ref in refs if refs.count(ref) > 1} if len(set(refs)) < len(refs) else set()
    if twice:
        raise ContractBreach("writing a batch", f"named twice in it: {sorted(twice)[0]}")
    return refs
