"""T7: billed tax is proved where it was computed, from a Stripe body to the ledger document."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.documents.build import Held, intended_document
from fcb_pipelines.core.documents.taxes import allowance, mismatches, taxed_lines
from fcb_pipelines.core.facts.arithmetic import computed
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.stripe.documents import document_facts
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.small_dataset import TIMEZONE
from fcb_pipelines_tests.source_shapes import Json
from fcb_pipelines_tests.taxed_bodies import (
    GST_5,
    HST_13,
    HST_15,
    KEYS,
    PERCENTAGES,
    PST_7,
    QST_9975,
    Sold,
    taxed_body,
)

SIX = [Sold(net=1997)] * 6
HALF = Sold(net=10000, parts=(5000,))
SPLIT = Sold(net=10000, parts=(6000, 4000))
SHIPPING = Sold(net=500)


def read(body: Json) -> InvoiceFacts:
    return document_facts(body, account="acct_test", timezone=TIMEZONE)


def intended(body: Json) -> LedgerDocument | Held:
    return intended_document(read(body), SETTINGS, partner="p", nexacloud_invoice_id=None)


def built(body: Json) -> LedgerDocument:
    document = intended(body)
    assert isinstance(document, LedgerDocument), document
    return document


def held(body: Json) -> tuple[str, str]:
    found = intended(body)
    assert isinstance(found, Held), found
    return found.reason, found.detail


def lines_of(document: LedgerDocument) -> list[tuple[int, tuple[str, ...], int]]:
    return [(line.net, line.taxes, line.tax) for line in document.lines]


def billed(body: Json) -> int:
    document = body.get("invoice") or body["credit_note"]
    return sum(tax["amount"] for tax in document["total_taxes"])


HST = ("hst_13",)


@pytest.mark.parametrize(
    ("case", "body", "lines", "taxes"),
    [
        ("rounded line by line", taxed_body(SIX), [(1997, HST, 260)] * 6, [("hst_13", 11982, 1560)]),
        ("rounded once", taxed_body(SIX, by_line=False), [(1997, HST, 260)] * 4 + [(1997, HST, 259)] * 2, [("hst_13", 11982, 1558)]),
        ("half taxable", taxed_body([HALF]), [(5000, HST, 650), (5000, (), 0)], [("hst_13", 5000, 650)]),
        ("half taxable beside a whole one", taxed_body([HALF, Sold(net=2000)]), [(5000, HST, 650), (5000, (), 0), (2000, HST, 260)], [("hst_13", 7000, 910)]),
        ("one line not taxable", taxed_body([Sold(net=10000), Sold(net=5000, parts=(0,))]), [(10000, HST, 1300), (5000, (), 0)], [("hst_13", 10000, 1300)]),
        ("half of a credited line", taxed_body([Sold(net=20000), Sold(net=-10000, parts=(-5000,))]), [(20000, HST, 2600), (-5000, HST, -650), (-5000, (), 0)], [("hst_13", 15000, 1950)]),
        ("two reasons", taxed_body([SPLIT]), [(10000, HST, 1300)], [("hst_13", 10000, 1300)]),
        ("two reasons, half taxable", taxed_body([Sold(net=10000, parts=(3000, 2000))]), [(5000, HST, 650), (5000, (), 0)], [("hst_13", 5000, 650)]),
        ("two reasons on no line", taxed_body([SPLIT, SPLIT], on_lines=False), [(10000, HST, 1300)] * 2, [("hst_13", 20000, 2600)]),
        ("shipping with its tax", taxed_body([Sold(net=10000)], shipping=SHIPPING), [(10000, HST, 1300), (500, HST, 65)], [("hst_13", 10500, 1365)]),
        ("shipping, lines rounded", taxed_body(SIX, shipping=SHIPPING), [(1997, HST, 260)] * 6 + [(500, HST, 65)], [("hst_13", 12482, 1625)]),
        ("shipping without tax", taxed_body([Sold(net=10000)], shipping=Sold(net=500, parts=())), [(10000, HST, 1300), (500, (), 0)], [("hst_13", 10000, 1300)]),
        ("shipping half taxable", taxed_body([Sold(net=10000)], shipping=Sold(net=500, parts=(250,))), [(10000, HST, 1300), (250, HST, 33), (250, (), 0)], [("hst_13", 10250, 1333)]),
        ("shipping beside a half taxable line", taxed_body([HALF], shipping=SHIPPING), [(5000, HST, 650), (5000, (), 0), (500, HST, 65)], [("hst_13", 5500, 715)]),
        ("only the document says half", taxed_body([HALF], on_lines=False), [(5000, HST, 650), (5000, (), 0)], [("hst_13", 5000, 650)]),
        ("GST and QST rounded line by line", taxed_body([Sold(net=1005)] * 4, rates=(GST_5, QST_9975)), [(1005, ("gst_5", "qst_9975"), 150)] * 4, [("gst_5", 4020, 200), ("qst_9975", 4020, 400)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
@pytest.mark.parametrize("note", [False, True], ids=["invoice", "credit note"])
def test_t7_tax_is_posted_as_billed_on_what_it_was_computed_on(
    case: str, body: Json, lines: list[Any], taxes: list[Any], note: bool
) -> None:
    if note:
        body = as_note(body)
    document = built(body)
    assert lines_of(document) == lines, case
    assert [(tax.key, tax.base, tax.amount) for tax in document.taxes] == taxes
    assert document.tax == billed(body)
    assert document.kind is (Kind.CREDIT_NOTE if note else Kind.INVOICE)


def as_note(body: Json) -> Json:
    """The same sale as a credit note takes it back."""
    invoice = body["invoice"]
    note = taxed_body([Sold(net=1)], note=True)["credit_note"]
    lines = [
        {**note["lines"]["data"][0], "id": line["id"], "amount": line["amount"], "taxes": line["taxes"]}
        for line in invoice["lines"]["data"]
    ]  # fmt: skip
    changed = {
        "total": invoice["total"], "total_taxes": invoice["total_taxes"],
        "shipping_cost": invoice["shipping_cost"], "pre_payment_amount": invoice["total"],
        "lines": {**note["lines"], "data": lines},
    }  # fmt: skip
    return {"credit_note": {**note, **changed}, "tax_rates": body["tax_rates"]}


def test_t7_taxes_on_different_parts_of_a_line_each_have_their_own_base() -> None:
    body = taxed_body([Sold(net=10000)], rates=(GST_5, QST_9975))
    line, document = body["invoice"]["lines"]["data"][0], body["invoice"]
    for tax in (line["taxes"][1], document["total_taxes"][1]):
        tax |= {"taxable_amount": 4000, "amount": 399}
    document["total"] += 399 - 998
    found = built(body)
    assert [(line.net, line.taxes) for line in found.lines] == [
        (4000, ("gst_5", "qst_9975")),
        (6000, ("gst_5",)),
    ]
    assert [(tax.key, tax.base, tax.amount) for tax in found.taxes] == [
        ("gst_5", 10000, 500),
        ("qst_9975", 4000, 399),
    ]


def test_t7_the_pieces_of_a_line_are_marked_and_stay_on_its_account() -> None:
    taxed, untaxed = built(taxed_body([HALF])).lines
    assert taxed.description == "Odoo ERP Hosting - Standard (taxed part)"
    assert untaxed.description == "Odoo ERP Hosting - Standard (untaxed part)"
    assert (
        (taxed.account, taxed.family) == (untaxed.account, untaxed.family) == ("411310", "hosting")
    )


def test_t7_prices_that_include_tax_round_line_by_line_too() -> None:
    body = taxed_body([Sold(net=1997)] * 6, inclusive=True, shipping=SHIPPING)
    document = built(body)
    assert (document.net, document.tax, document.total) == (12482, 1625, body["invoice"]["total"])


def test_t7_a_line_with_a_base_a_cent_off_its_net_stays_whole() -> None:
    body = taxed_body([*SIX, Sold(net=1997, parts=(1996,))])
    assert [line.net for line in built(body).lines] == [1997] * 7


def test_t7_bases_that_differ_only_by_how_a_discount_was_spread_stay_whole() -> None:
    lines = [Sold(net=1997, parts=(1997 + off,)) for off in (-2, 2, -1, 1, 2, -2)]
    assert [line.net for line in built(taxed_body(lines)).lines] == [1997] * 6


def test_t7_a_document_without_lines_is_taxed_on_what_it_says_itself() -> None:
    body = taxed_body([HALF])
    body["invoice"]["lines"]["data"] = []
    document = built(body)
    assert [(line.net, line.taxes, line.family) for line in document.lines] == [
        (5000, HST, "unitemised"),
        (5000, (), "unitemised"),
    ]


@pytest.mark.parametrize(
    ("case", "body", "reason", "detail"),
    [
        ("the document, two cents off", taxed_body([Sold(net=10000)], on_lines=False, off=2), "tax_mismatch", "hst_13 billed 13.02 CAD, computed 13.00 CAD on 100.00 CAD"),
        ("a line's tax", taxed_body([*SIX, Sold(net=100, off=4)]), "tax_mismatch", "hst_13 on line 7 (il_6) billed 0.17 CAD, computed 0.13 CAD on 1.00 CAD"),
        ("a line's tax, the document within rounding", taxed_body([Sold(net=1000)] * 8 + [Sold(net=100, off=3)]), "tax_mismatch", "hst_13 on line 9 (il_8) billed 0.16 CAD, computed 0.13 CAD on 1.00 CAD"),
        ("a half taxable line's tax", taxed_body([Sold(net=10000, parts=(5000,), off=9)]), "tax_mismatch", "hst_13 billed 6.59 CAD, computed 6.50 CAD on 50.00 CAD"),
        ("a base larger than its line", taxed_body([Sold(net=10000, parts=(20000,))]), "tax_mismatch", "hst_13 on line 1 (il_0) is taxed on 200.00 CAD, its net is 100.00 CAD"),
        ("a base of the other sign", taxed_body([Sold(net=10000), Sold(net=2000, parts=(-2000,))]), "tax_mismatch", "hst_13 on line 2 (il_1) is taxed on -20.00 CAD, its net is 20.00 CAD"),
        ("a document's base larger than its lines", taxed_body([Sold(net=10000, parts=(20000,))], on_lines=False), "tax_mismatch", "hst_13 is taxed on 200.00 CAD, its lines are 100.00 CAD"),
        ("shipping's tax", taxed_body([Sold(net=10000)], shipping=Sold(net=500, off=9)), "tax_mismatch", "hst_13 on shipping billed 0.74 CAD, computed 0.65 CAD on 5.00 CAD"),
        ("line taxes that are not the document's", taxed_body([Sold(net=10000)], off=5), "lines_do_not_sum", "hst 13 % is 13.05 CAD on the document, 13.00 CAD on its lines"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_t7_a_hold_names_the_figure_that_is_wrong(
    case: str, body: Json, reason: str, detail: str
) -> None:
    assert held(body) == (reason, detail), case


@pytest.mark.parametrize(
    ("lines", "residue", "allowed"),
    [(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 1, 2), (5, 1, 3), (40, 1, 20), (3, 5, 5), (1, 0, 1), (0, 0, 0)],
)  # fmt: skip
def test_t7_half_a_unit_a_line_is_allowed_and_never_less_than_the_residue(
    lines: int, residue: int, allowed: int
) -> None:
    assert allowance(lines, residue) == allowed


def test_what_posts_without_a_look_at_bases_is_as_it_ever_was() -> None:
    # A cent of base less is explained by the whole net: the line is not cut.
    document = built(taxed_body([Sold(net=10000, parts=(9995,))]))
    assert lines_of(document) == [(10000, HST, 1299)]


# --- any document ---------------------------------------------------------------------------------

RATE_SETS = [
    (GST_5,),
    (HST_13,),
    (HST_15,),
    (PST_7,),
    (QST_9975,),
    (GST_5, QST_9975),
    (GST_5, PST_7),
]


@st.composite
def sold(draw: st.DrawFn, *, sign: int = 1) -> Sold:
    """A line, taxed whole, in half, under two reasons, or both."""
    net = sign * draw(st.integers(1, 50000))
    how = draw(st.sampled_from(["whole", "half", "reasons", "both"]))
    half = net // 2
    parts = {
        "whole": None,
        "half": (half,),
        "reasons": (half, net - half),
        "both": (half // 2, half - half // 2),
    }
    return Sold(net=net, parts=parts[how])


bodies = st.builds(
    taxed_body,
    st.lists(sold(), min_size=1, max_size=40),
    rates=st.sampled_from(RATE_SETS),
    by_line=st.booleans(),
    on_lines=st.booleans(),
    shipping=st.none() | st.builds(Sold, net=st.integers(1, 3000)),
    note=st.booleans(),
)


@given(bodies)
def test_t7_whatever_rounds_and_is_taxable_posts_with_the_tax_that_was_billed(body: Json) -> None:
    facts, document = read(body), built(body)
    assert facts.problem is None
    assert (document.tax, document.total) == (billed(body), facts.total)
    assert sum(line.tax for line in document.lines) == document.tax
    taxes = [(tax.key, tax.base, tax.amount) for tax in document.taxes]
    assert not mismatches(taxes, SETTINGS.taxes, 1, taxed_lines(document.lines))


@given(
    nets=st.lists(st.integers(1, 50000), min_size=1, max_size=40),
    rate=st.sampled_from(sorted(KEYS)),
    beyond=st.integers(1, 3000),
    up=st.booleans(),
    on_lines=st.booleans(),
    at=st.integers(0, 39),
    note=st.booleans(),
)
def test_t7_a_tax_further_off_than_rounding_is_always_held(
    nets: Sequence[int], rate: str, beyond: int, up: bool, on_lines: bool, at: int, note: bool
) -> None:
    # Billed by the document, so that it is off by exactly this much.
    off = (allowance(len(nets), 1) + beyond) * (1 if up else -1)
    lines = [
        Sold(net=net, off=off if on_lines and number == at % len(nets) else 0)
        for number, net in enumerate(nets)
    ]
    body = taxed_body(
        lines,
        rates=(rate,),
        by_line=False,
        on_lines=on_lines,
        off=0 if on_lines else off,
        note=note,
    )
    right = computed(sum(nets), PERCENTAGES[rate])
    assert billed(body) == right + off
    assert held(body)[0] == "tax_mismatch"
