"""Ledger documents are built exactly as billed, or not at all."""

import json
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Kind, Reason, System
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.documents.build import (
    Held,
    account_codes,
    intended_document,
    shown_quantity,
)
from fcb_pipelines.core.documents.rows import DocumentRow, to_rows
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts, LineFacts
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.money import half_up, to_major
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import a_line, a_tax, an_invoice, without_lines

GOLDEN = Path(__file__).with_name("golden") / "document.json"
POSTING_DISCOUNTS = SETTINGS.model_copy(
    update={"policies": SETTINGS.policies.model_copy(update={"fully_discounted": "post"})}
)


def built(facts: InvoiceFacts, settings: Settings = SETTINGS) -> LedgerDocument:
    document = intended_document(facts, settings, partner="p", nexacloud_invoice_id="inv-1")
    assert isinstance(document, LedgerDocument), document
    return document


def held(facts: InvoiceFacts) -> Held:
    document = intended_document(facts, SETTINGS, partner="p", nexacloud_invoice_id=None)
    assert isinstance(document, Held), document
    return document


def the_golden_invoice() -> InvoiceFacts:
    """Four lines of three families, a proration taken back among them, HST 13."""
    return an_invoice(
        "in_golden",
        a_line(42900, key="il_1", quantity=Decimal(2)),
        a_line(-7150, key="il_2", description="Unused time on Odoo ERP Hosting - Standard"),
        a_line(999, key="il_3", description="Daily  Backup\nProtection", quantity=Decimal("1.125")),
        a_line(1200, key="il_4", description="Domain name"),
        tax=4933,
        total=37949 + 4933,
        taxes=(a_tax(37949, 4933),),
    )


def plain(row: DocumentRow) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(row), default=str))


def test_a_document_is_the_golden_one_row_by_row_and_hash_by_hash() -> None:
    rows = [plain(row) for row in to_rows([built(the_golden_invoice())])]
    assert rows == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_a_document_is_its_source_line_by_line() -> None:
    document = built(an_invoice("in_1", a_line(21450), a_line(1000, description="Managed Odoo")))
    assert [(line.net, line.account, line.family, line.taxes) for line in document.lines] == [
        (21450, "411310", "hosting", ("hst_13",)),
        (1000, "411320", "managed", ("hst_13",)),
    ]
    assert [(tax.key, tax.base, tax.amount) for tax in document.taxes] == [("hst_13", 22450, 2919)]
    assert [line.tax for line in document.lines] == [2789, 130]
    assert (document.ref, document.number, document.date) == (
        "stripe:acct_nexacloud:in_1",
        "NC-in_1",
        an_invoice().date,
    )
    assert (document.stripe_invoice_id, document.nexacloud_invoice_id) == ("in_1", "inv-1")


def test_only_a_stripe_document_carries_a_stripe_id() -> None:
    lago = replace(an_invoice(), side=System.LAGO, ref="lago:nexacloud:abc")
    assert built(lago).stripe_invoice_id is None


def test_b2_a_document_without_lines_becomes_one_unitemised_line() -> None:
    document = built(without_lines(an_invoice()))
    (line,) = document.lines
    assert (line.family, line.account, line.net) == ("unitemised", "411950", 20000)
    assert line.description == "Unitemised: NC-in_1"
    assert (line.taxes, line.tax, document.total) == (("hst_13",), 2600, 22600)


def test_b6_a_negative_line_stays_on_the_account_and_tax_of_what_it_reverses() -> None:
    document = built(
        an_invoice("in_1", a_line(), a_line(-5000, description="Unused time on Odoo ERP Hosting"))
    )
    assert [(line.net, line.account, line.tax) for line in document.lines] == [
        (20000, "411310", 2600),
        (-5000, "411310", -650),
    ]
    assert (document.net, document.tax) == (15000, 1950)


def test_b5_a_credit_note_is_built_with_positive_amounts() -> None:
    document = built(an_invoice(kind=Kind.CREDIT_NOTE))
    assert (document.kind, document.total) == (Kind.CREDIT_NOTE, 22600)


def test_shipping_is_a_line_of_its_own() -> None:
    facts = an_invoice(net=20500, total=23100, shipping=500)
    assert [line.net for line in built(facts).lines] == [20000, 500]


def test_a_document_that_is_nothing_but_shipping_is_not_called_unitemised() -> None:
    facts = replace(without_lines(an_invoice()), net=500, tax=0, total=500, shipping=500, taxes=())
    assert [line.family for line in built(facts).lines] == ["other"]


