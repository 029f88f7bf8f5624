"""Rules T1-T6: families, rates, residues, exports."""

from fcb_pipelines.sandbox.scenarios.builders.provinces import billed_in
from fcb_pipelines.sandbox.scenarios.builders.sales import Customer
from fcb_pipelines.sandbox.scenarios.cases import customers
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoPaying, lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Paying, sale
from fcb_pipelines.sandbox.scenarios.cases.items import (
    HST_ON,
    LUMP_QC,
    VAT_GB,
    ZERO_RATED,
    Item,
    backup,
    hosting,
    managed,
)
from fcb_pipelines.sandbox.scenarios.cases.notes import note
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Scenario

# Case, customer, day, the rates billed there, and the total of 100.00 sold.
_RATES: tuple[tuple[str, Customer, str, str, int], ...] = (
    ("T3-1", customers.ON, "2025-06-23", "HST 13 % of Ontario", 11300),
    ("T3-2", customers.NS, "2025-03-31", "HST 15 % of Nova Scotia, on its last day", 11500),
    ("T3-3", customers.NS, "2025-04-01", "HST 14 % of Nova Scotia, on its first day", 11400),
    ("T3-4", customers.NB, "2025-06-23", "HST 15 % of New Brunswick", 11500),
    ("T3-5", customers.NL, "2025-06-23", "HST 15 % of Newfoundland and Labrador", 11500),
    ("T3-6", customers.PE, "2025-06-23", "HST 15 % of Prince Edward Island", 11500),
    ("T3-7", customers.AB, "2025-06-23", "GST 5 % of Alberta", 10500),
    ("T3-8", customers.YT, "2025-06-23", "GST 5 % of a territory", 10500),
    ("T3-9", customers.QC, "2025-06-23", "GST and QST: two lines, QST not on the GST", 11498),
    ("T3-10", customers.BC, "2025-06-23", "GST and PST 7 % of British Columbia", 11200),
    ("T3-11", customers.MB, "2025-06-23", "GST and PST 7 % of Manitoba", 11200),
    ("T3-12", customers.SK, "2025-06-23", "GST and PST 6 % of Saskatchewan", 11100),
)


def write(scenario: Scenario) -> None:
    """Write every case of these rules."""
    _families(scenario)
    _residues(scenario)
    _rates(scenario)
    _witnessed(scenario)
    _original_rate(scenario)
    _exports(scenario)


def _families(scenario: Scenario) -> None:
    lines = (
        ("Odoo ERP Hosting - Plus", "hosting"),
        ("WordPress Website Hosting - Managed", "hosting"),
        ("Managed Odoo - Standard", "managed"),
        ("Daily Backup", "addons"),
        ("WhatsApp", "addons"),
        ("Forms Builder", "addons"),
        ("White Label", "addons"),
        ("Training, half a day", "other"),
    )
    sale(
        scenario, "T1-1", "A line of each family, and one of none", customers.ON, "2025-05-27",
        [Item(description=what, family=family, net=1000) for what, family in lines],
        payments=[Paying(at="2025-05-27 12:05", amount=9040)],
    )  # fmt: skip


def _residues(scenario: Scenario) -> None:
    sale(
        scenario, "T2-1", "Tax rounded line by line: a cent more than on the whole",
        customers.ON, "2025-05-28", [hosting(1005), backup(1005)], taxes=[262],
        payments=[Paying(at="2025-05-28 12:05", amount=2272)],
    )  # fmt: skip
    sale(
        scenario, "T2-2", "Tax further from its rate than rounding explains",
        customers.ON, "2025-05-29", [hosting(10000)], taxes=[1305],
        outcome=Outcome(reason="tax_mismatch"),
    )  # fmt: skip
    sale(
        scenario, "T2-3", "Taxed as a whole, no line says its own",
        customers.QC, "2025-05-30", [hosting(3333), managed(6667)], taxed_lines=False,
        payments=[Paying(at="2025-05-30 12:05", amount=11498)],
    )  # fmt: skip


def _rates(scenario: Scenario) -> None:
    for case, who, day, what, total in _RATES:
        sale(
            scenario, case, what, who, day, [hosting(10000)],
            payments=[Paying(at=f"{day} 12:05", amount=total)],
        )  # fmt: skip
    lago_sale(
        scenario, "T3-13", "Lago: GST and QST", customers.QC, "2025-06-24", [hosting(10000)],
        payments=[LagoPaying(at="2025-06-24 15:00", amount=11498)],
    )  # fmt: skip
    unknown = Outcome(reason="tax_unknown")
    sale(
        scenario, "T3-14", "A tax that is not configured", customers.GB, "2025-06-24", [hosting(10000)],
        rates=(VAT_GB,), outcome=unknown,
    )  # fmt: skip
    sale(
        scenario, "T3-15", "GST and QST as one lump", customers.QC, "2025-06-25", [hosting(10000)],
        rates=(LUMP_QC,), outcome=unknown,
    )  # fmt: skip


def _witnessed(scenario: Scenario) -> None:
    sale(
        scenario, "T4-1", "No tax, and no reason given: as billed",
        customers.ON, "2025-06-25", [hosting(2000)], rates=(),
        payments=[Paying(at="2025-06-25 12:05", amount=2000)],
    )  # fmt: skip
    sale(
        scenario, "T4-2", "Ontario's tax billed to Alberta: as billed",
        customers.AB, "2025-06-25", [hosting(2000)], rates=(HST_ON,),
        payments=[Paying(at="2025-06-25 12:05", amount=2260)],
    )  # fmt: skip
    sale(
        scenario, "T4-3", "Quebec's second tax is missing: as billed",
        customers.QC, "2025-06-26", [hosting(2000)], rates=billed_in("AB", scenario.as_of.date()),
        payments=[Paying(at="2025-06-26 12:05", amount=2100)],
    )  # fmt: skip


def _original_rate(scenario: Scenario) -> None:
    billed = sale(
        scenario, "T5-1", "Billed in Nova Scotia at 15 %", customers.NS, "2025-03-25", [hosting(10000)],
        outcome=Outcome(settled=2300),
    )  # fmt: skip
    note(
        scenario, "T5-1-CN1", "Credited in April, still at 15 %, on the account of what it takes back",
        billed, "2025-04-10", [hosting(2000, description="Goodwill for an outage")],
    )  # fmt: skip


def _exports(scenario: Scenario) -> None:
    sale(
        scenario, "T6-1", "An export without tax: zero-rated", customers.US, "2025-06-27",
        [hosting(5000)], payments=[Paying(at="2025-06-27 12:05", amount=5000)],
    )  # fmt: skip
    sale(
        scenario, "T6-2", "An export that the source calls zero-rated", customers.US, "2025-06-27",
        [managed(5000)], rates=(ZERO_RATED,),
        payments=[Paying(at="2025-06-27 12:06", amount=5000)],
    )  # fmt: skip
    sale(
        scenario, "T6-3", "An exempt customer in Canada", customers.EXEMPT, "2025-06-30",
        [hosting(5000)], rates=(), tax_exempt="exempt",
        payments=[Paying(at="2025-06-30 12:05", amount=5000)],
    )  # fmt: skip
    lago_sale(
        scenario, "T6-4", "Lago: zero-rated", customers.US, "2025-06-30", [backup(5000)],
        rates=(ZERO_RATED,), payments=[LagoPaying(at="2025-06-30 15:00", amount=5000)],
    )  # fmt: skip
