"""Transactions, settlements and the scope of a company for the tests of cash."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from fcb_pipelines.core.cash.entries import CashScope
from fcb_pipelines.core.cash.settled import SettledBy, SettledCash
from fcb_pipelines.core.codes import CashKind, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.cash import BalanceTransaction, Claim, Fee, Payout
from fcb_pipelines.core.ledger.cash import matching_key
from fcb_pipelines_tests.documents import SETTINGS

SERVICE = "stripe:acct_1"
NOON = int(datetime(2026, 4, 3, 16, tzinfo=UTC).timestamp())
DAY = 86400
OUTSTANDING, BALANCE, FEES, FEE_TAX = "111321", "111320", "551400", "118310"
TRANSIT, OTHER, DISPUTES = "111323", "215530", "118320"
PENDING, SUSPENSE, OPENING = "215540", "118330", "311900"


def settings(cash: object = None, **policies: str) -> Settings:
    """The packaged configuration with cash on, and these policies."""
    told = SETTINGS.model_dump() | {"cash": {} if cash is None else cash}
    told["policies"] = SETTINGS.policies.model_dump() | policies
    return Settings.model_validate(told)


def ref(name: str) -> str:
    return f"{SERVICE}:{name}"


def a_transaction(number: int = 1, **changes: Any) -> BalanceTransaction:
    """A charge of 113.00 by pi_7, of which 3.30 and 0.43 of tax are kept; `changes` replace fields."""
    given = {
        "ref": ref(f"txn_{number}"),
        "id": f"txn_{number}",
        "kind": CashKind.CHARGE,
        "category": str(changes.get("kind", "charge")),
        "date": date(2026, 4, 3),
        "created": NOON + number,
        "available_on": date(2026, 4, 5),
        "currency": "CAD",
        "amount": 11300,
        "fees": (
            Fee(type="stripe_fee", amount=330),
            Fee(type="tax", amount=43, is_tax=True),
        ),
        "made_by": "ch_7",
        "paid_by": ("pi_7", "ch_7"),
        "customer": "cus_1",
    } | changes
    given.setdefault("net", given["amount"] - sum(fee.amount for fee in given["fees"]))
    return BalanceTransaction(**given)


def plain(number: int, kind: CashKind, amount: int, **changes: Any) -> BalanceTransaction:
    """A transaction without a fee."""
    return a_transaction(number, kind=kind, amount=amount, fees=(), **changes)


def a_settlement(name: str = "inpay_7", amount: int = 11300, **changes: Any) -> SettledCash:
    """The payment of in_7 by pi_7; `changes` replace fields."""
    own = ref(name)
    row = SettledCash(
        ref=own,
        key=matching_key(own),
        document=ref("in_7"),
        invoice=ref("in_7"),
        method=Method.PAYMENT,
        date=date(2026, 4, 3),
        amount=amount,
        currency="CAD",
        payment_id="pi_7",
    )
    return replace(row, **changes)


def a_payout_fact(
    name: str = "po_1", amount: int = 10927, *claims: Claim, **changes: Any
) -> Payout:
    """An automatic payout with its transactions, and its own, txn_<name>; `changes` replace fields."""
    given = {
        "ref": ref(name),
        "id": name,
        "date": date(2026, 4, 3),
        "created": NOON + 5 * DAY,
        "arrives": date(2026, 4, 10),
        "currency": "CAD",
        "amount": amount,
        "status": "paid",
        "is_automatic": True,
        "claims": claims,
        "transactions": (f"txn_{name}",),
    } | changes
    return Payout(**given)


def a_claim(one: BalanceTransaction) -> Claim:
    """A transaction as its payout lists it."""
    return Claim(id=one.id, category=one.category, date=one.date, net=one.net)


def a_scope(*settled: SettledCash, **changes: Any) -> CashScope:
    """Everything is known of a company whose one customer is cus_1."""
    scope = CashScope(
        settled=SettledBy(settled),
        customers=frozenset({"cus_1"}),
        metadata_key="nexacloud_user_id",
        until=NOON + 100 * DAY,
        today=date(2026, 7, 1),
    )
    return replace(scope, **changes)
