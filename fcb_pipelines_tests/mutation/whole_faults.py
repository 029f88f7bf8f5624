"""Faults of what hangs together: notes and invoices, cash and its document, what the world forgets."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest

from fcb_pipelines.core.codes import Method, Status
from fcb_pipelines.core.corrections import plan as correcting
from fcb_pipelines.core.dispositions import cases
from fcb_pipelines.core.dispositions import decide as dispositions
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts.lago import settlements as lago_settlements
from fcb_pipelines.core.facts.stripe import settlements as stripe
from fcb_pipelines.core.proof import amounts, credit
from fcb_pipelines.core.settlements import plan as writing
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.sources import assets as source_assets
from fcb_pipelines.defs.sources import reading as source_reading
from fcb_pipelines_tests.mutation.fault import EXPECTED, Fault, Layer
from fcb_pipelines_tests.mutation.ledger_faults import LOST, READ, TIED
from fcb_pipelines_tests.mutation.rule_faults import (
    APRIL,
    JULY,
    JUNE,
    MAY,
    Seed,
    _after,
    _all,
    _fault,
    _instead,
)

CASH, ORIGIN = "cash_without_document", "credit_has_an_origin"
Change = Callable[[pd.DataFrame], pd.DataFrame]


def _not_judged(*reasons: str) -> Seed:
    """A note goes its own way where its invoice would have decided with one of these reasons."""
    return _after(
        dispositions,
        "judged_with",
        lambda judged, *_: None if judged and judged[1].reason in reasons else judged,
    )


def _no_cash_of(unwanted: Callable[[Any, Any, Any], bool]) -> Seed:
    return _after(
        amounts._Book,
        "_moved",
        lambda moved, book, one, settled: moved and not unwanted(book, one, settled),
    )


def _from_one_wallet(self: Any) -> Any:
    used = self._amount("prepaid_credit_amount_cents")
    if used:
        yield self._own("prepaid", Method.PREPAID_CREDIT, used)


def _of_before(book: Any, one: Any, _: Any) -> bool:
    return one.date is not None and one.date < books_begin(book._settings)


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


def _forgotten(name: str, seed: Callable[[pytest.MonkeyPatch], None], *trips: str) -> Fault:
    return Fault(name=name, case="A13", layer=Layer.FORGOTTEN, seed=seed, trips=frozenset(trips))


_READ_INDEX = source_assets.read_index


def _knows_no_books(reader: Any, **named: Any) -> Any:
    return _READ_INDEX(reader, **{**named, "standing": ()})


def _asks_nothing(*_: Any) -> Sequence[str]:
    return []


_CORRECTION = correcting.correction


def _corrected_without_notes(*given: Any, **named: Any) -> Any:
    return _CORRECTION(*given, **{**named, "notes": ()})


def _today(*_: Any) -> date:
    return date(2025, 7, 31)


def _corrected(name: str, case: str, seed: Seed, *trips: str) -> Fault:
    return Fault(name=name, case=case, layer=Layer.CORRECTED, seed=seed, trips=frozenset(trips))


_NOTES_IGNORED = _instead(correcting, "correction", _corrected_without_notes)
_NEVER_REFUSED = _instead(correcting, "_refused", lambda plan, *_: plan)

JUDGING_FAULTS = (
    _fault("A note posts though its invoice is held", "B12", MAY, _not_judged("invoice_held"), EXPECTED),
    _fault("A note posts though its invoice sold nothing here", "B12", MAY, _not_judged("invoice_skipped"), EXPECTED),
    _fault("A note posts though its invoice was voided unposted", "B12", MAY, _not_judged("void_at_source"), EXPECTED),
    _fault("What a note takes off an opening invoice taken for a note that waits", "B12", APRIL, _after(month, "plan_settlements", lambda plan, *_: type(plan)(write=plan.write, exceptions=tuple((ref, "credit_note_waits" if code == "opening_document" else code) for ref, code in plan.exceptions))), EXPECTED),
    _fault("What a note takes off an opening invoice booked", "B12", APRIL, _after(writing, "_sides", lambda sides, *_: (sides[0], ())), EXPECTED),
    _fault("A zero total skipped with the tax in it", "B13", JUNE, _instead(dispositions, "_sold_nothing", lambda facts, _: not facts.problem and not facts.total), LOST),
    _fault("A zero total skipped though it moves between accounts", "B13", JUNE, _instead(dispositions, "_sold_nothing", lambda facts, _: not facts.problem and not facts.total and not facts.tax), EXPECTED),
    _fault("Money of a void dropped with it", "S11", MAY, _no_cash_of(lambda _, one, __: one.status is Status.VOID), EXPECTED),
    _fault("Money of before the books dropped with its document", "S11", JULY, _no_cash_of(_of_before), EXPECTED),
    _fault("A payment that failed since the books began dropped with its invoice", "S11", JULY, _no_cash_of(lambda _, __, settled: settled.method is Method.PAYMENT_FAILURE), LOST),
    _fault("Credit that was given away booked as bought", "S12", JUNE, _instead(lago_settlements.SettlementReader, "_from_wallet", _from_one_wallet), EXPECTED),
    _fault("Credit that nobody gave not told", "S12", JUNE, _instead(credit, "WITHOUT_ORIGIN", "nothing"), EXPECTED),
    _fault("A debt on the balance told as credit that nobody gave", "B9", APRIL, _instead(stripe, "balance_debt", lambda *_: 0), EXPECTED),
)  # fmt: skip

WHOLE_FAULTS = (
    _whole("A payment of an opening invoice gone from what has no month", "S11", keys.UNPLACED_DOCUMENTS, _without(lambda frame: frame["number"] == "EC-S11-1"), EXPECTED),
    _whole("Every document without a month gone", "S11", keys.UNPLACED_DOCUMENTS, lambda frame: frame.iloc[0:0], EXPECTED, LOST),
    _whole("An amount's row removed", "S11", keys.AMOUNTS, _first_listed("cash", "listed"), EXPECTED),
    _whole("A posted amount's row removed", "S11", keys.AMOUNTS, _first_listed("revenue", "posted"), EXPECTED),
    _whole("A posted amount a cent less", "S11", keys.AMOUNTS, _a_cent_less, LOST),
    _forgotten("What NexaCloud erased leaves the index", _instead(source_assets, "read_index", _knows_no_books), TIED),
    _forgotten("A document that its source lost is not asked for", _instead(source_reading, "named_but_not_listed", _asks_nothing), TIED),
    _forgotten("What NexaCloud erased is nobody's", _instead(cases, "_owner_move", lambda *_: None), EXPECTED),
    _corrected("A correction that ignores the notes that stand", "B12", _NOTES_IGNORED, READ),
    _corrected("The same, and nothing refuses it", "B12", _all(_NOTES_IGNORED, _NEVER_REFUSED), READ),
    _corrected("A correction dated today", "S13", _instead(correcting, "first_open_day", _today), EXPECTED),
)  # fmt: skip
