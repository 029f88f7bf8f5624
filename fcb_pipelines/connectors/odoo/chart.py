"""The accounts, journals, taxes and fields that our documents need, out of what was read of Odoo.

The chart has the found parts - ids to write with, keys to read back with - and the missing ones, each
with its remedy. Nothing is created here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.odoo.action import FoundAction
from fcb_pipelines.connectors.odoo.company import Company, company_of
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.facts import Facts, read_facts
from fcb_pipelines.connectors.odoo.fields import SETUP, missing_fields, wanted_fields
from fcb_pipelines.connectors.odoo.parts import ACCOUNT, JOURNAL, Parts, choose
from fcb_pipelines.connectors.odoo.rights import Right
from fcb_pipelines.connectors.odoo.taxes import CONFIGURATION, Taxes
from fcb_pipelines.connectors.odoo.views import missing_views
from fcb_pipelines.connectors.odoo.wanted import (
    Wanted,
    balances,
    journal_types,
    read_accounts,
    wanted_currencies,
)
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.documents.families import OTHER, UNITEMISED
from fcb_pipelines.core.ledger.description import MissingPart

UNARCHIVE = f"{SETUP} --unarchive"
BANK_ACCOUNT = "bank account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The bank account of a journal, by code; `is_used`: it is not the configured one, and has entries."""

    account: str
    is_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The parts found in Odoo (code, key or name -> id), and those missing.

    Accounts and journals go by the configured code, archived ones too; `refs` has the external ids that
    setup gave to them. `taxes` is tax key -> id, `groups` the ids of group taxes by their keys. `lines`
    has the payment method lines of each journal code and their account, `banks` the bank account of each
    journal of a balance, `lacking` the rights that were asked for and that the user lacks.
    """

    settings: Settings
    company: Company
    accounts: Mapping[str, Row]
    journals: Mapping[str, Row]
    refs: Mapping[str, int]
    lines: Mapping[str, tuple[Row, ...]]
    banks: Mapping[str, "Bank"]
    fields: frozenset[str]
    action: FoundAction
    taxes: Mapping[str, int]
    groups: Mapping[frozenset[str], int]
    lacking: tuple[Right, ...]
    missing: tuple[MissingPart, ...]
    _keys: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def account(self, code: str) -> int:
        """Id of the account with this code."""
        return self._id(self.accounts, "account", code)

    def journal(self, code: str) -> int:
        """Id of the journal with this code."""
        return self._id(self.journals, "journal", code)

    def currency(self, name: str) -> int:
        """Id of an active currency."""
        if name not in self.company.currency_ids:
            remedy = f"activate the currency {name} in Odoo"
            raise NotPrepared(f"using currency {name}", "it is not active in Odoo", remedy=remedy)
        return self.company.currency_ids[name]

    def families(self) -> dict[str, str]:
        """Income account code -> the family that is booked there."""
        accounts = self.settings.accounts
        built_in = {accounts.other.code: OTHER, accounts.unitemised.code: UNITEMISED}
        return built_in | {each.account.code: each.key for each in self.settings.families}

    def tax_ids(self, keys: tuple[str, ...]) -> list[int]:
        """The ids of the taxes of a line: their group tax where there is one, else each of them."""
        group = self.groups.get(frozenset(keys))
        if group is not None and len(keys) > 1:
            return [group]
        return [self.tax(key) for key in keys]

    def tax(self, key: str) -> int:
        """Id of the tax with this configured key."""
        if key not in self.taxes:
            remedies = [part.remedy for part in self.missing if part.what == "tax"]
            raise NotPrepared(
                f"using tax {key}",
                "Odoo has no such tax",
                remedy=remedies[0] if remedies else SETUP,
            )
        return self.taxes[key]

    def keys(self, tax_ids: Iterable[int]) -> tuple[str, ...]:
        """The configured keys of these taxes; a group has the keys of its taxes."""
        if not self._keys:
            self._keys.update({tax: (key,) for key, tax in self.taxes.items()})
            self._keys.update({tax: tuple(keys) for keys, tax in self.groups.items()})
        # A tax that is not configured is named by its id, so that a person's edit shows.
        found = {key for tax in tax_ids for key in self._keys.get(tax, (f"odoo tax {tax}",))}
        return tuple(sorted(found))

    def _id(self, rows: Mapping[str, Row], what: str, name: str) -> int:
        if name not in rows:
            raise NotPrepared(f"using {what} {name}", f"Odoo has no such {what}", remedy=SETUP)
        if not rows[name]["active"]:
            raise NotPrepared(f"using {what} {name}", "it is archived in Odoo", remedy=UNARCHIVE)
        return int(rows[name]["id"])


def read_chart(
    connection: OdooConnection, settings: Settings, rights: Sequence[Right] = ()
) -> Chart:
    """The chart of this company now, and which of these rights its user lacks; `facts` says in how many calls.

    Raises the failures of `OdooConnection`.
    """
    facts = read_facts(connection, settings, rights)
    wanted = read_accounts(settings)
    receivable = settings.accounts.receivable
    codes, journal_codes = [each.account.code for each in wanted], list(journal_types(settings))
    accounts = choose(codes, facts.accounts, facts.parts(ACCOUNT, codes))
    found = facts.answers["journals"]
    journals = choose(journal_codes, found, facts.parts(JOURNAL, journal_codes))
    owner = company_of(facts.answers)
    lines = _method_lines(facts, journals.rows)
    banks = _banks(connection, facts, settings, journals.rows)
    taxes = Taxes(facts.answers, facts.codes, settings)
    return Chart(
        settings=settings,
        company=owner,
        accounts=accounts.rows,
        journals=journals.rows,
        refs=facts.refs,
        lines=lines,
        banks=banks,
        fields=facts.fields,
        action=facts.action,
        taxes=taxes.ids,
        groups=taxes.groups,
        lacking=facts.lacking,
        missing=(
            *_missing_accounts(wanted, accounts, receivable.code),
            *_missing_journals(settings, journals.rows, lines),
            *_missing_banks(settings, banks),
            *missing_fields(facts.fields, facts.action, wanted_fields(settings)),
            *(missing_views(settings, facts.refs) if facts.action.ids is not None else ()),
            *_missing_currencies(settings, owner),
            *taxes.missing,
        ),
    )


def _missing_accounts(
    wanted: Iterable[Wanted], found: Parts, receivable: str
) -> Iterable[MissingPart]:
    for each in wanted:
        code = each.account.code
        row = found.rows.get(code)
        if row is None:
            remedy = CONFIGURATION if code == receivable else SETUP
            yield each.missing(remedy)
        elif not row["active"]:
            yield each.missing(UNARCHIVE)
        elif code in found.twice:
            names = " and ".join(f"{one['name']} (id {one['id']})" for one in found.twice[code])
            yield each.missing(f"{names} have this code: archive one of them in Odoo")
        elif row["code"] != code:
            yield each.missing(
                f"{row['name']} has the code {row['code']} in Odoo now: give it {code} again, "
                f"or {CONFIGURATION}"
            )
        elif not each.fits(row["account_type"]):
            remedy = f"{code} is {row['name']}, of type {row['account_type']}: {CONFIGURATION}"
            yield each.missing(remedy)


def _missing_journals(
    settings: Settings, found: Mapping[str, Row], lines: Mapping[str, tuple[Row, ...]]
) -> Iterable[MissingPart]:
    of_cash = {one.journal.code for one in balances(settings).values() if one.currency}
    for code, kind in journal_types(settings).items():
        row = found.get(code)
        if row is None:
            sales = settings.journals.sales
            remedy = CONFIGURATION if code == sales.code and not sales.name else SETUP
            yield _lacking("journal", code, remedy, cash=code in of_cash)
        elif not row["active"]:
            yield _lacking("journal", f"{code} {row['name']}", UNARCHIVE, cash=code in of_cash)
        elif row["type"] != kind:
            remedy = f"{code} is a journal of type {row['type']}: {CONFIGURATION}"
            yield _lacking("journal", code, remedy, cash=code in of_cash)
    for journal in (settings.journals.stripe, settings.journals.off_platform):
        account = journal.outstanding
        if account is None:
            name = f"outstanding account of {journal.code}"
            yield MissingPart(what="journal", name=name, remedy=CONFIGURATION)
            continue
        for line in lines.get(journal.code, ()):
            if line["account"] != account.code:
                name = f"outstanding account {account.code} of {journal.code}"
                remedy = SETUP if not line["account"] else (
                    f"{line['account']} is set on payment method {line['name']}: change it in Odoo, "
                    f"or {CONFIGURATION}"
                )  # fmt: skip
                yield MissingPart(what="journal", name=name, remedy=remedy)


def _missing_banks(settings: Settings, banks: Mapping[str, Bank]) -> Iterable[MissingPart]:
    """The journals of balances whose bank account in Odoo is another than the configured one."""
    for one in balances(settings).values():
        bank = banks.get(one.journal.code)
        if bank is not None and bank.account != one.account.code:
            remedy = SETUP if not bank.is_used else (
                f"its bank account is {bank.account}, and has entries: name that one in the section "
                f"cash, or {CONFIGURATION}"
            )  # fmt: skip
            yield _lacking(
                BANK_ACCOUNT, f"{one.account.code} of {one.journal.code}", remedy, cash=True
            )


def _lacking(what: str, name: str, remedy: str, *, cash: bool) -> MissingPart:
    return MissingPart(what=what, name=name, remedy=remedy, taxes=() if cash else None, cash=cash)


def _missing_currencies(settings: Settings, owner: Company) -> Iterable[MissingPart]:
    """The configured currencies that can't be posted; documents in other currencies go on."""
    for name in wanted_currencies(settings):
        if name not in owner.currency_ids:
            yield MissingPart(what="currency", name=name, remedy=SETUP, taxes=())
        elif name not in owner.currencies:
            remedy = f"give {name} rates in Odoo, from the first document's day on"
            yield MissingPart(what="currency", name=f"rates of {name}", remedy=remedy, taxes=())


