"""What every ledger must do, whichever it is: one suite over both adapters.

Writing, posting and ordinary payments; the rest of a document's life is in test_ledger_life.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcb_pipelines.connectors.failures import EntriesRefused, PermanentFailure
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.settling import settle_each
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.corrections.document import correction
from fcb_pipelines.core.ledger.entries import DocumentTax, LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState
from fcb_pipelines_tests.documents import (
    PARTNER,
    SETTINGS,
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import Case, assert_settled, assert_stands, balances, written
from fcb_pipelines_tests.strategies import rounded_by_line

# --- setup ------------------------------------------------------------------------------------


def test_a_prepared_ledger_lacks_nothing_and_says_who_it_is(case: Case) -> None:
    description = case.ledger.describe()
    assert description.missing == ()
    assert description.identity
    assert description.version
    assert description.company_currency == "CAD"
    assert "CAD" in description.currencies
    assert description.invoice_lock is None
    assert description.entry_lock is None


def test_setup_twice_makes_nothing_the_second_time(case: Case) -> None:
    before = case.ledger.describe()
    for dry_run in (True, False):
        steps = case.ledger.setup(dry_run=dry_run)
        assert steps
        assert {step.outcome for step in steps} == {"found"}
    assert case.ledger.describe() == before


def test_a_lock_date_is_seen(case: Case) -> None:
    case.lock(date(2026, 3, 31))
    description = case.ledger.describe()
    assert description.invoice_lock == date(2026, 3, 31)
    assert description.entry_lock == date(2026, 3, 31)


# --- partners ---------------------------------------------------------------------------------


def test_a_partner_is_made_once(case: Case) -> None:
    partner = a_partner(stripe_customer_id="cus_1")
    (first,) = case.ledger.upsert_partners([partner])
    (second,) = case.ledger.upsert_partners([partner])
    assert first == second
    assert first.links == (PARTNER,)
    assert (first.name, first.email) == (partner.name, partner.email)
    assert first.stripe_customer_id == "cus_1"


def test_the_digest_of_partners_moves_with_a_new_partner_a_new_link_and_a_filled_field(
    case: Case,
) -> None:
    digests = [case.ledger.partners_digest()]
    for account in (
        a_partner(email="books@maple.example"),
        a_partner("lago:nexacloud:c-1", email="books@maple.example"),
        a_partner(email="books@maple.example", vat="123456789RT0001"),
    ):
        case.ledger.upsert_partners([account])
        digests.append(case.ledger.partners_digest())
        case.ledger.upsert_partners([account])
        assert case.ledger.partners_digest() == digests[-1]
    assert len({*digests}) == 4


def test_an_equal_email_of_another_service_joins_on_first_sight_whatever_its_case(
    case: Case,
) -> None:
    (first,) = case.ledger.upsert_partners([a_partner(email="books@maple.example")])
    other = a_partner("lago:nexacloud:c-1", name="Maple", email="Books@Maple.Example")
    (joined,) = case.ledger.upsert_partners([other])
    assert joined.partner_id == first.partner_id
    assert set(joined.links) == {PARTNER, "lago:nexacloud:c-1"}
    assert joined.name == "Maple Bakery Inc."


def test_equal_emails_of_two_services_within_one_batch_are_one_partner(case: Case) -> None:
    found = case.ledger.upsert_partners(
        [a_partner("nexacloud:users:a"), a_partner("lago:nexacloud:b", vat="123456789RT0001")]
    )
    assert len({partner.partner_id for partner in found}) == 1
    assert set(found[0].links) == {"nexacloud:users:a", "lago:nexacloud:b"}
    assert found[0].shared_emails == ()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("batches", [1, 2])
def test_two_accounts_of_one_service_with_one_email_are_two_partners(
    case: Case, order: tuple[int, int], batches: int
) -> None:
    both = [
        a_partner("nexacloud:a", company="Alpha Dental Inc.", name="Alpha Dental Inc."),
        a_partner("nexacloud:b", company="Beta Roofing Ltd.", name="Beta Roofing Ltd."),
    ]
    both = [both[n] for n in order]
    if batches == 2:
        case.ledger.upsert_partners(both[:1], others=both[1:])
        case.ledger.upsert_partners(both[1:], others=both[:1])
    found = case.ledger.upsert_partners(both)
    assert [partner.links for partner in found] == [(each.key,) for each in both]
    assert [partner.name for partner in found] == [each.name for each in both]
    for partner in found:
        (shared,) = partner.shared_emails
        assert shared.bearers == (
            "nexacloud:a (Alpha Dental Inc.)",
            "nexacloud:b (Beta Roofing Ltd.)",
        )


def test_what_two_companies_of_one_email_owe_stands_on_each_its_own(case: Case) -> None:
    keys = ("nexacloud:a", "nexacloud:b")
    case.ledger.upsert_partners([a_partner(key) for key in keys])
    drafts = [an_invoice(f"in_{n}", partner=key) for n, key in enumerate(keys)]
    written(case.ledger, *drafts)
    moves = case.ledger.read_moves([each.ref for each in drafts])
    assert [move.partner_links for move in moves] == [(key,) for key in keys]


def test_a_partner_that_was_joined_before_keeps_both_of_its_accounts(case: Case) -> None:
    both = [a_partner("nexacloud:a", company="Alpha"), a_partner("nexacloud:b", company="Beta")]
    # As a version that knew emails only left it: one partner with the links of both.
    case.ledger.upsert_partners([a_partner("nexacloud:a"), a_partner("lago:n:1")])
    (joined,) = case.ledger.upsert_partners([a_partner("lago:n:1", links=("lago:n:1", "lago:n:2"))])
    assert set(joined.links) == {"nexacloud:a", "lago:n:1", "lago:n:2"}
    two = [a_partner("lago:n:1", company="Alpha"), a_partner("lago:n:2", company="Beta")]
    found = case.ledger.upsert_partners([*two, both[0]])
    assert {partner.partner_id for partner in found} == {joined.partner_id}
    assert {partner.links for partner in found} == {joined.links}
    assert [shared.partner_id for partner in found for shared in partner.shared_emails] == [
        joined.partner_id
    ] * 3


def test_a_known_partner_is_not_joined_to_another_by_a_changed_email(case: Case) -> None:
    case.ledger.upsert_partners([a_partner("nexacloud:users:a", email="a@x.example")])
    (b,) = case.ledger.upsert_partners([a_partner("lago:nexacloud:b", email="b@x.example")])
    (again,) = case.ledger.upsert_partners([a_partner("lago:nexacloud:b", email="a@x.example")])
    assert replace(again, shared_emails=()) == b
    assert [shared.email for shared in again.shared_emails] == ["a@x.example"]


def test_partners_without_email_are_not_joined(case: Case) -> None:
    found = case.ledger.upsert_partners(
        [a_partner("nexacloud:users:a", email=None), a_partner("nexacloud:users:b", email=None)]
    )
    assert len({partner.partner_id for partner in found}) == 2


def test_a_rerun_fills_what_is_empty_and_overwrites_nothing(case: Case) -> None:
    case.ledger.upsert_partners([a_partner(email=None, stripe_customer_id=None)])
    richer = a_partner(name="Renamed", email="new@maple.example", stripe_customer_id="cus_1")
    (filled,) = case.ledger.upsert_partners([richer])
    assert filled.name == "Maple Bakery Inc."
    assert filled.email == "new@maple.example"
    assert filled.stripe_customer_id == "cus_1"
    (kept,) = case.ledger.upsert_partners([a_partner(email="third@maple.example")])
    assert kept == filled


def test_every_link_of_a_partner_leads_to_it(case: Case) -> None:
    links = (PARTNER, "stripe:acct_nexacloud:cus_1")
    case.ledger.upsert_partners([a_partner(links=links)])
    document = an_invoice(partner=links[1])
    (move,) = case.ledger.write_drafts([document])
    assert set(move.partner_links) == set(links)
    assert move.document.partner in links


# --- drafts and posting -----------------------------------------------------------------------

SIX = [a_line(1997) for _ in range(6)]

DOCUMENTS = {
    "one line": an_invoice(),
    "two lines on two families": an_invoice(
        "in_1",
        a_line(21450),
        a_line(1500, description="Daily Backup", account="411330", family="addons"),
    ),
    "three times a unit price": an_invoice("in_1", a_line(10002, quantity=3)),
    "a negative line of one cent": an_invoice(
        "in_1", a_line(5000), a_line(-1, description="Unused time on Odoo ERP Hosting")
    ),
    "a line of zero": an_invoice("in_1", a_line(5000), a_line(0, description="Free trial")),
    "GST and QST as two tax lines": an_invoice("in_1", a_line(10007, taxes=("gst_5", "qst_9975"))),
    "no tax at all": an_invoice("in_1", a_line(4999, taxes=())),
    "a zero rated tax": an_invoice("in_1", a_line(4999, taxes=("gst_0",))),
    "tax one unit above the computed": an_invoice(
        "in_1", a_line(20000), taxes=[DocumentTax(key="hst_13", base=20000, amount=2601)]
    ),
    "tax one unit below the computed": an_invoice(
        "in_1", a_line(21450), taxes=[DocumentTax(key="hst_13", base=21450, amount=2788)]
    ),
    "tax rounded line by line, two units above": an_invoice(
        "in_1", *SIX, taxes=[DocumentTax(key="hst_13", base=11982, amount=1560)]
    ),
    "tax rounded line by line, two units below": an_invoice(
        "in_1", *SIX, taxes=[DocumentTax(key="hst_13", base=11982, amount=1556)]
    ),
    "tax of every line rounded away": an_invoice("in_1", *[a_line(3)] * 20, taxes=[]),
    "tax of its lines that comes to nothing on the whole": an_invoice(
        "in_1", a_line(2689), a_line(-2688), taxes=[DocumentTax(key="hst_13", base=1, amount=1)]
    ),
    "tax of its lines below nothing": an_invoice(
        "in_1",
        a_line(3),
        a_line(3),
        a_line(-4),
        taxes=[DocumentTax(key="hst_13", base=2, amount=-1)],
    ),
    "one of two taxes that comes to nothing on the whole": an_invoice(
        "in_1",
        a_line(10, taxes=("gst_5", "qst_9975")),
        a_line(-9, taxes=("gst_5", "qst_9975")),
        taxes=[DocumentTax(key="gst_5", base=1, amount=1)],
    ),
    "a cent of tax on three": an_invoice(
        "in_1", a_line(3), taxes=[DocumentTax(key="hst_13", base=3, amount=1)]
    ),
    "a credit note's tax that comes to nothing on the whole": replace(
        an_invoice(
            "cn_1", a_line(2689), a_line(-2688), taxes=[DocumentTax(key="hst_13", base=1, amount=1)]
        ),
        kind=Kind.CREDIT_NOTE,
    ),
    "two taxes rounded line by line": an_invoice(
        "in_1",
        *[a_line(1005, taxes=("gst_5", "qst_9975"))] * 4,
        taxes=[
            DocumentTax(key="gst_5", base=4020, amount=203),
            DocumentTax(key="qst_9975", base=4020, amount=399),
        ],
    ),
    "half of a line taxed": an_invoice(
        "in_1",
        a_line(5000, description="Odoo ERP Hosting - Standard (taxed part)"),
        a_line(5000, description="Odoo ERP Hosting - Standard (untaxed part)", taxes=()),
    ),
    "shipping with its tax": an_invoice(
        "in_1", a_line(10000), a_line(500, description="Shipping", account="411900", family="other")
    ),
    "a credit note rounded line by line": replace(
        an_invoice("cn_1", *SIX, taxes=[DocumentTax(key="hst_13", base=11982, amount=1560)]),
        kind=Kind.CREDIT_NOTE,
    ),
    "an old document's NexaCloud id": an_invoice(nexacloud_invoice_id="3f0e-1"),
    "quotes and accents": an_invoice(
        "in_1", a_line(description='Hébergement "Odoo" \\ 100 % - Montréal'), number='N"1\\'
    ),
    "a credit note": a_credit_note("cn_1", a_line(5000)),
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_document_is_read_back_as_it_was_meant(ledger: Ledger, document: LedgerDocument) -> None:
    (draft,) = ledger.write_drafts([document])
    assert draft.state is MoveState.DRAFT
    assert_stands(ledger, document, state=MoveState.DRAFT)
    assert balances(ledger) == {}
    (posted,) = ledger.post([document.ref])
    assert posted.state is MoveState.POSTED
    assert_stands(
        ledger,
        document,
        state=MoveState.POSTED,
        residual=document.total,
        payment_state=PaymentState.NOT_PAID,
    )
    assert balances(ledger) == expected_balances([document])


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(drawn=st.lists(rounded_by_line(), min_size=20, max_size=40))
def test_cents_that_each_line_rounds_are_carried(
    ledger: Ledger, drawn: list[LedgerDocument]
) -> None:
    # Each example is of its own in the same books.
    batch = uuid4()
    documents = {
        ref: replace(one, ref=ref)
        for ref, one in ((f"in_{batch}_{n}", one) for n, one in enumerate(drawn))
        if one.total >= 0
    }
    ledger.write_drafts([*documents.values()])
    ledger.post([*documents])
    moves = ledger.read_moves([*documents])
    assert {one.ref: one.document.content_hash for one in moves} == {
        ref: one.content_hash for ref, one in documents.items()
    }
    assert {one.ref: one.residual for one in moves} == {
        ref: one.total for ref, one in documents.items()
    }


def test_t7_a_correction_takes_the_rounding_of_the_tax_back_with_the_lines(ledger: Ledger) -> None:
    billed = DocumentTax(key="hst_13", base=11982, amount=1561)
    document = an_invoice("in_1", *SIX, taxes=[billed])
    target = replace(an_invoice("in_1", *SIX[:5]), source_hash="now")
    written(ledger, document)
    (move,) = ledger.read_moves([document.ref])
    found = correction(move, (), target, day=document.date, settings=SETTINGS)
    assert found is not None
    written(ledger, found.document)
    assert_stands(ledger, found.document, state=MoveState.POSTED)
    assert balances(ledger) == expected_balances([target])


def test_a_draft_is_written_once(ledger: Ledger) -> None:
    documents = [an_invoice("in_1"), an_invoice("in_2")]
    first = ledger.write_drafts(documents)
    assert {move.ref for move in first} == {document.ref for document in documents}
    assert ledger.write_drafts(documents) == first
    changed = an_invoice("in_1", a_line(99900))
    (kept,) = ledger.write_drafts([changed])
    assert kept.document.content_hash == documents[0].content_hash
    assert len(ledger.read_moves()) == 2


def test_a_draft_is_rebuilt_on_request(ledger: Ledger) -> None:
    ledger.write_drafts([an_invoice("in_1"), an_invoice("in_2")])
    changed = an_invoice("in_1", a_line(99900), day=date(2026, 5, 2), number="NC-new")
    (rebuilt,) = ledger.write_drafts([changed], replace=[changed.ref])
    assert rebuilt.state is MoveState.DRAFT
    assert_stands(ledger, changed)
    assert_stands(ledger, an_invoice("in_2"))
    assert len(ledger.read_moves()) == 2


def test_a_posted_move_is_never_rebuilt(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    changed = an_invoice("in_1", a_line(99900))
    (kept,) = ledger.write_drafts([changed], replace=[changed.ref])
    assert kept.state is MoveState.POSTED
    assert_stands(ledger, document)
    assert balances(ledger) == expected_balances([document])


def test_a_posted_move_has_the_number_that_the_ledger_gave_it_and_a_draft_has_none(
    ledger: Ledger,
) -> None:
    first, second = an_invoice("in_1"), an_invoice("in_2")
    (draft,) = ledger.write_drafts([first])
    written(ledger, first, second)
    numbers = {move.ledger_number for move in ledger.read_moves()}
    assert draft.ledger_number == ""
    assert len(numbers) == 2
    assert "" not in numbers


def test_posting_twice_posts_once(ledger: Ledger) -> None:
    document = an_invoice()
    ledger.write_drafts([document])
    first = ledger.post([document.ref])
    assert ledger.post([document.ref]) == first
    assert balances(ledger) == expected_balances([document])


def test_nothing_is_posted_into_a_locked_period(case: Case, ledger: Ledger) -> None:
    locked, open_ = an_invoice("in_1"), an_invoice("in_2", day=date(2026, 5, 2))
    ledger.write_drafts([locked, open_])
    case.lock(date(2026, 4, 30))
    with pytest.raises(PermanentFailure):
        ledger.post([locked.ref])
    assert_stands(ledger, locked, state=MoveState.DRAFT)
    ledger.post([open_.ref])
    assert_stands(ledger, open_, state=MoveState.POSTED)


def test_an_unknown_ref_is_simply_absent(ledger: Ledger) -> None:
    ledger.write_drafts([an_invoice()])
    assert ledger.read_moves(["stripe:acct_nexacloud:in_none"]) == ()
    assert ledger.read_moves([]) == ()
    assert ledger.read_settlements(["stripe:acct_nexacloud:inpay_none"]) == ()


def test_reading_without_refs_gives_all_of_ours(ledger: Ledger) -> None:
    documents = [an_invoice(f"in_{index}") for index in range(3)]
    written(ledger, *documents)
    ledger.settle([a_settlement(documents[0])])
    assert {move.ref for move in ledger.read_moves()} == {each.ref for each in documents}
    assert {each.ref for each in ledger.read_settlements()} == {a_settlement(documents[0]).ref}


def test_calls_with_nothing_to_do_do_nothing(ledger: Ledger) -> None:
    assert ledger.upsert_partners([]) == ()
    assert ledger.write_drafts([]) == ()
    assert ledger.post([]) == ()
    assert ledger.settle([]) == ()
    assert ledger.read_moves() == ()
    assert balances(ledger) == {}


# --- settling ---------------------------------------------------------------------------------


def test_a_full_settlement_pays_the_invoice(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, day=date(2026, 5, 4))
    (ledger_state,) = ledger.settle([payment])
    assert ledger_state.ref == payment.ref
    assert_settled(ledger, payment)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document], [payment])


def test_a_partial_settlement_leaves_the_rest_owed(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, 10000)
    ledger.settle([payment])
    assert_settled(ledger, payment)
    assert_stands(
        ledger, document, residual=document.total - 10000, payment_state=PaymentState.PARTIAL
    )


def test_several_settlements_of_one_document_add_up(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    parts = [
        a_settlement(document, 10000, name="inpay_a"),
        a_settlement(document, 10000, name="inpay_b", day=date(2026, 4, 9)),
        a_settlement(document, document.total - 20000, name="inpay_c", day=date(2026, 5, 1)),
    ]
    ledger.settle(parts[:1])
    ledger.settle(parts)
    for part in parts:
        assert_settled(ledger, part)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document], parts)


def test_equal_payments_settle_their_own_documents(ledger: Ledger) -> None:
    documents = [an_invoice(f"in_{index}") for index in range(3)]
    written(ledger, *documents)
    ledger.settle([a_settlement(documents[2]), a_settlement(documents[1])])
    assert_stands(ledger, documents[0], payment_state=PaymentState.NOT_PAID)
    assert_stands(ledger, documents[1], payment_state=PaymentState.PAID, residual=0)
    assert_stands(ledger, documents[2], payment_state=PaymentState.PAID, residual=0)


def test_settling_twice_settles_once(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document)
    first = ledger.settle([payment])
    assert ledger.settle([payment]) == first
    assert len(ledger.read_settlements()) == 1
    assert balances(ledger) == expected_balances([document], [payment])


def test_a_settlement_that_the_ledger_can_not_take_stops_no_other(ledger: Ledger) -> None:
    first, draft, *others = documents = [an_invoice(f"in_{index}") for index in range(6)]
    dollars, *healthy = others
    ledger.write_drafts(documents)
    ledger.post([each.ref for each in documents if each != draft])
    receipt = "stripe:acct_nexacloud:pi_shared"
    shares = [
        replace(a_settlement(each, 100, name=f"s_{each.number}"), drawn_on=receipt, receipt=200)
        for each in healthy[:2]
    ]
    ledger.settle(shares)
    refused = [
        replace(a_settlement(dollars), currency="USD"),
        a_settlement(draft),
        replace(a_settlement(first, name="inpay_taken"), ref=receipt),
        replace(a_settlement(first, 100, name="inpay_on"), drawn_on=healthy[2].ref),
        replace(a_settlement(first, 100, name="inpay_more"), drawn_on=receipt, receipt=900),
    ]
    paid = a_settlement(healthy[2])
    with pytest.raises(EntriesRefused) as found:
        settle_each(ledger, [*refused[:2], paid, *refused[2:]])
    assert {each.ref for each in found.value.refusals} == {each.ref for each in refused}
    assert_settled(ledger, paid)
    assert {each.ref for each in ledger.read_settlements()} == {
        paid.ref,
        *(each.ref for each in shares),
    }
    assert_stands(ledger, first, payment_state=PaymentState.NOT_PAID)


@pytest.mark.parametrize("method", [Method.CUSTOMER_BALANCE, Method.OFF_PLATFORM])
def test_each_method_settles_through_its_own_account(ledger: Ledger, method: Method) -> None:
    document = an_invoice()
    written(ledger, document)
    parts = [
        a_settlement(document, 600, name="balance_1", method=method),
        a_settlement(document, document.total - 600, name="inpay_1"),
    ]
    ledger.settle(parts)
    for part in parts:
        assert_settled(ledger, part)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document], parts)


def test_a_credit_note_is_settled_in_the_other_direction(ledger: Ledger) -> None:
    note = a_credit_note("cn_1", a_line(5000))
    written(ledger, note)
    part = a_settlement(note, 1000, name="refund_a")
    ledger.settle([part])
    assert_settled(ledger, part)
    assert_stands(ledger, note, residual=note.total - 1000, payment_state=PaymentState.PARTIAL)
    rest = a_settlement(note, note.total - 1000, name="refund_b")
    ledger.settle([part, rest])
    assert_stands(ledger, note, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([note], [part, rest])


# --- the whole --------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY", "KWD"])
def test_another_currency_keeps_its_own_minor_units(ledger: Ledger, currency: str) -> None:
    document = an_invoice("in_1", a_line(10001, currency=currency), currency=currency)
    written(ledger, document)
    payment = a_settlement(document)
    ledger.settle([payment])
    assert_settled(ledger, payment)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document], [payment])


def a_month() -> tuple[list[LedgerDocument], list[Settlement]]:
    """A month with every habit: two partners, a partial, a balance, a note, three tax regimes."""
    other = "nexacloud:users:9f1c2b7e-0000-4000-8000-000000000002"
    documents = [
        an_invoice("in_1"),
        an_invoice("in_2", a_line(21450), a_line(-650), partner=other, day=date(2026, 4, 30)),
        an_invoice("in_3", a_line(10007, taxes=("gst_5", "qst_9975"))),
        an_invoice("in_4", a_line(4999, account="411320", family="managed", taxes=("gst_5",))),
        a_credit_note("cn_1", a_line(2000)),
    ]
    settlements = [
        a_settlement(documents[0]),
        a_settlement(documents[1], 10000, day=date(2026, 5, 4)),
        a_settlement(documents[2], 500, name="balance_3", method=Method.CUSTOMER_BALANCE),
        a_settlement(documents[4]),
    ]
    return documents, settlements


def steps(
    ledger: Ledger, documents: Iterable[LedgerDocument], settlements: Iterable[Settlement]
) -> list[Callable[[], object]]:
    """A month's calls, in the order of a run."""
    documents, settlements = list(documents), list(settlements)
    keys = dict.fromkeys(document.partner for document in documents)
    partners = [
        a_partner(key, name=f"Partner {index}", email=f"p{index}@x.example")
        for index, key in enumerate(keys)
    ]
    return [
        lambda: ledger.upsert_partners(partners),
        lambda: ledger.write_drafts(documents),
        lambda: ledger.post([document.ref for document in documents]),
        lambda: ledger.settle(settlements),
    ]


