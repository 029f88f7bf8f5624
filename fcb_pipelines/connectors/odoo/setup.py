"""Setup creates missing accounts, journals, currencies, fields and the server actions.

Taxes are found, never created. A person's later changes stay, and the ledger's description lists them.
Accounts, journals and the actions get an external id, by which they are found again (`parts`).
Setup needs a user with the rights of Settings; a sync does not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from fcb_pipelines.connectors.failures import NotPrepared, PermanentFailure
from fcb_pipelines.connectors.odoo.action import NAME, VERSION
from fcb_pipelines.connectors.odoo.chart import BANK_ACCOUNT, Chart, read_chart
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import (
    wanted_fields,
)
from fcb_pipelines.connectors.odoo.making import make_actions, make_fields
from fcb_pipelines.connectors.odoo.parts import (
    ACCOUNT,
    ACTION,
    JOURNAL,
    name_part,
    part_ref,
)
from fcb_pipelines.connectors.odoo.rights import assert_may_set_up
from fcb_pipelines.connectors.odoo.taxes import CONFIGURATION
from fcb_pipelines.connectors.odoo.views import VIEW, VIEWS, View, make_view
from fcb_pipelines.connectors.odoo.wanted import (
    Balance,
    balances,
    made_journals,
    own_sales_journal,
    wanted_accounts,
    wanted_currencies,
)
from fcb_pipelines.core.company.settings import Journal, Settings
from fcb_pipelines.core.ledger.description import SetupStep
from fcb_pipelines.core.refs import ACTION_REF, READING_REF

Make = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: what is to be done about it, if anything, and the outcome once it is done.

    One that `decorates` may be refused by Odoo: setup says so and goes on.
    """

    what: str
    name: str
    make: Make | None = None
    done: str = "made"
    decorates: bool = False

    def outcome(self, *, dry_run: bool) -> str:
        """What setup tells of this part."""
        if self.make is None:
            return "found"
        return _WOULD[self.done] if dry_run else self.done


_WOULD = {"made": "would make", "unarchived": "would unarchive", "removed": "would remove"}


