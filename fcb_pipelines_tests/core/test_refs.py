"""What the grammar builds is what ledgers hold already, letter by letter, and is read back whole."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core import refs
from fcb_pipelines.core.codes import System
from fcb_pipelines.core.refs import Name, Suffix

IN_1 = "stripe:acct_1:in_1"

# Each way of building a ref beside the ref that books and frames hold of it.
BUILT = {
    "a service": (refs.service_ref(System.LAGO, "nexa"), "lago:nexa"),
    "a document of Stripe": (refs.source_ref(System.STRIPE, "acct_1", "in_1"), IN_1),
    "a document of Lago": (refs.source_ref(System.LAGO, "nexa", "4b2c-1"), "lago:nexa:4b2c-1"),
    "a note of an unknown invoice": (refs.source_ref(System.STRIPE, "acct_1", None), "stripe:acct_1:None"),
    "an invoice of NexaCloud": (refs.nexacloud_ref(17), "nexacloud:17"),
    "a user of NexaCloud": (refs.nexacloud_ref("users:a b"), "nexacloud:users:a b"),
    "an account at a source": (refs.account_ref("lago:nexa", "u:1"), "lago:nexa:u:1"),
    "a part": (refs.part_ref("stripe:acct_1:cn_1", "in_1"), "stripe:acct_1:cn_1:in_1"),
    "an opening balance": (refs.opening_ref("stripe:acct_1", "CAD"), "stripe:acct_1:CAD:opening"),
    "a month's statement": (refs.statement_ref("stripe:acct_1", "2026-04", "CAD"), "stripe:acct_1:2026-04:CAD:statement"),
    "a day of other services": (refs.day_ref("stripe:acct_1", date(2026, 4, 3), "CAD", "charge", date(2026, 4, 5), 1), "stripe:acct_1:2026-04-03:CAD:charge:2026-04-05:1:other_services"),
    "a correction": (refs.correction_ref(IN_1, 2), "stripe:acct_1:in_1:correction:2"),
}  # fmt: skip
SUFFIXES = {
    "balance", "credit_notes", "credited", "dispute", "failed", "granted", "marked_paid", "match",
    "off_stripe", "offset", "opening", "other_services", "out_of_band", "overpaid", "prepaid", "record",
    "recovery", "refund", "statement", "undone", "write_off",
}  # fmt: skip

anything = st.text()
# Ids that sources give, and those of nobody: NexaCloud's rows may be named by any text.
ids = st.one_of(st.uuids().map(str), st.from_regex(r"[a-z]+_[A-Za-z0-9_]{1,30}", fullmatch=True))
without_colon = st.text().filter(lambda text: ":" not in text)
sources = st.sampled_from([System.STRIPE, System.LAGO])
documents = st.builds(refs.source_ref, sources, without_colon, ids)
suffixes = st.sampled_from(Suffix)


@pytest.mark.parametrize("name", BUILT)
def test_a_ref_is_the_one_that_the_books_hold(name: str) -> None:
    built, held = BUILT[name]
    assert built == held


def test_a_suffix_is_its_own_name_behind_a_colon() -> None:
    assert {refs.suffixed(IN_1, suffix) for suffix in Suffix} == {f"{IN_1}:{s}" for s in SUFFIXES}


@pytest.mark.parametrize("reversals", range(5))
@pytest.mark.parametrize("ref", [IN_1, f"{IN_1}:balance", f"{IN_1}:balance:correction:1"])
def test_however_often_an_entry_was_reversed_its_original_is_known(
    ref: str, reversals: int
) -> None:
    reversed_ = ref + ":undone" * reversals
    assert refs.original_of(reversed_) == ref
    assert refs.takes_back(reversed_) is (reversals % 2 == 1)


@given(sources, anything, ids | without_colon)
def test_a_document_is_read_back_as_it_was_built(
    side: System, claimant: str, source_id: str
) -> None:
    ref = refs.source_ref(side, claimant, source_id)
    assert refs.document_name(ref) == Name(refs.service_ref(side, claimant), source_id)
    assert refs.id_within(ref, refs.service_ref(side, claimant)) == source_id


@given(sources, without_colon, anything)
def test_an_account_is_read_back_as_it_was_built(
    side: System, claimant: str, customer: str
) -> None:
    service = refs.service_ref(side, claimant)
    assert refs.account_name(refs.account_ref(service, customer)) == Name(service, customer)
    assert refs.account_name(refs.nexacloud_ref(customer)) == Name("nexacloud", customer)
    assert refs.id_within(refs.nexacloud_ref(customer), "nexacloud") == customer


@given(sources, without_colon, without_colon, anything)
def test_a_service_has_no_ref_of_another(
    side: System, one: str, other: str, source_id: str
) -> None:
    ref = refs.source_ref(side, one, source_id)
    assert (refs.id_within(ref, refs.service_ref(side, other)) is None) == (one != other)


@given(anything, suffixes, suffixes)
def test_a_suffix_comes_off_as_it_was_put_on(ref: str, suffix: Suffix, other: Suffix) -> None:
    built = refs.suffixed(ref, suffix)
    assert refs.without(built, suffix) == ref
    assert refs.without(built, other) == (ref if other is suffix else built)


@given(documents | anything.filter(lambda t: ":correction:" not in f"{t}:"), st.integers(1, 99))
def test_a_correction_is_read_back_as_it_was_built(base: str, number: int) -> None:
    ref = refs.correction_ref(base, number)
    assert (refs.base_of(ref), refs.correction_number(ref)) == (base, number)
    assert refs.is_correction(ref)
    assert not refs.is_correction(base)
    assert (refs.base_of(base), refs.correction_number(base)) == (base, 0)


@given(documents, st.integers(1, 99), suffixes)
def test_what_belongs_to_a_correction_is_of_the_same_document(
    base: str, number: int, suffix: Suffix
) -> None:
    ref = refs.suffixed(refs.correction_ref(base, number), suffix)
    assert (refs.base_of(ref), refs.correction_number(ref)) == (base, 0)
    assert refs.is_correction(ref)


@given(documents, ids)
def test_no_part_and_no_suffix_makes_a_correction(base: str, source_id: str) -> None:
    for ref in (refs.part_ref(base, source_id), *(refs.suffixed(base, each) for each in Suffix)):
        assert not refs.is_correction(ref)
        assert refs.base_of(ref) == ref
