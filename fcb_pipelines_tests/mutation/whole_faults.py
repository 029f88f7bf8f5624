"""Faults of what hangs together: notes and invoices, cash and its document, what the world forgets."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from fcb_pipelines.core.codes import ExceptionCode, Method, Reason, Status, Verdict
from fcb_pipelines.core.corrections import document as correcting
from fcb_pipelines.core.corrections import plan as correction_plan
from fcb_pipelines.core.dispositions import cases, credit_notes, decide
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts import index
from fcb_pipelines.core.facts.lago import documents as lago
from fcb_pipelines.core.facts.stripe import balance
from fcb_pipelines.core.ledger import books
from fcb_pipelines.core.proof import amounts, credit
from fcb_pipelines.core.settlements import plan
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.sources import reading
from fcb_pipelines_tests.mutation.fault import EXPECTED, Fault, Layer
from fcb_pipelines_tests.mutation.ledger_faults import LOST, READ, TIED
from fcb_pipelines_tests.mutation.rule_faults import APRIL, JULY, JUNE, MAY, fault
from fcb_pipelines_tests.mutation.seams import (
    Seed,
    after,
    before,
    in_a_copy,
    instead,
)

OPENING, WAITS = ExceptionCode.OPENING_DOCUMENT, ExceptionCode.CREDIT_NOTE_WAITS
Change = Callable[[pd.DataFrame], pd.DataFrame]


def _not_judged(*reasons: str) -> Seed:
    """A note goes its own way where its invoice would have decided with one of these reasons."""
    return after(
        credit_notes.judged_with,
        lambda judged, *_: None if judged and judged[1].reason in reasons else judged,
    )


def _skipped_where(wanted: Callable[[Any], bool]) -> Seed:
    """Documents that could be read, and of which this is true, are skipped as nothing sold."""

    def wrong(row: Any, case: Any, *_: Any) -> Any:
        if row.verdict is Verdict.SKIP or case.facts.problem or not wanted(case.facts):
            return row
        return replace(row, verdict=Verdict.SKIP, reason=Reason.ZERO_AMOUNT, detail="")

    return after(decide.decide, wrong)


def _no_cash_of(unwanted: Callable[[Any, Any, Any], bool]) -> Seed:
    """Settlements that are not asked for where cash is added up; of the settings, document, settlement."""

    def without(sides: Any) -> Any:
        return replace(
            sides,
            facts=[
                one.with_settlements(
                    tuple(s for s in one.settlements if not unwanted(sides.settings, one, s))
                )
                for one in sides.facts
            ],
        )

    return before(amounts.amounts, without)


def _of_before(settings: Any, one: Any, _: Any) -> bool:
    return one.date is not None and one.date < books_begin(settings)


def _none_was_given(invoice: Any) -> None:
    invoice["prepaid_granted_credit_amount_cents"] = 0


def _waits_for_a_note(planned: Any, *_: Any) -> Any:
    told = ((ref, WAITS if code == OPENING else code) for ref, code in planned.exceptions)
    return replace(planned, exceptions=tuple(told))


def _booked_though_opening(planned: Any, settlements: Any, *_: Any) -> Any:
    listed = {ref for ref, code in planned.exceptions if code == OPENING}
    more = tuple(s for s in settlements if s.drawn_on in listed and s not in planned.write)
    rest = tuple(one for one in planned.exceptions if one[1] != OPENING)
    return replace(planned, write=(*planned.write, *more), exceptions=rest)


def _without(wanted: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> Change:
    """The frame without the rows that are wanted, of which there must be one."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        gone = wanted(frame)
        assert gone.any(), "there is no such row"
        rest = frame[~gone].reset_index(drop=True)
        rest.attrs = frame.attrs
        return rest

    return change


def _first_listed(measure: str, column: str) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        of = frame[(frame["measure"].astype(str) == measure) & (frame[column] != 0)]
        return frame.drop(index=of.index[0]).reset_index(drop=True)

    return change


def _a_cent_less(frame: pd.DataFrame) -> pd.DataFrame:
    place = frame.index[frame["posted"] != 0][0]
    frame.loc[place, "posted"] -= 1
    return frame


def _whole(name: str, case: str, frame: Any, seed: Change, *trips: str) -> Fault:
    return Fault(
        name=name, case=case, layer=Layer.WHOLE, frame=frame, seed=seed, trips=frozenset(trips)
    )


def _forgotten(name: str, seed: Seed, *trips: str) -> Fault:
    return Fault(name=name, case="A13", layer=Layer.FORGOTTEN, seed=seed, trips=frozenset(trips))


