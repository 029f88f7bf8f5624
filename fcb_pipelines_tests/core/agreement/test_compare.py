"""Two sides are compared field by field, and every field that the policy compares really is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.agreement.compare import (
    Agreement,
    AgreementRow,
    compare,
    copy_against_source,
    disagreements,
    match_lines,
    policy_of,
)
from fcb_pipelines.core.agreement.policy import FIELD_POLICIES, Policy, compared_with
from fcb_pipelines.core.codes import Kind, Status, System
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts
from fcb_pipelines_tests.facts import CUSTOMER, a_copy, a_line, a_tax, an_invoice, without_lines

SOURCE = an_invoice("in_1", a_line(), a_line(1000, description="Daily Backup"))
COPY = a_copy(SOURCE).facts


def compared(
    copy: InvoiceFacts, source: InvoiceFacts = SOURCE, customer: str | None = CUSTOMER
) -> tuple[AgreementRow, ...]:
    return disagreements(copy_against_source(source, copy, customer=customer))


def with_line(**changes: object) -> Callable[[InvoiceFacts], InvoiceFacts]:
    def change(facts: InvoiceFacts) -> InvoiceFacts:
        return replace(facts, lines=(replace(facts.lines[0], **changes), *facts.lines[1:]))  # type: ignore[arg-type]

    return change


def with_header(**changes: object) -> Callable[[InvoiceFacts], InvoiceFacts]:
    def change(facts: InvoiceFacts) -> InvoiceFacts:
        return replace(facts, **changes)  # type: ignore[arg-type]

    return change


MUTATIONS: dict[str, Callable[[InvoiceFacts], InvoiceFacts]] = {
    "kind": with_header(kind=Kind.CREDIT_NOTE),
    "number": with_header(number="another"),
    "status": with_header(status=Status.VOID),
    "currency": with_header(currency="USD"),
    "net": with_header(net=21001),
    "tax": with_header(tax=2729),
    "total": with_header(total=23731),
    "paid": with_header(paid=0),
    "lines": lambda facts: replace(facts, lines=facts.lines[:1]),
    "line.description": with_line(description="Odoo ERP Hosting - Large"),
    "line.quantity": with_line(quantity=Decimal(2)),
    "line.net": with_line(net=20001),
}


def test_a_true_copy_agrees_in_every_field() -> None:
    assert compared(COPY) == ()


def test_every_field_that_the_policy_compares_with_nexacloud_has_a_mutation() -> None:
    fields = {name for name, row in FIELD_POLICIES.items() if row.nexacloud is Policy.COMPARED}
    assert fields == MUTATIONS.keys() | {"partner"}


@pytest.mark.parametrize("field", MUTATIONS)
def test_a_change_of_nexaclouds_copy_is_named_by_its_field(field: str) -> None:
    wrong = compared(MUTATIONS[field](COPY))
    assert field in {row.policy for row in wrong}
    assert {row.ref for row in wrong} == {SOURCE.ref}
    # No other field is blamed, but for the fields of a line that is gone altogether.
    assert {row.policy.split(".")[0] for row in wrong} <= {field.split(".")[0], "line"}


@pytest.mark.parametrize("field", MUTATIONS)
def test_a_change_of_the_source_is_named_by_its_field(field: str) -> None:
    assert field in {row.policy for row in compared(COPY, MUTATIONS[field](SOURCE))}


@pytest.mark.parametrize("customer", ["cus_2", None])
def test_another_customer_at_the_source_is_named(customer: str | None) -> None:
    (row,) = compared(COPY, customer=customer)
    assert (row.field, row.expected, row.actual) == ("partner", CUSTOMER, customer)


OTHERS: dict[str, tuple[Callable[[InvoiceFacts], InvoiceFacts], str | None]] = {
    **{field: (change, CUSTOMER) for field, change in MUTATIONS.items()},
    "partner": (lambda facts: facts, "cus_2"),
}
# What the table has ignored, and a side could say all the same.
IGNORED: dict[str, Callable[[InvoiceFacts], InvoiceFacts]] = {
    "date": with_header(date=date(2026, 4, 4)),
    "taxes": with_header(taxes=(a_tax(21000, 2731),)),
    "line.taxes": with_line(taxes=(a_tax(20000, 2601),)),
}


def decide(patch: pytest.MonkeyPatch, policy: Policy, *fields: str) -> None:
    """NexaCloud's word on these fields counts for something else."""
    for field in fields:
        row = replace(FIELD_POLICIES[field], nexacloud=policy)
        patch.setitem(FIELD_POLICIES, field, row)