def test_the_trial_balance_is_exact_and_balanced(case: Case) -> None:
    documents, settlements = a_month()
    for step in steps(case.ledger, documents, settlements):
        step()
    found = balances(case.ledger)
    assert sum(found.values()) == 0
    assert found == expected_balances(documents, settlements)


def test_a_run_that_stops_anywhere_and_is_repeated_ends_in_the_same_books(case: Case) -> None:
    documents, settlements = a_month()
    calls = steps(case.ledger, documents, settlements)
    for stopped_after in range(len(calls) + 1):
        for call in calls[:stopped_after]:
            call()
    assert len(case.ledger.read_moves()) == len(documents)
    assert len(case.ledger.read_settlements()) == len(settlements)
    for document in documents:
        assert_stands(case.ledger, document, state=MoveState.POSTED)
    for settlement in settlements:
        assert_settled(case.ledger, settlement)
    assert balances(case.ledger) == expected_balances(documents, settlements)


def test_half_a_batch_already_there_is_completed(case: Case) -> None:
    documents, settlements = a_month()
    for some, paid in ((documents[::2], settlements[:1]), (documents, settlements)):
        for call in steps(case.ledger, some, paid):
            call()
    assert balances(case.ledger) == expected_balances(documents, settlements)
    kinds = [move.document.kind for move in case.ledger.read_moves()]
    assert kinds.count(Kind.CREDIT_NOTE) == 1


def test_what_reverses_a_document_is_found_though_nobody_names_it(ledger: Ledger) -> None:
    invoice, other = an_invoice("in_1"), an_invoice("in_2")
    note = replace(a_credit_note("in_1:correction:1"), reverses=invoice.ref)
    written(ledger, invoice, other, note)
    assert {move.ref for move in ledger.read_moves([], of=[invoice.ref])} == {note.ref}
    found = ledger.read_moves([other.ref, invoice.ref], of=[invoice.ref, other.ref])
    assert [move.ref for move in found] == [other.ref, invoice.ref, note.ref]
    assert ledger.read_moves([], of=[other.ref]) == ()