def _banks(
    connection: OdooConnection, facts: Facts, settings: Settings, journals: Mapping[str, Row]
) -> dict[str, Bank]:
    """The bank accounts of the journals of balances that are there; {} with cash off.

    Only of another account than the configured one it is asked, in a call, whether it has entries.
    """
    wanted = {one.journal.code: one.account.code for one in balances(settings).values()}
    found = {code: journals[code]["default_account_id"] for code in wanted if code in journals}
    ids = {code: int(account[0]) if account else 0 for code, account in found.items()}
    others = [id_ for code, id_ in ids.items() if facts.codes.get(id_) != wanted[code]]
    used = _with_entries(connection, others) if others else set()
    return {
        code: Bank(account=facts.codes.get(id_, ""), is_used=id_ in used)
        for code, id_ in ids.items()
    }


def _with_entries(connection: OdooConnection, accounts: Sequence[int]) -> set[int]:
    groups = connection.call(
        "account.move.line",
        "formatted_read_group",
        [("account_id", "in", list(accounts))],
        groupby=["account_id"],
        aggregates=["__count"],
    )
    return {int(group["account_id"][0]) for group in groups}


def _method_lines(facts: Facts, journals: Mapping[str, Row]) -> dict[str, tuple[Row, ...]]:
    """The payment method lines of our bank journals, with the code of their account."""
    ids = {row["id"]: code for code, row in journals.items() if row["type"] == "bank"}
    lines: dict[str, tuple[Row, ...]] = {}
    for row in facts.answers["method lines"]:
        code = ids.get(row["journal_id"][0])
        if code is not None:
            chosen = row["payment_account_id"]
            account = facts.codes.get(chosen[0]) if chosen else None
            lines[code] = (*lines.get(code, ()), {**row, "account": account})
    return lines