@pytest.mark.parametrize("field", OTHERS)
def test_the_table_decides_that_a_field_of_the_copy_is_not_compared(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, customer = OTHERS[field]
    decide(monkeypatch, Policy.IGNORED, field)
    rows = copy_against_source(SOURCE, change(COPY), customer=customer)
    assert {row.policy for row in rows} == compared_with(System.NEXACLOUD).keys()
    decide(monkeypatch, Policy.IGNORED, *FIELD_POLICIES)
    assert copy_against_source(SOURCE, change(COPY), customer=customer) == ()
    decide(monkeypatch, Policy.COMPARED, field)
    assert {row.policy for row in compared(change(COPY), customer=customer)} == {field}


@pytest.mark.parametrize("field", IGNORED)
def test_the_table_decides_that_a_field_of_the_copy_is_compared(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = IGNORED[field](SOURCE)
    assert compared(changed) == ()
    decide(monkeypatch, Policy.COMPARED, field)
    assert {row.policy for row in compared(changed)} == {field}
    assert compared(SOURCE) == ()


def test_an_amount_carries_its_signed_difference() -> None:
    (row,) = compared(replace(COPY, tax=2729))
    assert (row.expected, row.actual, row.difference) == ("2730", "2729", -1)


def test_b2_a_copy_without_any_items_is_one_row_and_a_lost_item_is_another_thing() -> None:
    (row,) = compared(without_lines(COPY))
    assert (row.field, row.kind, row.expected) == ("lines", Agreement.MISSING, "2")
    lost = compared(replace(COPY, lines=COPY.lines[:1]))
    assert next(row.kind for row in lost if row.field == "lines") is Agreement.DIFFERS


def test_neither_side_having_lines_is_agreement() -> None:
    assert compared(without_lines(COPY), without_lines(SOURCE)) == ()


def test_an_item_that_the_source_does_not_have_is_extra() -> None:
    more = replace(COPY, lines=(*COPY.lines, a_line(5, key="x", description="Invented")))
    kinds = {row.field: row.kind for row in compared(more)}
    assert kinds["line[3].net"] is Agreement.EXTRA


def test_the_policy_of_every_row_is_a_row_of_the_table() -> None:
    assert {row.policy for row in copy_against_source(SOURCE, COPY, customer=CUSTOMER)} <= set(
        FIELD_POLICIES
    )
    assert policy_of("line[12].net") == "line.net"


@pytest.mark.parametrize("name", FIELD_POLICIES)
def test_a_policy_names_its_own_field_and_says_why(name: str) -> None:
    row = FIELD_POLICIES[name]
    assert row.field == name
    assert row.why


texts = st.sampled_from(["Hosting", "Backup", "Managed", "", "hosting"])


@st.composite
def some_lines(draw: st.DrawFn) -> list[LineFacts]:
    drawn = draw(st.lists(st.tuples(texts, st.integers(-3, 3), st.integers(1, 2)), max_size=6))
    return [
        a_line(net, key=str(i), description=text, quantity=Decimal(quantity))
        for i, (text, net, quantity) in enumerate(drawn)
    ]


@given(some_lines(), st.randoms(use_true_random=False))
def test_another_order_of_lines_is_no_difference(lines: list[LineFacts], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(lines)
    random.shuffle(shuffled)
    source = an_invoice("in_1", *lines) if lines else an_invoice()
    copy = replace(a_copy(source).facts, lines=tuple(shuffled or source.lines))
    assert compared(copy, source) == ()


@given(some_lines(), some_lines())
def test_agreement_is_symmetric(left: list[LineFacts], right: list[LineFacts]) -> None:
    if not left or not right:
        return  # a copy without items is a case of its own
    one, two = an_invoice("in_1", *left), an_invoice("in_1", *right)
    there = disagreements(copy_against_source(one, two, customer=CUSTOMER))
    back = disagreements(copy_against_source(two, one, customer=CUSTOMER))
    assert Counter((r.policy, r.expected, r.actual) for r in there) == Counter(
        (r.policy, r.actual, r.expected) for r in back
    )


@given(some_lines(), some_lines())
def test_every_line_is_matched_exactly_once(left: list[LineFacts], right: list[LineFacts]) -> None:
    pairs = match_lines(left, right, (lambda line: line.description, lambda line: line.net))
    assert [one for one, _ in pairs if one is not None] == left
    matched = [other.key for _, other in pairs if other is not None]
    assert sorted(matched) == sorted(line.key for line in right)
    assert (None, None) not in pairs


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2)),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2)),
)
def test_a_comparison_has_one_row_for_each_field_of_either_side(
    left: dict[str, int], right: dict[str, int]
) -> None:
    rows = compare("a", "b", left, right)
    assert sorted(row.field for row in rows) == sorted(left.keys() | right.keys())
    assert {row.field for row in disagreements(rows)} == {
        key for key in left.keys() | right.keys() if left.get(key, -1) != right.get(key, -1)
    }
