"""What the accounts of cash really have: the bank accounts at the end of a day, and what is outstanding."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.odoo.cash_reading import residual
from fcb_pipelines.connectors.odoo.chart import Chart
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import MEETS, SOURCE_REF
from fcb_pipelines.connectors.odoo.moves import MOVE
from fcb_pipelines.connectors.odoo.reading import minor, text
from fcb_pipelines.connectors.odoo.settlements import MATCHING
from fcb_pipelines.connectors.odoo.wanted import balances
from fcb_pipelines.core.ledger.cash import CashBalance, OutstandingItem, matching_key

_LINES = "account.move.line"
_SIDES = (
    ("debit_move_id", "debit_amount_currency", 1),
    ("credit_move_id", "credit_amount_currency", -1),
)


class CashBalances:
    """Reads the accounts of cash of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, chart: Chart) -> None:
        self._odoo = odoo
        self._chart = chart

    def at(self, asked: Sequence[CashBalance]) -> tuple[CashBalance, ...]:
        """What the bank accounts have at the end of these days, in one call a currency."""
        ours = balances(self._chart.settings)
        for each in asked:
            if each.currency not in ours:
                raise ContractBreach(
                    f"reading the balance in {each.currency}", "no journal is configured for it"
                )
        by_currency = {currency: self._days(currency, asked) for currency in ours}
        return tuple(
            CashBalance(
                currency=each.currency,
                date=each.date,
                amount=sum(
                    amount for day, amount in by_currency[each.currency].items() if day <= each.date
                ),
            )
            for each in asked
        )

    def _days(self, currency: str, asked: Iterable[CashBalance]) -> Mapping[date, int]:
        """Day -> by how much it moved the bank account, minor units, up to the last day that is asked for."""
        days = [each.date for each in asked if each.currency == currency]
        if not days:
            return {}
        own = currency == self._chart.company.currency
        account = balances(self._chart.settings)[currency].account.code
        measure = "balance:sum" if own else "amount_currency:sum"
        domain = [
            ("company_id", "=", self._odoo.company),
            ("account_id", "=", self._chart.account(account)),
            ("parent_state", "=", "posted"),
            ("date", "<=", max(days).isoformat()),
        ]
        if not own:
            domain.append(("currency_id", "=", self._chart.currency(currency)))
        groups = self._odoo.call(
            _LINES, "formatted_read_group", domain, groupby=["date:day"], aggregates=[measure]
        )
        return {
            date.fromisoformat(group["date:day"][0]): minor(group[measure], currency)
            for group in groups
        }

    def outstanding(self, days: Sequence[date]) -> tuple[tuple[OutstandingItem, ...], ...]:
        """The lines of the outstanding account that were open at the end of each of these days, in three calls."""
        account = self._chart.settings.journals.stripe.outstanding
        if account is None or not days:
            return tuple(() for _ in days)
        domain: list[Any] = [
            ("company_id", "=", self._odoo.company),
            ("account_id", "=", self._chart.account(account.code)),
            ("parent_state", "=", "posted"),
            *["|"] * (len(days) - 1),
        ]
        for day in days:
            domain += [
                "&", ("date", "<=", day.isoformat()),
                "|", "|", ("reconciled", "=", False),
                ("matched_debit_ids.max_date", ">", day.isoformat()),
                ("matched_credit_ids.max_date", ">", day.isoformat()),
            ]  # fmt: skip
        fields = ["move_id", "move_name", "date", "currency_id", "amount_residual_currency", MEETS]
        lines = self._odoo.rows(_LINES, domain, fields, order="date, id")
        matched = self._matched_after(min(days), [line["id"] for line in lines])
        refs = self._refs({line["move_id"][0] for line in lines})
        return tuple(
            tuple(
                item
                for line in lines
                if date.fromisoformat(line["date"]) <= day
                for item in [_item(line, refs.get(line["move_id"][0]), day, matched[line["id"]])]
                if item.residual
            )
            for day in days
        )

    def _matched_after(
        self, day: date, ids: Sequence[int]
    ) -> defaultdict[int, list[tuple[date, int]]]:
        """Line id -> what was matched of it after this day: on which, and minor units of its currency, debit > 0."""
        found: defaultdict[int, list[tuple[date, int]]] = defaultdict(list)
        if not ids:
            return found
        domain = [("max_date", ">", day.isoformat()), "|", ("debit_move_id", "in", ids),
                  ("credit_move_id", "in", ids)]  # fmt: skip
        names = [name for side, amount, _ in _SIDES for name in (side, amount)]
        currencies = ["debit_currency_id", "credit_currency_id"]
        for row in self._odoo.rows(MATCHING, domain, [*names, *currencies, "max_date"]):
            on = date.fromisoformat(row["max_date"])
            for (side, amount, sign), currency in zip(_SIDES, currencies, strict=True):
                found[row[side][0]].append((on, sign * minor(row[amount], str(row[currency][1]))))
        return found

    def _refs(self, moves: Collection[int]) -> dict[int, str]:
        """Move id of ours -> its ref."""
        domain = [("id", "in", sorted(moves)), (SOURCE_REF, "!=", False)]
        rows = self._odoo.rows(MOVE, domain, [SOURCE_REF]) if moves else []
        return {row["id"]: row[SOURCE_REF] for row in rows}


def _item(
    line: Row, ref: str | None, day: date, matched: Iterable[tuple[date, int]]
) -> OutstandingItem:
    """A line as it was at the end of a day: open was what is open now, and what was matched later."""
    own = text(line[MEETS])
    matched_later = sum(amount for on, amount in matched if on > day)
    return OutstandingItem(
        ref=ref,
        entry=str(line["move_name"]),
        date=date.fromisoformat(line["date"]),
        currency=str(line["currency_id"][1]),
        residual=residual(line) + matched_later,
        meets=None if ref is None else own or matching_key(ref),
    )