_READ_INDEX = reading.read_index


def _knows_no_books(reader: Any, **named: Any) -> Any:
    return _READ_INDEX(reader, **{**named, "ledger_state": ()})


def _asks_nothing(*_: Any) -> Sequence[str]:
    return []


def _nobodys(found: Any, *_: Any) -> Any:
    return tuple(replace(one, owner_move=None) for one in found)


_CORRECTION, _PLAN = correcting.correction, correction_plan.plan_correction


def _corrected_without_notes(*given: Any, **named: Any) -> Any:
    return _CORRECTION(*given, **{**named, "notes": ()})


def _planned_without_notes(case: Any, posted: Any, *given: Any, **named: Any) -> Any:
    alone = posted and replace(posted, notes=(), confirmed=(), credited=0)
    return _PLAN(case, alone, *given, **named)


def _today(*_: Any) -> date:
    return date(2025, 7, 31)


def _corrected(name: str, case: str, seed: Seed, *trips: str) -> Fault:
    return Fault(name=name, case=case, layer=Layer.CORRECTED, seed=seed, trips=frozenset(trips))


JUDGING_FAULTS = (
    fault("A note posts though its invoice is held", "B12", MAY, _not_judged("invoice_held"), EXPECTED),
    fault("A note posts though its invoice sold nothing here", "B12", MAY, _not_judged("invoice_skipped"), EXPECTED),
    fault("A note posts though its invoice was voided unposted", "B12", MAY, _not_judged("void_at_source"), EXPECTED),
    fault("What a note takes off an opening invoice taken for a note that waits", "B12", APRIL, after(plan.plan_settlements, _waits_for_a_note), EXPECTED),
    fault("What a note takes off an opening invoice booked", "B12", APRIL, after(plan.plan_settlements, _booked_though_opening), EXPECTED),
    fault("A zero total skipped with the tax in it", "B13", JUNE, _skipped_where(lambda facts: not facts.total), LOST),
    fault("A zero total skipped though it moves between accounts", "B13", JUNE, _skipped_where(lambda facts: not facts.total and not facts.tax), EXPECTED),
    fault("Money of a void dropped with it", "S11", MAY, _no_cash_of(lambda _, one, __: one.status is Status.VOID), EXPECTED),
    fault("Money of before the books dropped with its document", "S11", JULY, _no_cash_of(_of_before), EXPECTED),
    fault("A payment that failed since the books began dropped with its invoice", "S11", JULY, _no_cash_of(lambda _, __, settled: settled.method is Method.PAYMENT_FAILURE), LOST),
    fault("Credit that was given away booked as bought", "S12", JUNE, before(lago.document_facts, in_a_copy("invoice", _none_was_given)), EXPECTED),
    fault("Credit that nobody gave not told", "S12", JUNE, instead(credit.drawn_without_origin, lambda *_: ()), EXPECTED),
    fault("A debt on the balance told as credit that nobody gave", "B9", APRIL, instead(balance.balance_debt, lambda *_: 0), EXPECTED),
)  # fmt: skip

WHOLE_FAULTS = (
    _whole("A payment of an opening invoice gone from what has no month", "S11", keys.UNPLACED_DOCUMENTS, _without(lambda frame: frame["number"] == "EC-S11-1"), EXPECTED),
    _whole("Every document without a month gone", "S11", keys.UNPLACED_DOCUMENTS, lambda frame: frame.iloc[0:0], EXPECTED, LOST),
    _whole("An amount's row removed", "S11", keys.AMOUNTS, _first_listed("cash", "listed"), EXPECTED),
    _whole("A posted amount's row removed", "S11", keys.AMOUNTS, _first_listed("revenue", "posted"), EXPECTED),
    _whole("A posted amount a cent less", "S11", keys.AMOUNTS, _a_cent_less, LOST),
    _forgotten("What NexaCloud erased leaves the index", instead(reading.read_index, _knows_no_books), TIED),
    _forgotten("A document that its source lost is not asked for", instead(index.named_but_not_listed, _asks_nothing), TIED),
    _forgotten("What NexaCloud erased is nobody's", after(cases.cases, _nobodys), EXPECTED),
    _corrected("A correction that ignores the notes that stand", "B12", instead(correcting.correction, _corrected_without_notes), READ),
    _corrected("The same, and nothing refuses it", "B12", instead(correction_plan.plan_correction, _planned_without_notes), READ),
    _corrected("A correction dated today", "S13", instead(books.first_open_day, _today), EXPECTED),
)  # fmt: skip
