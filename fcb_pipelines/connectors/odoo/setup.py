"""Setup creates missing accounts, journals, currencies, fields and the server action.

Taxes are found, never created. A person's later changes stay, and the ledger's description lists them.
Setup needs a user with the rights of Settings; a sync does not.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.odoo.action import NAME, VERSION
from fcb_pipelines.connectors.odoo.action_code import CODE, MODULE
from fcb_pipelines.connectors.odoo.chart import CURRENT, Chart, read_chart, wanted_accounts
from fcb_pipelines.connectors.odoo.company import read_company
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.fields import DOCUMENT_REF, FIELDS, REVERSES_REF, SOURCE_REF
from fcb_pipelines.connectors.odoo.taxes import CONFIGURATION
from fcb_pipelines.core.company.settings import Journal, Settings
from fcb_pipelines.core.ledger.description import SetupStep

Make = Callable[[], object]
Part = tuple[str, str, bool, Make]


class Setup:
    """One run over the parts, in the order they need each other."""

    def __init__(self, connection: OdooConnection, settings: Settings) -> None:
        self._odoo = connection
        self._settings = settings

    def run(self, *, dry_run: bool) -> tuple[SetupStep, ...]:
        """Find every part and, unless it is a dry run, create the missing ones."""
        steps = []
        chart = read_chart(self._odoo, self._settings, read_company(self._odoo))
        for what, name, found, make in self._parts(chart):
            if not found and not dry_run:
                make()
            outcome = "found" if found else "would make" if dry_run else "made"
            steps.append(SetupStep(what=what, name=name, outcome=outcome))
        return tuple(steps)

    def _parts(self, chart: Chart) -> Iterator[Part]:
        yield from self._accounts(chart)
        journals = self._settings.journals
        for journal in (journals.stripe, journals.off_platform):
            yield from self._bank_journal(journal, chart)
        for journal in (journals.customer_credit, journals.adjustments):
            yield (
                "journal",
                _named(journal.code, chart.journals.get(journal.code), journal.name),
                journal.code in chart.journals,
                partial(self._make_journal, journal, "general"),
            )
        yield from self._currencies(chart)
        yield from self._fields(chart)
        yield ("server action", f"{NAME} {VERSION}", chart.action.id is not None, self._make_action)
        for name in self._taxes(chart):
            yield ("tax", name, True, _nothing)

    def _accounts(self, chart: Chart) -> Iterator[Part]:
        for wanted in wanted_accounts(self._settings):
            account = wanted.account
            values = {
                "code": account.code,
                "name": account.name,
                "account_type": wanted.type,
                "reconcile": wanted.type == CURRENT,
            }
            yield (
                "account",
                _named(account.code, chart.accounts.get(account.code), account.name),
                account.code in chart.accounts,
                partial(self._odoo.call, "account.account", "create", [values]),
            )

    def _bank_journal(self, journal: Journal, chart: Chart) -> Iterator[Part]:
        found = chart.journals.get(journal.code)
        name = _named(journal.code, found, journal.name)
        yield ("journal", name, found is not None, partial(self._make_journal, journal, "bank"))
        if journal.outstanding is None:
            return
        lines = chart.lines.get(journal.code, ())
        account = journal.outstanding.code
        # An account that a person chose stays; a journal that is made here has none yet.
        found_all = bool(found) and all(line["account"] for line in lines)
        yield (
            "outstanding account",
            f"{account} of {journal.code}",
            found_all,
            partial(self._set_outstanding, journal.code, account),
        )

    def _currencies(self, chart: Chart) -> Iterator[Part]:
        for name in self._settings.currencies:
            active = name in chart.company.currency_ids
            yield ("currency", name, active, partial(self._activate, name))

    def _fields(self, chart: Chart) -> Iterator[Part]:
        wanted = [(model, *field) for model, fields in FIELDS.items() for field in fields]
        lacking = [each for each in wanted if f"{each[0]}.{each[1]}" not in chart.fields]
        # All with the first that is missing: Odoo loads its models anew after each call.
        make: Make = partial(self._make_fields, lacking)
        for each in wanted:
            yield ("field", f"{each[0]}.{each[1]}", each not in lacking, make)
            make = _nothing if each in lacking else make

    def _taxes(self, chart: Chart) -> Iterator[str]:
        for tax in self._settings.taxes:
            if tax.key in chart.taxes:
                yield tax.odoo_name
        for group in self._settings.tax_groups:
            if frozenset(group.taxes) in chart.groups:
                yield group.odoo_name

    def _make_journal(self, journal: Journal, kind: str) -> None:
        values = {"code": journal.code, "name": journal.name, "type": kind,
                  "company_id": self._odoo.company, "show_on_dashboard": False}  # fmt: skip
        self._odoo.call("account.journal", "create", [values])

    def _activate(self, currency: str) -> None:
        """Activate a currency. The company enters the rates; until then nothing is posted in it."""
        found = self._odoo.rows("res.currency", [("name", "=", currency)], ["id"], archived=True)
        if not found:
            raise NotPrepared(
                f"activating the currency {currency}", "Odoo knows none of this name",
                remedy=CONFIGURATION,
            )  # fmt: skip
        self._odoo.call("res.currency", "write", [row["id"] for row in found], {"active": True})

    def _set_outstanding(self, journal: str, account: str) -> None:
        (row,) = self._odoo.rows("account.account", [("code", "=", account)], ["id"])
        lines = self._odoo.rows(
            "account.payment.method.line",
            [("journal_id.code", "=", journal), ("payment_account_id", "=", False),
             ("journal_id.company_id", "=", self._odoo.company)],
            ["id"],
        )  # fmt: skip
        ids = [line["id"] for line in lines]
        self._odoo.call(
            "account.payment.method.line", "write", ids, {"payment_account_id": row["id"]}
        )

    def _make_fields(self, lacking: Sequence[tuple[str, str, str]]) -> None:
        models = self._odoo.rows(
            "ir.model", [("model", "in", sorted({model for model, _, _ in lacking}))], ["model"]
        )
        ids = {row["model"]: row["id"] for row in models}
        values = [
            {
                "model_id": ids[model],
                "name": name,
                "field_description": label,
                "ttype": "char",
                # A duplicate or reversal that a person makes is not the source's document.
                "copied": False,
                "index": name in (SOURCE_REF, DOCUMENT_REF, REVERSES_REF),
                "help": f"Written by {MODULE}.",
            }
            for model, name, label in lacking
        ]
        self._odoo.call("ir.model.fields", "create", values)

    def _make_action(self) -> None:
        """Create the action or update it to this version; its id goes into a field's help text."""
        (model,) = self._odoo.rows("ir.model", [("model", "=", "account.move")], ["id"])
        values = {"name": NAME, "model_id": model["id"], "state": "code", "code": CODE}
        known = self._odoo.rows("ir.actions.server", [("name", "=", NAME)], ["id"])
        if known:
            action = known[0]["id"]
            self._odoo.call("ir.actions.server", "write", [action], values)
        else:
            (action,) = self._odoo.call("ir.actions.server", "create", [values])
        (field,) = self._odoo.rows(
            "ir.model.fields", [("model", "=", "account.move"), ("name", "=", SOURCE_REF)], ["id"]
        )
        note = f"Written by {MODULE}, with server action {action}, version {VERSION}."
        self._odoo.call("ir.model.fields", "write", [field["id"]], {"help": note})


def _named(code: str, found: dict[str, object] | None, name: str) -> str:
    return f"{code} {found['name'] if found else name}"


def _nothing() -> None:
    """Nothing: the part exists, or is created with another one."""