def test_b4_a_fully_discounted_sale_shows_gross_and_discount_where_policy_says_so() -> None:
    line = a_line(0, gross=20000, discount=20000, taxed=False)
    document = built(an_invoice("in_1", line, discount=20000), POSTING_DISCOUNTS)
    assert [(line.net, line.family) for line in document.lines] == [
        (20000, "hosting"),
        (-20000, "hosting"),
    ]
    assert document.total == 0


@pytest.mark.parametrize(
    ("province", "rate", "keys"),
    [
        ("QC", (("gst", "5"), ("qst", "9.975")), ("gst_5", "qst_9975")),
        ("BC", (("gst", "5"), ("pst", "7")), ("gst_5", "pst_7_bc")),
    ],
)
def test_t3_gst_beside_a_provincial_tax_are_two_taxes(
    province: str, rate: tuple[tuple[str, str], ...], keys: tuple[str, ...]
) -> None:
    taxes = tuple(
        a_tax(20000, type=kind, percentage=Decimal(percent), state=province)
        for kind, percent in rate
    )
    document = built(an_invoice("in_1", a_line(taxes=taxes), taxes=taxes))
    assert tuple(tax.key for tax in document.taxes) == keys
    assert document.lines[0].taxes == keys
    assert [tax.base for tax in document.taxes] == [20000, 20000]


def test_t4_a_document_without_tax_is_posted_without_tax() -> None:
    document = built(an_invoice("in_1", a_line(taxed=False)))
    assert (document.tax, document.taxes, document.total) == (0, (), 20000)


