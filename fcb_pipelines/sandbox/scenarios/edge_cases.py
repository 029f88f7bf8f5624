"""The packaged datasets `edge-cases` and `edge-cases-later`: every accounting case.

Both have the same name in their dataset.yaml, so that the second runs over the home of the first: the same
world a month later.
"""

from datetime import date

import yaml

from fcb_pipelines.sandbox.scenarios.builders.authored import ACCOUNT, ORGANIZATION, TIMEZONE
from fcb_pipelines.sandbox.scenarios.builders.cash_side import with_cash
from fcb_pipelines.sandbox.scenarios.builders.copies import user_row
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles
from fcb_pipelines.sandbox.scenarios.builders.objects import stripe_rate
from fcb_pipelines.sandbox.scenarios.cases import (
    amount_cases,
    cash_cases,
    customers,
    erased_cases,
    identity_cases,
    judged_cases,
    note_cases,
    settlement_cases,
    tax_cases,
)
from fcb_pipelines.sandbox.scenarios.cases.expected import expected_status, table_of_cases
from fcb_pipelines.sandbox.scenarios.cases.items import RATES
from fcb_pipelines.sandbox.scenarios.cases.scenario import FIRST_PERIOD, Scenario

NAME = "edge-cases"
LATER = f"{NAME}-later"
LOCKED_UNTIL = date(2025, 3, 10)

_RULES = (
    identity_cases,
    amount_cases,
    tax_cases,
    settlement_cases,
    note_cases,
    judged_cases,
    cash_cases,
    erased_cases,
)
_NEWEST_FIRST = {
    "stripe/invoices": "created",
    "stripe/invoice_payments": "created",
    "stripe/credit_notes": "created",
    "stripe/refunds": "created",
    "stripe/disputes": "created",
    "stripe/balance_transactions": "created",
    "lago/invoices": "created_at",
    "lago/payments": "created_at",
    "lago/credit_notes": "created_at",
}

# These gates list unbooked documents and cash, and these datasets have some of each.
_LISTED = dict.fromkeys(
    ("nothing_is_lost", "cash_without_document", "credit_has_an_origin"), "warn"
)
_TAXED_OTHERWISE = {"tax_as_expected": "warn"}

# Warnings that follow from no member's outcome: a payment waits for its locked period (D4), a note
# reduces a document of the opening balance (B12), tax is billed as the witness does not expect it
# (T2-T4), and two accounts have one email (A9, A12).
_WAITS = dict.fromkeys(
    ("read_back_equals_intent", "dates_as_intended", "residuals_match_source"), "warn"
)
_GATES = {
    "2025-03": _WAITS,
    "2025-04": _WAITS,
    "2025-05": _TAXED_OTHERWISE,
    "2025-06": _TAXED_OTHERWISE | {"shared_email": "warn"},
    "all": {"completeness": "pass", "receivable_ties_out": "pass", **_LISTED},
}

# A month later, documents voided or changed after posting fail until a person corrects them (D1, D2).
_GATES_LATER = _GATES | {
    "2025-07": {"read_back_equals_intent": "fail", "residuals_match_source": "fail"},
    "all": {"completeness": "pass", "receivable_ties_out": "fail", **_LISTED},
}


def edge_scenario(*, later: bool, corrected: bool = False) -> Scenario:
    """Every case, at the end of July 2025 or (`later`) of August."""
    scenario = Scenario(later=later, corrected=corrected)
    for rules in _RULES:
        rules.write(scenario)
    return scenario


def edge_files(*, later: bool, corrected: bool = False) -> DatasetFiles:
    """The content of one of the two datasets, or of the second after a person `corrected` it."""
    scenario = edge_scenario(later=later, corrected=corrected)
    files = DatasetFiles(
        described={
            "name": NAME,
            "timezone": TIMEZONE,
            "currency": "CAD",
            "first_period": FIRST_PERIOD,
            "as_of": scenario.as_of.date(),
            "stripe": {"account": ACCOUNT},
            "lago": {"organization": ORGANIZATION},
            "books": {"locked_until": LOCKED_UNTIL},
        },
        nexacloud={
            "users": [user_row(customer) for customer in customers.users(later=later)],
            "plans": [],
            "deployments": [],
            "subscriptions": [],
            "usage_records": [],
            **scenario.tables(),
        },
        sources={
            "stripe/tax_rates": [stripe_rate(rate) for rate in RATES],
            **{
                name: sorted(scenario.sources[name], key=lambda each: each[field], reverse=True)
                for name, field in _NEWEST_FIRST.items()
            },
        },
        expected=expected_status(
            scenario.members,
            scenario.entries,
            scenario.periods,
            scenario.other_service,
            _GATES_LATER if later else _GATES,
        ),
        more={"cases.yaml": cases_yaml(scenario)},
    )
    return with_cash(files)


def cases_yaml(scenario: Scenario) -> str:
    """The table of cases: a row a document, by case."""
    return yaml.safe_dump(
        table_of_cases(scenario.members), sort_keys=False, allow_unicode=True, width=100
    )
