"""The tax witness recomputes tax from address and date, and only reports."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Kind, Status
from fcb_pipelines.core.dispositions.decide import decide
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts, LineFacts, TaxFacts
from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines.core.money import spread
from fcb_pipelines.core.proof.tax_witness import (
    Address,
    WitnessRow,
    WitnessVerdict,
    address_of,
    due_in,
    tax_witness,
    witness,
)
from fcb_pipelines.sandbox.scenarios.builders.provinces import PLACES, billed_in
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    DAY,
    LAST_PERIOD,
    USER,
    a_case,
    a_copy,
    a_line,
    an_invoice,
    without_lines,
)

MATCH, DIFFERS = WitnessVerdict.MATCH, WitnessVerdict.DIFFERS
UNKNOWN, EXEMPT = WitnessVerdict.UNKNOWN_ADDRESS, WitnessVerdict.EXEMPT
CHANGE = date(2025, 4, 1)

Rates = Mapping[str, str]
GST: Rates = {"gst": "5"}

# Written down from the law, not read from the configuration.
PROVINCES: Mapping[str, Rates] = {
    "AB": GST,
    "BC": {"gst": "5", "pst": "7"},
    "MB": {"gst": "5", "pst": "7"},
    "NB": {"hst": "15"},
    "NL": {"hst": "15"},
    "NT": GST,
    "NU": GST,
    "ON": {"hst": "13"},
    "PE": {"hst": "15"},
    "QC": {"gst": "5", "qst": "9.975"},
    "SK": {"gst": "5", "pst": "6"},
    "YT": GST,
}


def rates_of(state: str, day: date) -> Rates:
    """What the law says."""
    if state == "NS":
        return {"hst": "14"} if day >= CHANGE else {"hst": "15"}
    return PROVINCES[state]


def billed(
    state: str, rates: Rates, *nets: int, inclusive: bool = False, **changes: Any
) -> InvoiceFacts:
    """An invoice of these amounts to a customer in a province, taxed half-up at these rates.

    With `inclusive` the amounts contain the tax.
    """
    nets = nets or (20000,)
    together = 1 + sum(Decimal(rate) for rate in rates.values()) / 100
    whole = Decimal(sum(nets)) / (together if inclusive else 1)
    taxes = []
    for type_, rate in rates.items():
        amount = (whole * Decimal(rate) / 100).quantize(Decimal(1), ROUND_HALF_UP)
        federal = type_ == "gst"
        taxes.append(
            TaxFacts(
                type=type_,
                percentage=Decimal(rate),
                amount=int(amount),
                country="CA",
                state=None if federal else state,
                inclusive=inclusive,
            )
        )
    shares = [spread(tax.amount, nets) for tax in taxes]
    lines = tuple(line(n, net, taxes, [s[n] for s in shares]) for n, net in enumerate(nets))
    tax = sum(each.amount for each in taxes)
    net = sum(each.net for each in lines)
    shown = BillTo(state=state, country="CA")
    facts = an_invoice("in_1", *lines, net=net, tax=tax, total=net + tax, taxes=tuple(taxes))
    return replace(facts, **{"bill_to": shown} | changes)


def line(number: int, amount: int, taxes: list[TaxFacts], shares: list[int]) -> LineFacts:
    own = tuple(replace(tax, amount=share) for tax, share in zip(taxes, shares, strict=True))
    net = amount - sum(tax.amount for tax in own if tax.inclusive)
    return a_line(net, key=f"il_{number}", taxes=own)


def row_of(facts: InvoiceFacts, user: User | None = None) -> WitnessRow:
    return witness(facts, address_of(facts.bill_to, user), None, SETTINGS)


def amounts(row: WitnessRow) -> dict[str, int]:
    return {tax.key: tax.amount for tax in row.expected}


def a_user(state: str | None, country: str | None) -> User:
    nothing = dict.fromkeys(User.__dataclass_fields__)
    return User(**nothing | {"id": USER, "billing_state": state, "billing_country": country})


# --- the table --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "day", "expected"),
    [
        ("AB", DAY, {"gst_5": 1000}),
        ("BC", DAY, {"gst_5": 1000, "pst_7_bc": 1400}),
        ("MB", DAY, {"gst_5": 1000, "pst_7_mb": 1400}),
        ("NB", DAY, {"hst_15": 3000}),
        ("NL", DAY, {"hst_15": 3000}),
        ("NS", date(2025, 3, 31), {"hst_15": 3000}),
        ("NS", CHANGE, {"hst_14": 2800}),
        ("NT", DAY, {"gst_5": 1000}),
        ("NU", DAY, {"gst_5": 1000}),
        ("ON", DAY, {"hst_13": 2600}),
        ("PE", DAY, {"hst_15": 3000}),
        ("QC", DAY, {"gst_5": 1000, "qst_9975": 1995}),
        ("SK", DAY, {"gst_5": 1000, "pst_6_sk": 1200}),
        ("YT", DAY, {"gst_5": 1000}),
    ],
)
def test_t3_every_province_has_its_own_taxes_on_its_own_days(
    state: str, day: date, expected: dict[str, int]
) -> None:
    row = row_of(billed(state, rates_of(state, day), date=day))
    assert amounts(row) == expected
    assert (row.verdict, row.difference) == (MATCH, 0)
    assert (row.state, row.country, row.address_from) == (state, "CA", "document")


@pytest.mark.parametrize(
    ("state", "rates", "day", "difference", "detail"),
    [
        ("NS", {"hst": "15"}, CHANGE, 200,
         "NS, on 2025-04-01: expected hst_14 28.00, billed hst_15 30.00"),
        ("NS", {"hst": "14"}, date(2025, 3, 31), -200,
         "NS, on 2025-03-31: expected hst_15 30.00, billed hst_14 28.00"),
        ("AB", {"hst": "13"}, DAY, 1600,
         "AB, on 2026-04-03: expected gst_5 10.00, billed hst 13 % 26.00"),
        ("ON", {}, DAY, -2600,
         "ON, on 2026-04-03: expected hst_13 26.00, billed no tax"),
        ("QC", GST, DAY, -1995,
         "QC, on 2026-04-03: expected gst_5 10.00 + qst_9975 19.95, billed gst_5 10.00"),
    ],
)  # fmt: skip
def test_t4_tax_that_does_not_fit_is_told_with_both_sides_and_the_difference(
    state: str, rates: Rates, day: date, difference: int, detail: str
) -> None:
    row = row_of(billed(state, rates, date=day))
    assert (row.verdict, row.difference, row.detail) == (DIFFERS, difference, detail)
    assert row.difference == row.billed_tax - row.expected_tax


def test_two_taxes_that_only_sum_to_what_is_expected_differ() -> None:
    row = row_of(billed("SK", {"gst": "6", "pst": "5"}))
    assert (row.verdict, row.difference) == (DIFFERS, 0)


def test_qst_is_on_the_base_and_not_on_the_gst() -> None:
    on_gst = {"gst": "5", "qst": "10.47375"}
    row = row_of(billed("QC", on_gst, 100000))
    assert amounts(row)["qst_9975"] == 9975
    assert (row.verdict, row.difference) == (DIFFERS, 10474 - 9975)


@pytest.mark.parametrize(("off", "verdict"), [(0, MATCH), (1, MATCH), (-1, MATCH), (2, DIFFERS)])
def test_a_residue_of_one_minor_unit_a_tax_is_no_difference(
    off: int, verdict: WitnessVerdict
) -> None:
    facts = billed("ON", {"hst": "13"}, 4425)
    (tax,) = facts.taxes
    assert tax.amount == 575
    row = row_of(replace(facts, taxes=(replace(tax, amount=575 + off),), tax=575 + off))
    assert (row.verdict, row.difference) == (verdict, off)


@pytest.mark.parametrize(("off", "verdict"), [(2, MATCH), (-3, MATCH), (4, DIFFERS)])
def test_t7_tax_rounded_line_by_line_is_no_difference(off: int, verdict: WitnessVerdict) -> None:
    facts = billed("ON", {"hst": "13"}, *[1997] * 6)
    (tax,) = facts.taxes
    assert tax.amount == 1558
    row = row_of(replace(facts, taxes=(replace(tax, amount=1558 + off),), tax=1558 + off))
    assert (row.verdict, row.difference) == (verdict, off)


# --- prices with tax, credit notes ------------------------------------------------------------


def test_b7_from_prices_that_include_tax_the_expected_tax_is_taken_out() -> None:
    row = row_of(billed("ON", {"hst": "13"}, 11300, inclusive=True))
    assert (row.verdict, row.net, amounts(row)) == (MATCH, 10000, {"hst_13": 1300})
    wrong = row_of(billed("ON", {"hst": "15"}, 11300, inclusive=True))
    assert amounts(wrong) == {"hst_13": 1300}
    assert (wrong.verdict, wrong.billed_tax, wrong.difference) == (DIFFERS, 1474, 174)


def test_included_tax_of_a_document_without_lines_is_taken_out_of_its_total() -> None:
    facts = without_lines(billed("QC", PROVINCES["QC"], 114975, inclusive=True))
    row = row_of(facts)
    assert (row.verdict, amounts(row)) == (MATCH, {"gst_5": 5000, "qst_9975": 9975})


def test_t5_a_credit_note_is_expected_to_reverse_at_the_rate_of_its_invoice() -> None:
    invoice = billed("NS", {"hst": "15"}, date=date(2025, 3, 31))
    note = replace(
        invoice,
        ref="stripe:acct_nexacloud:cn_1",
        kind=Kind.CREDIT_NOTE,
        date=CHANGE + timedelta(days=40),
        credits=invoice.ref,
    )
    dates = {invoice.ref: date(2025, 3, 31)}
    of_invoice, of_note = tax_witness([invoice, note], (), {}, {}, dates, SETTINGS)
    assert (of_note.verdict, of_note.taxed_on) == (MATCH, of_invoice.date)
    (undated,) = tax_witness([note], (), {}, {}, {}, SETTINGS)
    assert (undated.verdict, undated.difference) == (DIFFERS, -200)
    # It shows no address: the user who owns its invoice says where the customer is.
    claimants, users = {invoice.ref: a_copy(invoice)}, {USER: a_user("NS", "Canada")}
    bare = replace(note, bill_to=BillTo())
    (owned,) = tax_witness([bare], (), claimants, users, dates, SETTINGS)
    assert (owned.verdict, owned.address_from) == (MATCH, "nexacloud")


# --- who is taxed where -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rates", "verdict", "difference"), [({}, MATCH, 0), ({"hst": "13"}, DIFFERS, 2600)]
)
def test_t6_an_export_is_expected_to_be_zero_rated(
    rates: Rates, verdict: WitnessVerdict, difference: int
) -> None:
    row = row_of(billed("NY", rates, bill_to=BillTo(state="NY", country="US")))
    assert [(tax.key, tax.base, tax.amount) for tax in row.expected] == [("gst_0", 20000, 0)]
    assert (row.country, row.state) == ("US", None)
    assert (row.verdict, row.difference) == (verdict, difference)
    assert row.detail.startswith("US, outside of Canada, on 2026-04-03: expected gst_0 0.00")


def test_a_customer_whom_the_source_marks_exempt_owes_nothing() -> None:
    row = row_of(billed("ON", {}, tax_exempt=True))
    assert (row.verdict, row.expected, row.difference) == (EXEMPT, (), 0)
    assert row.detail.startswith("the source marks the customer as tax exempt")
    taxed = row_of(billed("ON", {"hst": "13"}, tax_exempt=True))
    assert (taxed.verdict, taxed.difference) == (DIFFERS, 2600)


@pytest.mark.parametrize(
    ("shown", "user", "expected"),
    [
        (("ON", "CA"), ("QC", "CA"), ("CA", "ON", "document")),
        (("Ontario", "Canada"), None, ("CA", "ON", "document")),
        (("Québec", "can"), None, ("CA", "QC", "document")),
        (("CA", "US"), None, ("US", None, "document")),
        ((None, "DE"), ("ON", "CA"), ("DE", None, "document")),
        ((None, "CA"), ("NB", "Canada"), ("CA", "NB", "nexacloud")),
        ((None, None), ("nb", "CA"), ("CA", "NB", "nexacloud")),
        (("ON", None), ("BC", "CA"), ("CA", "BC", "nexacloud")),
        (("ON", None), None, None),
        (("ON", ""), (None, "Canada"), None),
        (("Atlantis", "CA"), None, None),
    ],
)
def test_the_document_says_where_the_customer_is_else_nexacloud(
    shown: tuple[str | None, str | None],
    user: tuple[str | None, str | None] | None,
    expected: tuple[str, str | None, str] | None,
) -> None:
    bill_to = BillTo(state=shown[0], country=shown[1])
    found = address_of(bill_to, a_user(*user) if user else None)
    wanted = expected and Address(country=expected[0], state=expected[1], taken_from=expected[2])
    assert found == wanted


def test_without_an_address_nothing_is_expected_and_that_is_told() -> None:
    row = row_of(billed("ON", {"hst": "13"}, bill_to=BillTo(country="CA")))
    assert (row.verdict, row.difference, row.billed_tax) == (UNKNOWN, 0, 2600)
    assert row.detail.endswith("the customer is; billed hst_13 26.00")


@pytest.mark.parametrize("day", [CHANGE - timedelta(days=1), CHANGE, DAY], ids=str)
@pytest.mark.parametrize("state", [place[0] for place in PLACES])
def test_what_generated_customers_are_billed_is_what_is_due(state: str, day: date) -> None:
    due = {tax.type: tax.percentage for tax in due_in(state, day, SETTINGS.taxes)}
    assert due == {rate.type: rate.percentage for rate in billed_in(state, day)}


# --- which documents --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({}, 1),
        ({"status": Status.UNCOLLECTIBLE}, 1),
        ({"status": Status.VOID}, 0),
        ({"status": Status.DRAFT}, 0),
        ({"status": Status.UNKNOWN}, 0),
        ({"livemode": False}, 0),
        ({"problem": "unreadable"}, 0),
        ({"date": None}, 0),
    ],
    ids=str,
)
def test_one_row_for_each_document_that_can_be_posted(change: dict[str, Any], rows: int) -> None:
    facts = replace(billed("ON", {"hst": "13"}), **change)
    decided = [decide(a_case(facts), SETTINGS, BOOKS, LAST_PERIOD)]
    assert len(tax_witness([facts], decided, {}, {}, {}, SETTINGS)) == rows


def test_a_held_document_is_witnessed_too() -> None:
    facts = billed("AB", {"hst": "13"})
    held = decide(a_case(facts), SETTINGS, BOOKS, LAST_PERIOD)
    assert held.reason == "tax_unknown"
    (row,) = tax_witness([facts], [held], {}, {}, {}, SETTINGS)
    assert row.verdict is DIFFERS


# --- properties -------------------------------------------------------------------------------


@given(
    state=st.sampled_from([*PROVINCES, "NS"]),
    day=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    nets=st.lists(st.integers(1, 5_000_000), min_size=1, max_size=6),
    inclusive=st.booleans(),
    kind=st.sampled_from(list(Kind)),
)
def test_a_document_billed_by_the_table_always_matches(
    state: str, day: date, nets: list[int], inclusive: bool, kind: Kind
) -> None:
    facts = billed(state, rates_of(state, day), *nets, inclusive=inclusive, date=day, kind=kind)
    row = row_of(facts)
    assert row.verdict is MATCH, row.detail
    assert abs(row.difference) <= len(row.expected)


@given(
    state=st.sampled_from([*PROVINCES, "NS"]),
    billed_as=st.sampled_from([*PROVINCES, "NS"]),
    net=st.integers(1000, 5_000_000),
    kind=st.sampled_from(list(Kind)),
)
def test_a_document_billed_as_in_a_province_of_other_taxes_always_differs(
    state: str, billed_as: str, net: int, kind: Kind
) -> None:
    own, other = rates_of(state, DAY), rates_of(billed_as, DAY)
    row = row_of(billed(state, other, net, kind=kind))
    assert (row.verdict is MATCH) is (own == other)
    assert row.difference == kind.sign * (row.billed_tax - row.expected_tax)
