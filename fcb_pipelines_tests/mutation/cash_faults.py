"""Faults of cash: in what a source tells of its balance, in where it is placed, in the books, in the rules."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from fcb_pipelines.core.cash.entries import CashScope
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.defs.journal import Edit, removed, replacing
from fcb_pipelines_tests.mutation.fault import Fault, Layer
from fcb_pipelines_tests.mutation.ledger_faults import Journal
from fcb_pipelines_tests.mutation.seams import Seed, instead

TIES, PAYOUT, REACHED, EXPLAINED, SAME, HELD, STATED = (
    "stripe_balance_ties_out",
    "every_payout_adds_up",
    "every_settlement_reached_the_balance",
    "outstanding_is_explained",
    "cash_equals_intent",
    "journal_has_the_balance",
    "statements_are_valid",
)
MONTH = "2025-03"
TRANSACTIONS = keys.source_key("stripe", "balance_transactions")
Change = Callable[[pd.DataFrame], pd.DataFrame]


def fault(
    name: str, case: str, seed: Callable[[Any], Any], *trips: str, frame: Any = None
) -> Fault:
    """One fault: of a month's frame where `frame` names it, of the books, or (a patcher) of a rule."""
    return Fault(
        name=name, case=case, layer=Layer.CASH, seed=seed, trips=frozenset(trips), month=MONTH,
        frame=frame,
    )  # fmt: skip


def charge(frame: pd.DataFrame) -> int:
    """The place of the month's first charge."""
    return int(frame.index[frame["kind"] == "charge"][0])


def a_cent(frame: pd.DataFrame) -> pd.DataFrame:
    """A charge of a cent more than it is."""
    found = frame.copy()
    for column in ("amount", "net"):
        found.loc[charge(found), column] += 1
    return found


def lost(frame: pd.DataFrame) -> pd.DataFrame:
    """A charge that is not listed."""
    return frame.drop(index=charge(frame)).reset_index(drop=True)


def doubled(frame: pd.DataFrame) -> pd.DataFrame:
    """A charge that is listed twice."""
    return pd.concat([frame, frame.loc[[charge(frame)]]], ignore_index=True)


def with_attrs(change: Change) -> Change:
    """The change with what the frame says of itself kept."""

    def seed(frame: pd.DataFrame) -> pd.DataFrame:
        found = change(frame)
        found.attrs = frame.attrs
        return found

    return seed


def of_another(frame: pd.DataFrame) -> pd.DataFrame:
    """A charge that another service of the company made."""
    found = frame.copy()
    at = charge(found)
    found.loc[at, "customer"] = "cus_else"
    found.loc[at, "paid_by"] = json.dumps(["pi_else"])
    return found


def entry(change: Edit, wanted: str = '  kind: "charge"\n') -> Callable[[Any], None]:
    """An edit of the first entry of the journal with this line."""
    return lambda bench: Journal(bench.journal).edit(wanted, change)


def a_cent_to_the_fee(text: str) -> str:
    """An entry whose fee is a cent more, and its bank line a cent less."""
    for account, cents in (("551400", 1), ("111320", -1)):
        text = re.sub(
            rf"({account}\S+  )(-?[\d.]+)",
            lambda found, cents=cents: f"{found[1]}{Decimal(found[2]) + Decimal(cents).scaleb(-2)}",
            text,
            count=1,
        )
    return text


def copied(bench: Any) -> None:
    """A charge's entry once more, under another id of ours, in no statement."""
    journal = Journal(bench.journal)
    text = journal.first('  kind: "charge"\n')
    own = text.partition('external_id: "')[2].partition('"')[0]
    journal.add(text.replace(own, f"{own}-again", 1), MONTH)


def by_hand(bench: Any) -> None:
    """An entry of a person on the bank account."""
    Journal(bench.journal).add(
        f'{MONTH}-28 * "By hand"\n'
        "  Assets:111320-NexaCloud-Stripe-Balance  0.01 CAD\n"
        "  Assets:111321-NexaCloud-Stripe-Outstanding-Receipts  -0.01 CAD",
        MONTH,
    )


@dataclass(frozen=True, slots=True)
class OfTheRule:
    """A seed that takes a patcher: a rule that gets something wrong, from the placing on.

    `change` is what besides becomes of the month's transactions, so that the rule meets its case.
    """

    seed: Seed
    change: Change

    def __call__(self, patch: pytest.MonkeyPatch) -> None:
        self.seed(patch)


CASH_FAULTS = (
    # What the source tells.
    fault("A transaction a cent more than it was", "C1", with_attrs(a_cent), TIES, PAYOUT, frame=TRANSACTIONS),
    fault("A transaction lost", "C1", with_attrs(lost), TIES, PAYOUT, frame=TRANSACTIONS),
    fault("A transaction listed twice", "C1", with_attrs(doubled), TIES, frame=TRANSACTIONS),
    fault("A transaction that is another service's after all", "C6", with_attrs(of_another), SAME, frame=TRANSACTIONS),
    # In the books.
    fault("A fee a cent more in the books, the bank line a cent less", "C2", entry(a_cent_to_the_fee), SAME),
    fault("A charge's entry removed", "C1", entry(removed), SAME, HELD, EXPLAINED),
    fault("A charge's entry set back to draft", "D3", entry(replacing(r"^(\d\S+) \*", r"\1 !")), SAME, HELD, EXPLAINED),
    fault("A charge's entry on another day", "C1", entry(replacing(r"^\d{4}-\d\d-\d\d", f"{MONTH}-31")), SAME, HELD),
    fault("A charge's entry twice, under another id of ours", "C1", copied, SAME, HELD, EXPLAINED),
    fault("A cent by hand on the bank account", "C2", by_hand, HELD),
    # In the rules.
    fault("A transaction of another service posted as ours", "C6", OfTheRule(instead(CashScope.has, lambda self, one: True), with_attrs(of_another)), TIES),
)  # fmt: skip
