"""The story of a document: each side, the rule, and what happened in order of time."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.status import documents_of
from fcb_pipelines.core.close.story import DocumentStory, Told, called, document_story
from fcb_pipelines.core.dispositions.decide import decide
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.refs import correction_ref
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
)

CASE = a_case(an_invoice("in_1"))
REF = CASE.facts.ref
NUMBERS = {"stripe:a:in_1": "A-1", "lago:o:1": "A-1", "stripe:a:in_2": "A-2", "stripe:a:in_3": ""}


@pytest.mark.parametrize(
    ("name", "refs"),
    [
        ("A-2", ["stripe:a:in_2"]),
        ("stripe:a:in_2", ["stripe:a:in_2"]),
        ("A-1", ["lago:o:1", "stripe:a:in_1"]),
        ("stripe:a:in_1", ["stripe:a:in_1"]),
        ("stripe:a:in_3", ["stripe:a:in_3"]),
        ("A-3", []),
        ("a-2", []),
        ("", []),
    ],
)
def test_a_document_is_called_by_its_ref_or_its_number(name: str, refs: list[str]) -> None:
    assert called(name, NUMBERS) == tuple(refs)


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=6), st.text(max_size=3))
def test_a_ref_calls_its_own_document_alone_whatever_the_numbers(
    numbers: dict[str, str], number: str
) -> None:
    assert all(called(ref, numbers) == (ref,) for ref in numbers)
    if number not in numbers:
        assert {*called(number, numbers)} == {r for r, n in numbers.items() if n == number != ""}


def the_story(told: Told | None = None, facts: Any = CASE.facts, **changes: Any) -> DocumentStory:
    move = a_move(document_of(CASE))
    month = replace(
        MonthStatus(
            dispositions=[decide(CASE, SETTINGS, BOOKS, LAST_PERIOD)],
            documents=[document_of(CASE)],
            moves={REF: move},
            settlements=[an_entry(one) for one in settlements_of(CASE)],
            facts=lambda: {REF: facts},
        ),
        **changes,
    )
    return document_story(documents_of(month)[0], month, told or Told(), [])


def test_each_side_is_told_with_its_own_figures() -> None:
    copy = a_copy(number="B-1").facts
    story = the_story(Told(copy=copy))
    source, nexacloud = story["sides"]
    assert (source["side"], source["number"], source["total"]) == (
        "stripe",
        CASE.facts.number,
        22600,
    )
    assert (nexacloud["side"], nexacloud["number"]) == ("nexacloud", "B-1")
    assert story["rule"] == "To be posted exactly as it was billed."


def test_what_happened_is_told_in_order_of_time_with_the_record_in_the_ledger() -> None:
    late = a_settlement(REF, 100, date=date(2026, 6, 2))
    facts = CASE.facts.with_settlements((*CASE.facts.settlements, late))
    reversal = replace(
        a_move(document_of(CASE)),
        ref=correction_ref(REF, 1),
        accounting_date=date(2026, 5, 20),
        state=MoveState.POSTED,
    )
    known = Decision(
        ref=REF, code="overpaid", by="jane", at=datetime(2026, 5, 25, 8, 0, tzinfo=UTC), note="ok"
    )
    other = replace(known, ref="stripe:a:in_9")
    withdrawn = replace(known, at=datetime(2026, 5, 26, tzinfo=UTC), note="", withdraws=known.id)
    moves = {
        REF: replace(a_move(document_of(CASE)), ledger_number="NCSTR/2026/00007"),
        reversal.ref: reversal,
    }
    story = the_story(Told(decisions=[withdrawn, known, other]), facts, moves=moves)
    told = [(one["at"][:10], one["side"], one["what"]) for one in story["events"]]
    assert told == sorted(told, key=lambda each: each[0])
    assert [each for each in told if each[0] > "2026-05-01"] == [
        ("2026-05-20", "ledger", "invoice, posted"),
        ("2026-05-25", "jane", "overpaid: acknowledged, ok"),
        ("2026-05-26", "jane", "overpaid: withdrawn"),
        ("2026-06-02", "stripe", "payment"),
    ]
    in_ledger = [one for one in story["events"] if one["side"] == "ledger"]
    assert (in_ledger[0]["entry"], in_ledger[0]["ledger_number"]) == (REF, "NCSTR/2026/00007")
    assert all(one["ledger_id"] for one in in_ledger)
    assert {one["what"] for one in in_ledger} >= {"payment, posted, reconciled"}
