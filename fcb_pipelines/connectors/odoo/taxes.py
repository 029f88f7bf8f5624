"""The configured sale taxes in Odoo: found by name and checked by rate, never created."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from fcb_pipelines.connectors.odoo.connection import Read, Row, search
from fcb_pipelines.core.company.settings import Settings, Tax
from fcb_pipelines.core.ledger.description import MissingPart

CONFIGURATION = "correct the configuration file (FCB_CONFIG)"


class Taxes:
    """Found taxes (`ids`: tax key -> id; `groups`: the keys of a group -> its id) and missing ones."""

    def __init__(
        self, answers: Mapping[str, Any], codes: Mapping[int, str], settings: Settings
    ) -> None:
        """Out of the answers to `tax_reads`; `codes` has the code of each account that they post to."""
        self.ids: dict[str, int] = {}
        self.groups: dict[frozenset[str], int] = {}
        self.missing: list[MissingPart] = []
        found = {row["name"]: row for row in reversed(answers["taxes"])}
        accounts = _tax_accounts(answers["tax lines"], codes)
        for tax in settings.taxes:
            self._take(tax, found.get(tax.odoo_name), accounts)
        for group in settings.tax_groups:
            self._take_group(group.odoo_name, group.taxes, found.get(group.odoo_name))

    def _take(self, tax: Tax, row: Row | None, accounts: Mapping[int, set[str]]) -> None:
        if row is None:
            self._lacks((tax.key,), tax.odoo_name, "taxes are found, never made: activate it in Odoo, or name "
                        f"another as odoo_name of {tax.key}")  # fmt: skip
            return
        rate = Decimal(str(row["amount"]))
        if row["amount_type"] != "percent" or rate != tax.percentage or row["price_include"]:
            self._lacks((tax.key,), tax.odoo_name, f"it is {row['amount_type']} {rate}, wanted is "
                        f"{tax.percentage} % on top of the price: {CONFIGURATION}")  # fmt: skip
            return
        self.ids[tax.key] = row["id"]
        posts_to = accounts.get(row["id"], set())
        if tax.account and posts_to != {tax.account}:
            actual = ", ".join(sorted(posts_to)) or "no account"
            self._lacks((tax.key,), f"{tax.odoo_name} on account {tax.account}",
                        f"it posts to {actual}: change it in Odoo, or the account of {tax.key}")  # fmt: skip

    def _take_group(self, name: str, keys: tuple[str, ...], row: Row | None) -> None:
        if row is None or row["amount_type"] != "group":
            self._lacks((), name, f"a group tax is wanted: activate it in Odoo, or {CONFIGURATION}")
            return
        children = {self.ids.get(key) for key in keys}
        if children != set(row["children_tax_ids"]):
            self._lacks((), name, f"it does not consist of {', '.join(keys)}: {CONFIGURATION}")
            return
        self.groups[frozenset(keys)] = row["id"]

    def _lacks(self, taxes: tuple[str, ...], name: str, remedy: str) -> None:
        # Without a group its taxes are posted one by one, so a missing group stops nothing.
        self.missing.append(MissingPart(what="tax", name=name, remedy=remedy, taxes=taxes))


def tax_reads(company: int, settings: Settings) -> dict[str, Read]:
    """What `Taxes` needs: the taxes of these names, and where they post to."""
    names = [tax.odoo_name for tax in settings.taxes]
    names += [group.odoo_name for group in settings.tax_groups]
    ours = {
        "company_id": ("parent_of", [company]), "type_tax_use": ("=", "sale"), "name": ("in", names),
    }  # fmt: skip
    return {
        "taxes": search(
            "account.tax",
            [(name, *wanted) for name, wanted in ours.items()],
            ["name", "amount", "amount_type", "children_tax_ids", "price_include"],
        ),
        "tax lines": search(
            "account.tax.repartition.line",
            [("repartition_type", "=", "tax"),
             *((f"tax_id.{name}", *wanted) for name, wanted in ours.items())],
            ["tax_id", "account_id"],
        ),
    }  # fmt: skip


def _tax_accounts(lines: Iterable[Row], codes: Mapping[int, str]) -> dict[int, set[str]]:
    """The account codes that each tax posts to, on invoices and credit notes alike."""
    found: dict[int, set[str]] = {}
    for row in lines:
        if row["account_id"]:
            found.setdefault(row["tax_id"][0], set()).add(codes[row["account_id"][0]])
    return found