@pytest.mark.parametrize(
    ("case", "facts", "reason"),
    [
        (
            "the source's own problem",
            an_invoice(problem=Reason.TREATMENT_UNKNOWN),
            "treatment_unknown",
        ),
        ("no date", an_invoice(date=None), "unreadable"),
        ("a cent too much", an_invoice(total=22601), "lines_do_not_sum"),
        ("a line lost", an_invoice(lines=(a_line(10000),)), "lines_do_not_sum"),
        (
            "a tax that names no tax",
            an_invoice("in_1", a_line(taxed=False), tax=2600, total=22600),
            "lines_do_not_sum",
        ),
        (
            "taxes that are not the document's tax",
            an_invoice(tax=2500, total=22500),
            "lines_do_not_sum",
        ),
        (
            "a tax nobody configured",
            an_invoice("in_1", a_line(taxes=(a_tax(percentage=Decimal(12)),))),
            "tax_unknown",
        ),
        (
            "a rate of another province",
            an_invoice("in_1", a_line(taxes=(a_tax(state="QC"),)), taxes=(a_tax(state="QC"),)),
            "tax_unknown",
        ),
        (
            "two cents off the rate",
            an_invoice("in_1", a_line(taxes=(a_tax(amount=2602),))),
            "tax_mismatch",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_can_not_be_built_as_billed_is_held(
    case: str, facts: InvoiceFacts, reason: str
) -> None:
    assert held(facts).reason == reason, case


def test_t2_a_residue_of_one_minor_unit_is_posted_as_billed() -> None:
    assert built(an_invoice("in_1", a_line(taxes=(a_tax(amount=2601),)))).tax == 2601


def test_every_family_has_an_income_account() -> None:
    codes = account_codes(SETTINGS)
    assert {"hosting", "managed", "addons", "other", "unitemised"} == codes.keys()
    assert len(set(codes.values())) == len(codes)


@pytest.mark.parametrize(
    ("quantity", "net", "shown"),
    [
        ("1", 21450, ("1", "214.50", "")),
        ("3", 3000, ("3", "10.00", "")),
        ("100", 5000, ("100", "0.50", "")),
        ("0.5", 1000, ("0.5", "20.00", "")),
        ("3", 1000, ("1", "10.00", " (quantity 3)")),  # 3.333… a piece
        ("12000", 900, ("1", "9.00", " (quantity 12000)")),  # sub-cent unit price
        ("1.125", 999, ("1", "9.99", " (quantity 1.125)")),
        ("0", 0, ("1", "0.00", "")),
        ("-2", -400, ("1", "-4.00", " (quantity -2)")),
    ],
)
def test_b8_the_amount_is_the_truth_and_the_quantity_is_only_shown(
    quantity: str, net: int, shown: tuple[str, str, str]
) -> None:
    count, price, suffix = shown_quantity(Decimal(quantity), net, "CAD")
    assert (str(count), str(price), suffix) == shown


@given(
    st.decimals(-1000, 100000, places=4),
    st.integers(-(10**9), 10**9),
    st.sampled_from(["CAD", "JPY"]),
)
def test_quantity_times_unit_price_is_the_net_exactly(
    quantity: Decimal, net: int, currency: str
) -> None:
    count, price, _ = shown_quantity(quantity, net, currency)
    assert count * price == to_major(net, currency)
    assert price == round(price, 2)


@st.composite
def sources(draw: st.DrawFn) -> InvoiceFacts:
    """An invoice whose source says its tax a document, and on lines or not at all."""
    nets = draw(st.lists(st.integers(-20000, 500000), min_size=1, max_size=6))
    if sum(nets) < 0:
        nets = [-net for net in nets]
    taxed = draw(st.booleans())
    lines: list[LineFacts] = [
        a_line(net, key=f"il_{i}", taxed=taxed, quantity=Decimal(draw(st.integers(1, 9))))
        for i, net in enumerate(nets)
    ]
    if not taxed:
        amount = half_up(Decimal(sum(nets)) * 13 / 100) + draw(st.integers(-1, 1))
        return an_invoice(
            "in_1",
            *lines,
            tax=max(0, amount),
            total=sum(nets) + max(0, amount),
            taxes=(a_tax(sum(nets), max(0, amount)),),
        )
    return an_invoice("in_1", *lines)


@given(sources())
def test_whatever_is_built_is_what_the_source_billed_to_the_minor_unit(facts: InvoiceFacts) -> None:
    document = built(facts)
    assert (document.net, document.tax, document.total) == (facts.net, facts.tax, facts.total)
    assert sum(line.tax for line in document.lines) == facts.tax
    for line in document.lines:
        assert line.quantity * line.unit_price == to_major(line.net, facts.currency)


@pytest.mark.parametrize(
    ("country", "taxes"),
    [("US", ("gst_0",)), ("Germany", ("gst_0",)), ("CA", ()), ("Canada", ()), (None, ()), ("", ())],
)
def test_t6_an_export_without_tax_carries_the_zero_rate_and_no_amount_changes(
    country: str | None, taxes: tuple[str, ...]
) -> None:
    facts = an_invoice("in_1", a_line(taxed=False), a_line(500, taxed=False))
    document = built(replace(facts, bill_to=BillTo(country=country)))
    assert [line.taxes for line in document.lines] == [taxes, taxes]
    assert (document.net, document.taxes, document.total) == (20500, (), 20500)


def test_t6_tax_that_was_billed_abroad_is_posted_as_billed() -> None:
    abroad = BillTo(country="US")
    taxed = built(replace(an_invoice(), bill_to=abroad))
    assert [line.taxes for line in taxed.lines] == [("hst_13",)]
    mixed = built(replace(an_invoice("in_1", a_line(), a_line(500, taxed=False)), bill_to=abroad))
    assert [line.taxes for line in mixed.lines] == [("hst_13",), ()]


def test_t6_without_an_export_tax_in_the_configuration_there_is_none() -> None:
    policies = SETTINGS.policies.model_copy(update={"export_tax": None})
    settings = SETTINGS.model_copy(update={"policies": policies})
    facts = replace(an_invoice("in_1", a_line(taxed=False)), bill_to=BillTo(country="US"))
    assert [line.taxes for line in built(facts, settings).lines] == [()]


SOLD = "Odoo ERP Hosting - Standard"


@pytest.mark.parametrize(
    ("case", "posted", "account"),
    [
        ("its line stands on another account than would be chosen now", {SOLD: "411900"}, "411900"),
        ("a posted line says its quantity after its name", {f"{SOLD} (quantity 1.125)": "411900"}, "411900"),
        ("a posted line says its part after its name", {f"{SOLD} (taxed part)": "411900"}, "411900"),
        ("its line stands where it would be now", {SOLD: "411310"}, "411310"),
        ("no posted line has its name", {"Domain name": "411900"}, "411310"),
        ("a longer name is another line's", {f"{SOLD} Plus": "411900"}, "411310"),
        ("lines of its name stand on two accounts",
         {f"{SOLD} (taxed part)": "411900", f"{SOLD} (untaxed part)": "411310"}, "411310"),
        ("its invoice is not posted", {}, "411310"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reverses", [None, SOLD])
def test_t5_a_note_takes_back_from_the_account_on_which_its_invoice_stands(
    case: str, posted: dict[str, str], account: str, reverses: str | None
) -> None:
    sold = f"{SOLD}\n" if reverses is None else "Refund of hosting"
    note = an_invoice(
        "cn", a_line(5000, description=sold, reverses=reverses), kind=Kind.CREDIT_NOTE
    )
    (line,) = built(an_invoice("in", a_line(5000))).lines
    stand = [
        replace(line, description=name, account=code, family="other" if code == "411900" else "")
        for name, code in posted.items()
    ]
    document = intended_document(
        note, SETTINGS, partner="p", nexacloud_invoice_id=None, reversing=stand
    )
    assert isinstance(document, LedgerDocument)
    assert [one.account for one in document.lines] == [account], case
    assert [one.family for one in document.lines] == ["other" if account == "411900" else "hosting"]
