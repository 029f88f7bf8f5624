"""The rows of the gate table over cash, which are there where it is on."""

from fcb_pipelines.core.cash.gates import (
    balance_ties_out,
    cash_equals_intent,
    every_payout_adds_up,
    every_settlement_reached_the_balance,
    journal_has_the_balance,
    outstanding_is_explained,
    statements_are_valid,
)
from fcb_pipelines.core.proof.gate import Gate, Scope, warning


def balance_gate(source: str) -> Gate:
    """The gate over the balance that one source keeps, by its name (`stripe`)."""
    return Gate(
        name=f"{source}_balance_ties_out",
        scope=Scope.ALL,
        blocking=True,
        seen_on=("reconciliation/balance",),
        inputs=(f"{source}_balance_rows", f"{source}_balance_faults"),
        finds=balance_ties_out,
        proves=f"Opening balance and all transactions are the balance that {source.capitalize()} reports, to the cent, and each transaction is placed once, as whose it is.",
        recovery="Build the months named: `fcb sync --period M`. A difference that stays is the opening balance (cash.opening) or a transaction of an earlier day.",
    )


OF_CASH = (
    Gate(
        name="every_payout_adds_up", scope=Scope.ALL, blocking=True,
        seen_on=("reconciliation/payouts",),
        inputs=("payout_rows",), finds=every_payout_adds_up,
        proves="Every payout is the sum of its transactions, and each of these is in its month with that amount.",
        recovery="Build the month of the transaction named: `fcb sync --period M`; then compare the payout at the source.",
    ),
    Gate(
        name="every_settlement_reached_the_balance", scope=Scope.ALL, blocking=True,
        seen_on=("reconciliation/clearing",),
        inputs=("clearing", "clearing_last"), finds=every_settlement_reached_the_balance,
        proves="Every settlement in the books is in the balance with its amount, one to one.",
        recovery="What is under way comes with a later sync, what is unsettled with its document. Compare one that differs with its transactions at the source.",
    ),
    Gate(
        name="outstanding_is_explained", scope=Scope.ALL, blocking=True,
        seen_on=("reconciliation/clearing",),
        inputs=("clearing", "outstanding"), finds=outstanding_is_explained,
        proves="What the outstanding account has open at each month's end is what is listed as under way.",
        recovery="`fcb sync` writes an entry that is missing. Take a line that is not ours off the account by hand.",
    ),
    Gate(
        name="every_transaction_is_explained", scope=Scope.ALL, blocking=False,
        seen_on=("reconciliation/balance",),
        inputs=("cash_to_explain",), finds=warning,
        proves="No transaction is on an account for what nobody explained, or without an entry that it should have.",
        recovery="Each is named with what mends it; it stays listed. docs/cash.md has the reasons.",
    ),
    Gate(
        name="cash_equals_intent", scope=Scope.ALL, blocking=False,
        seen_on=("reconciliation/journal",),
        inputs=("cash_deltas",), finds=cash_equals_intent,
        proves="Every cash entry in the books is what its transaction makes, as it was written.",
        recovery="Undo the edit in the ledger. One that is cancelled or a draft: post it again there, or delete it there and `fcb ledger release REF`. Where its source changed, move the difference by hand: what is posted stays.",
    ),
    Gate(
        name="journal_has_the_balance", scope=Scope.ALL, blocking=False,
        seen_on=("reconciliation/journal",),
        inputs=("journal_rows",), finds=journal_has_the_balance,
        proves="The bank account of each journal has what its transactions make, at each payout and each month's end.",
        recovery="What waits is written by the next run that posts. Else somebody booked on the account by hand, or changed an entry of ours: `cash_equals_intent` names those.",
    ),
    Gate(
        name="statements_are_valid", scope=Scope.ALL, blocking=False,
        seen_on=("ledger/statements",),
        inputs=("statements",), finds=statements_are_valid,
        proves="Every statement of a balance is complete, opens where the one before it closed, and is as it was written.",
        recovery="Open the statement in the ledger: put back what was taken out of it, take out what was put in.",
    ),
)  # fmt: skip