class Setup:
    """One run over the parts, in the order they need each other."""

    def __init__(
        self, connection: OdooConnection, settings: Settings, *, unarchive: bool = False
    ) -> None:
        self._odoo = connection
        self._settings = settings
        self._unarchive = unarchive

    def run(self, *, dry_run: bool) -> tuple[SetupStep, ...]:
        """Find every part and, unless it is a dry run, create the missing ones.

        An archived part is found; it is un-archived only where that was asked for. Raises NotAllowed,
        before anything is made, for a user who may not make the parts.
        """
        chart = read_chart(self._odoo, self._settings)
        parts = list(self._parts(chart))
        if not dry_run and any(part.make for part in parts):
            assert_may_set_up(self._odoo)
        steps = []
        for part in parts:
            outcome = part.outcome(dry_run=dry_run)
            if part.make and not dry_run:
                try:
                    part.make()
                except PermanentFailure as refused:
                    if not part.decorates:
                        raise
                    outcome = f"not {part.done}: {refused}"
            steps.append(SetupStep(what=part.what, name=part.name, outcome=outcome))
        return tuple(steps)

    def _parts(self, chart: Chart) -> Iterator[Part]:
        if self._unarchive:
            yield from self._archived(chart)
        yield from self._accounts(chart)
        journals = self._settings.journals
        for journal in own_sales_journal(self._settings):
            yield self._journal(journal, "sale", chart)
        for journal in (journals.stripe, journals.off_platform):
            yield from self._bank_journal(journal, chart)
        for journal in (journals.customer_credit, journals.adjustments):
            yield self._journal(journal, "general", chart)
        for balance in balances(self._settings).values():
            yield from self._balance_journal(balance, chart)
        yield from self._currencies(chart)
        yield from self._fields(chart)
        make = None if chart.action.ids is not None else partial(make_actions, self._odoo)
        yield Part(what="server action", name=f"{NAME} {VERSION}", make=make)
        yield self._external_ids(chart)
        yield from self._views(chart)
        for name in self._taxes(chart):
            yield Part(what="tax", name=name)

    def _archived(self, chart: Chart) -> Iterator[Part]:
        found = {ACCOUNT: chart.accounts, JOURNAL: chart.journals}
        for model, rows in found.items():
            for code, row in rows.items():
                if not row["active"]:
                    yield Part(
                        what=model.removeprefix("account."),
                        name=_named(code, row, ""),
                        make=partial(
                            self._odoo.call, model, "write", [row["id"]], {"active": True}
                        ),
                        done="unarchived",
                    )

    def _accounts(self, chart: Chart) -> Iterator[Part]:
        for wanted in wanted_accounts(self._settings):
            account = wanted.account
            found = chart.accounts.get(account.code)
            values = {
                "code": account.code,
                "name": account.name,
                "account_type": wanted.type,
                "reconcile": wanted.reconcile,
            }
            yield Part(
                what="account",
                name=_named(account.code, found, account.name),
                make=None if found else partial(self._make_account, values, wanted.currency),
            )

    def _journal(self, journal: Journal, kind: str, chart: Chart) -> Part:
        found = chart.journals.get(journal.code)
        return Part(
            what="journal",
            name=_named(journal.code, found, journal.name),
            make=None if found else partial(self._make_journal, journal, kind),
        )

    def _bank_journal(self, journal: Journal, chart: Chart) -> Iterator[Part]:
        yield self._journal(journal, "bank", chart)
        if journal.outstanding is None:
            return
        lines = chart.lines.get(journal.code, ())
        account = journal.outstanding.code
        # An account that a person chose stays; a journal that is made here has none yet.
        known = journal.code in chart.journals
        found_all = known and all(line["account"] for line in lines)
        make = partial(self._set_outstanding, journal.code, account)
        yield Part(
            what="outstanding account",
            name=f"{account} of {journal.code}",
            make=None if found_all else make,
        )

    def _balance_journal(self, balance: Balance, chart: Chart) -> Iterator[Part]:
        """The journal of a balance, and its bank account: set where nothing was booked on another."""
        code = balance.journal.code
        if balance.currency is not None:
            yield self._journal(balance.journal, "bank", chart)
        bank = chart.banks.get(code)
        right = bank is not None and (bank.account == balance.account.code or bank.is_used)
        yield Part(
            what=BANK_ACCOUNT,
            name=f"{balance.account.code} of {code}",
            make=None if right else partial(self._set_bank_account, balance),
        )

    def _external_ids(self, chart: Chart) -> Part:
        """The external ids of the parts; those of books of an earlier version are given here."""
        lacking = [
            code
            for model, rows, codes in self._ours(chart)
            for code in codes
            if code not in rows
            or chart.refs.get(part_ref(self._odoo.company, model, code)) != rows[code]["id"]
        ]
        named = chart.refs.keys() >= {ACTION_REF, READING_REF}
        make = None if named and not lacking else self._name_parts
        return Part(what="external ids", name="accounts, journals and the server action", make=make)

    def _ours(self, chart: Chart) -> Iterator[tuple[str, Mapping[str, Row], list[str]]]:
        """(model, its records by code, the codes of those that setup makes)."""
        yield ACCOUNT, chart.accounts, [one.account.code for one in wanted_accounts(self._settings)]
        yield JOURNAL, chart.journals, [journal.code for journal in made_journals(self._settings)]

    def _name_parts(self) -> None:
        chart = read_chart(self._odoo, self._settings)
        for model, rows, codes in self._ours(chart):
            for code in codes:
                ref, record = part_ref(self._odoo.company, model, code), int(rows[code]["id"])
                if chart.refs.get(ref) != record:
                    name_part(self._odoo, ref, model, record)
        if (ids := chart.action.ids) is not None:
            for ref, action in ((ACTION_REF, ids.writing), (READING_REF, ids.reading)):
                if ref not in chart.refs:
                    name_part(self._odoo, ref, ACTION, action)

    def _currencies(self, chart: Chart) -> Iterator[Part]:
        for name in wanted_currencies(self._settings):
            active = name in chart.company.currency_ids
            make = None if active else partial(self._activate, name)
            yield Part(what="currency", name=name, make=make)

    def _fields(self, chart: Chart) -> Iterator[Part]:
        wanted = [
            (model, *field)
            for model, fields in wanted_fields(self._settings).items()
            for field in fields
        ]
        lacking = [each for each in wanted if f"{each[0]}.{each[1]}" not in chart.fields]
        # All with the first that is missing: Odoo loads its models anew after each call.
        make: Make = partial(make_fields, self._odoo, lacking)
        for each in wanted:
            named = f"{each[0]}.{each[1]}"
            yield Part(what="field", name=named, make=make if each in lacking else None)
            make = _with_the_first if each in lacking else make

    def _views(self, chart: Chart) -> Iterator[Part]:
        """Each view, last of all that is made: nothing waits for it, and Odoo may refuse it."""
        for view in VIEWS:
            found = chart.refs.get(view.ref)
            if self._settings.odoo.views:
                make = None if found else partial(self._make_view, view)
                yield Part(what="view", name=view.name, make=make, decorates=True)
            elif found:
                remove = partial(self._odoo.call, VIEW, "unlink", [found])
                yield Part(what="view", name=view.name, make=remove, done="removed")

    def _make_view(self, view: View) -> None:
        name_part(self._odoo, view.ref, VIEW, make_view(self._odoo, view))

    def _taxes(self, chart: Chart) -> Iterator[str]:
        for tax in self._settings.taxes:
            if tax.key in chart.taxes:
                yield tax.odoo_name
        for group in self._settings.tax_groups:
            if frozenset(group.taxes) in chart.groups:
                yield group.odoo_name

    def _make_account(self, values: dict[str, object], currency: str | None) -> None:
        if currency is not None:
            values = {**values, "currency_id": self._currency(currency)}
        self._odoo.call("account.account", "create", [values])

    def _make_journal(self, journal: Journal, kind: str) -> None:
        values = {"code": journal.code, "name": journal.name, "type": kind,
                  "company_id": self._odoo.company,
                  # Where somebody looks every day: what is billed, and what came in.
                  "show_on_dashboard": kind in ("sale", "bank")}  # fmt: skip
        for balance in balances(self._settings).values():
            if balance.journal.code == journal.code:
                # Odoo would make a bank account of its own.
                values["default_account_id"] = self._account(balance.account.code)
                if balance.currency is not None:
                    values["currency_id"] = self._currency(balance.currency)
        self._odoo.call("account.journal", "create", [values])

    def _set_bank_account(self, balance: Balance) -> None:
        """A journal that is made here has its account already."""
        chart = read_chart(self._odoo, self._settings)
        account = {"default_account_id": chart.account(balance.account.code)}
        self._odoo.call("account.journal", "write", [chart.journal(balance.journal.code)], account)

    def _account(self, code: str) -> int:
        chart = read_chart(self._odoo, self._settings)
        return chart.account(code)

    def _currency(self, name: str) -> int:
        found = self._odoo.rows("res.currency", [("name", "=", name)], ["id"], archived=True)
        if not found:
            raise _no_currency(name)
        return int(found[0]["id"])

    def _activate(self, currency: str) -> None:
        """Activate a currency. The company enters the rates; until then nothing is posted in it."""
        found = self._odoo.rows("res.currency", [("name", "=", currency)], ["id"], archived=True)
        if not found:
            raise _no_currency(currency)
        self._odoo.call("res.currency", "write", [row["id"] for row in found], {"active": True})

    def _set_outstanding(self, journal: str, account: str) -> None:
        chart = read_chart(self._odoo, self._settings)
        lines = [line for line in chart.lines.get(journal, ()) if not line["account"]]
        ids = [line["id"] for line in lines]
        self._odoo.call(
            "account.payment.method.line", "write", ids,
            {"payment_account_id": chart.account(account)},
        )  # fmt: skip


def _named(code: str, found: Row | None, name: str) -> str:
    if found is None:
        return f"{code} {name}"
    now = f" (now {found['code']})" if found["code"] != code else ""
    return f"{code} {found['name']}{now}{'' if found['active'] else ' (archived)'}"


def _no_currency(name: str) -> NotPrepared:
    tried = f"activating the currency {name}"
    return NotPrepared(tried, "Odoo knows none of this name", remedy=CONFIGURATION)


def _with_the_first() -> None:
    """Nothing: the field is created with the first one that is missing."""
