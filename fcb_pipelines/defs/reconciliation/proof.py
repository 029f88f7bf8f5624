"""Reading the frames back into one proof: gates and documents of every month, and of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.close.status import MonthStatus, status
from fcb_pipelines.core.codes import ExceptionCode, Side
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.documents.build import account_codes
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.corrections import credited_by_notes
from fcb_pipelines.core.ledger.moves import Standing, StandingSettlement
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.core.proof.amount_rows import (
    AmountRow,
    Measure,
    amount_gates,
    by_document,
    totals,
)
from fcb_pipelines.core.proof.amounts import Sides, amounts
from fcb_pipelines.core.proof.completeness import CompletenessRow, completeness_gate
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.gates import (
    GateResult,
    Outcome,
    ledger_agrees,
    nexacloud_agrees,
    nothing_is_held,
    population_adds_up,
    revenue_in_other,
    tax_as_expected,
    unitemised_lines,
)
from fcb_pipelines.core.proof.partners import shared_email
from fcb_pipelines.core.proof.receivable import ReceivableRow, receivable_gate, unsettled
from fcb_pipelines.core.proof.window import Fingerprint
from fcb_pipelines.core.refs import nexacloud_ref
from fcb_pipelines.defs.metering.proof import DualRunProof
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import contract, contracts, users_of
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import periods, today
from fcb_pipelines.defs.sources.reading import listing_gate

# What a built month has; a frame that is missing leaves its part of the proof out.
_FRAMES = {
    **{name: one.key for name, one in month.INDEXES.items()},
    **{name: one.key for name, one in month.COPIES.items()},
    **{name: one.key for name, one in month.USERS.items()},
}
_EXTRACTS = {"users": "users", "copies": "invoices", "copy_items": "invoice_items"}
_MONTH_FRAMES = {
    **{name: one.key for name, one in month.FACTS.items()},
    **{name: one.key for name, one in month.CREDITED.items()},
    "agreements": keys.AGREEMENTS,
    "dispositions": keys.DISPOSITIONS,
    "tax_witness": keys.TAX_WITNESS,
    "documents": keys.DOCUMENTS,
    "partners": keys.PARTNERS,
    "standing": keys.STANDING,
    "settlements": keys.SETTLEMENTS,
    "deltas": keys.LEDGER_DELTAS,
}
_ON_ACCOUNT = {"settlements": keys.SETTLEMENTS, "deltas": keys.LEDGER_DELTAS}


class Proof:
    """Everything the frames of one dataset say, read when it is asked for."""

    def __init__(self, frames: FrameStore) -> None:
        self._frames = frames
        # A frame that breaks its contract is not read further; its gate names it.
        self._shared = {
            name: frame
            for name, frame in self._read(_FRAMES, None).items()
            if name not in _EXTRACTS or contract(_EXTRACTS[name], frame).outcome is Outcome.PASS
        }
        self._dual_run = DualRunProof(frames)

    def status(self, only: str | None = None) -> dict[str, Any]:
        """The status JSON, of one period or of all."""
        chosen = [period for period in periods() if only in (None, period)]
        built = {period: self.month(period) for period in chosen}
        return status(
            {period: one for period, one in built.items() if one is not None},
            self._unplaced(),
            self.global_gates(),
            self.other_service(),
            families(),
            self._dual_run.status(only),
            totals(self._amounts),
        )

    def month(self, period: str) -> MonthStatus | None:
        """One month as its last build left it; None where it was never built."""
        this = self.built_month(period)
        frames = this.frames
        if "dispositions" not in frames:
            return None
        read_back = self._last_read_back(frames)
        standing = [row for row in read_back if not row.elsewhere]
        deltas = to_rows(frames["deltas"], LedgerDelta) if "deltas" in frames else ()
        return MonthStatus(
            dispositions=this.dispositions,
            documents=this.documents if "documents" in frames else (),
            moves={row.ref: row.move for row in standing if row.move is not None},
            settlements=[row.settlement for row in standing if row.settlement is not None],
            deltas=deltas,
            unsettled=_unsettled(this),
            amounts=self._amounts_of(this, read_back, deltas),
            credited=credited_by_notes(row.move for row in read_back),
            witness=this.witness if "tax_witness" in frames else (),
            books=this.books if "standing" in frames else None,
            gates=(
                *_month_gates(this, deltas if "deltas" in frames else None),
                *self._dual_run.month_gates(period),
            ),
        )

    def facts(self) -> Iterator[InvoiceFacts]:
        """Every document of every month that was built, as its source tells it."""
        for period in periods():
            frames = self._read(_MONTH_FRAMES, period)
            if month.FACTS.keys() <= frames.keys():
                yield from Month(period, frames).facts

    def deltas(self) -> tuple[LedgerDelta, ...]:
        """Every difference that the last build of each month found."""
        return tuple(
            delta
            for period in periods()
            if (frame := self._frames.read(keys.LEDGER_DELTAS.path, period)) is not None
            for delta in to_rows(frame, LedgerDelta)
        )

    def built_month(self, period: str) -> Month:
        """One month's frames as its last build left them."""
        return Month(period, {**self._shared, **self._read(_MONTH_FRAMES, period)})

    def dispositions(self) -> dict[str, tuple[Disposition, ...]]:
        """The dispositions of every month that was built."""
        return {
            period: to_rows(frame, Disposition)
            for period in periods()
            if (frame := self._frames.read(keys.DISPOSITIONS.path, period)) is not None
        }

    def fingerprints(self) -> dict[str, Fingerprint]:
        """What each month was last built from, for the months that were built to the end."""
        return {
            period: Fingerprint(**frame.attrs["fingerprint"])
            for period in periods()
            if (frame := self._frames.read(keys.LEDGER_DELTAS.path, period)) is not None
        }

    def unsettled(self) -> dict[str, tuple[int, ExceptionCode]]:
        """Ref -> confirmed settlements that are listed, not posted, and the exception's code."""
        found: dict[str, tuple[int, ExceptionCode]] = {}
        for period in periods():
            frames = self._read(_MONTH_FRAMES, period)
            this = Month(period, {**self._shared, **frames})
            found |= _unsettled(this)
        return found

    def global_gates(self) -> tuple[GateResult, ...]:
        """The gates of the extracts, the indexes and the whole."""
        results: list[GateResult] = []
        extracts = {
            table: frame
            for table in keys.POSTED_TABLES
            if (frame := self._frames.read(["nexacloud", table])) is not None
        }
        if extracts:
            results.append(contracts(extracts))
        for side in (Side.STRIPE, Side.LAGO):
            frame = self._shared.get(f"{side.value}_index")
            if frame is not None:
                results.append(listing_gate(side, to_rows(frame, IndexRow), frame.attrs))
        frame = self._frames.read(keys.COMPLETENESS.path)
        if frame is not None:
            results.append(completeness_gate(to_rows(frame, CompletenessRow)))
        receivable = self._frames.read(keys.RECEIVABLE.path)
        if receivable is not None:
            results.append(receivable_result(receivable))
        if self._frames.read(keys.AMOUNTS.path) is not None:
            results += amount_gates(self._amounts)
        results += self._dual_run.global_gates()
        return tuple(results)

    def other_service(self) -> int:
        """How many documents of the sources belong to other products of the company."""
        return sum(
            not row.in_scope
            for name in month.INDEXES
            if name in self._shared
            for row in to_rows(self._shared[name], IndexRow)
        )

    def customers(self) -> dict[str, str]:
        """The name of each billing account that NexaCloud knows."""
        frame = self._shared.get("users")
        users = users_of(frame) if frame is not None else {}
        return {nexacloud_ref(key): user.name for key, user in users.items()}

    def snapshot(self) -> str:
        """The snapshot that the present extracts were read from."""
        frame = self._shared.get("copies")
        return str(frame.attrs.get("snapshot", "")) if frame is not None else ""

    @cached_property
    def _amounts(self) -> tuple[AmountRow, ...]:
        """Every amount, as the last proof over all months found it."""
        return self._rows(keys.AMOUNTS, AmountRow)

    def _unplaced(self) -> MonthStatus:
        rows = self._rows(keys.UNPLACED, Disposition)
        refs = {row.ref for row in rows}
        own = [row for row in self._amounts if row.ref in refs]
        entries: list[StandingSettlement] = []
        deltas: list[LedgerDelta] = []
        # What is booked of them, or could not be, is of the month of its own date.
        for period in sorted({period_of(row.day) for row in own if row.day} & {*periods()}):
            read = self._read(_ON_ACCOUNT, period)
            if "settlements" in read:
                found = to_rows(read["settlements"], Standing)
                entries += [row.settlement for row in found if row.settlement]
            if "deltas" in read:
                deltas += to_rows(read["deltas"], LedgerDelta)
        return MonthStatus(
            dispositions=rows,
            # A month has the other payments of a document beside its own.
            settlements=[*{each.ref: each for each in entries}.values()],
            deltas=[delta for delta in deltas if delta.ref in refs],
            amounts=by_document(own),
        )

    def _amounts_of(
        self, this: Month, read_back: Sequence[Standing], deltas: Sequence[LedgerDelta]
    ) -> Mapping[str, Sequence[AmountRow]]:
        """The month's amounts as its last build left them; where credit came from only all months tell."""
        if not month.FACTS.keys() <= this.frames.keys():
            return {}
        refs = {row.ref for row in this.dispositions}
        sides = Sides(
            facts=this.facts,
            dispositions=this.dispositions,
            deltas=deltas,
            moves=[row.move for row in read_back if row.move],
            settlements=[row.settlement for row in read_back if row.settlement],
            settings=current(),
        )
        drawn = [row for row in self._amounts if row.measure is Measure.CREDIT]
        return by_document(row for row in (*amounts(sides), *drawn) if row.ref in refs)

    def _rows(self, key: Any, row_type: type[Any]) -> tuple[Any, ...]:
        frame = self._frames.read(key.path)
        return to_rows(frame, row_type) if frame is not None else ()

    def _read(self, wanted: Mapping[str, Any], period: str | None) -> dict[str, pd.DataFrame]:
        read = {name: self._frames.read(key.path, period) for name, key in wanted.items()}
        return {name: frame for name, frame in read.items() if frame is not None}

    def _last_read_back(self, frames: Mapping[str, pd.DataFrame]) -> Sequence[Standing]:
        frame = frames.get("settlements", frames.get("standing"))
        return to_rows(frame, Standing) if frame is not None else ()


def families() -> dict[str, str]:
    """The family of each income account code."""
    return {code: family for family, code in account_codes(current()).items()}


def receivable_result(frame: pd.DataFrame) -> GateResult:
    """The receivable gate over its frame; `orphans` in its attrs are moves of no member."""
    return receivable_gate(to_rows(frame, ReceivableRow), tuple(frame.attrs.get("orphans", ())))


def _month_gates(this: Month, deltas: Sequence[LedgerDelta] | None) -> tuple[GateResult, ...]:
    results: list[GateResult] = []
    if {*month.INDEXES, *month.COPIES} <= this.frames.keys():
        members = {member.ref for member in this.members}
        results.append(population_adds_up(members, this.dispositions))
        if {"documents", "standing"} <= this.frames.keys():
            # The first of these is population_adds_up again.
            results += this.written_gates(this.standing, this.books)[1:]
    if deltas is not None:
        results += ledger_agrees(deltas)
    if "documents" in this.frames:
        results += [revenue_in_other(this.document_rows), unitemised_lines(this.document_rows)]
    if "partners" in this.frames:
        results.append(shared_email(this.partners))
    results.append(nothing_is_held(this.dispositions, today()))
    if "agreements" in this.frames:
        results.append(nexacloud_agrees(this.agreements))
    if "tax_witness" in this.frames:
        results.append(tax_as_expected(this.witness))
    return tuple(results)


def _unsettled(this: Month) -> dict[str, tuple[int, ExceptionCode]]:
    """What of the month's documents is settled at the source and listed; nothing before it is read."""
    if not {*month.FACTS} <= this.frames.keys():
        return {}
    deltas = this.frames.get("deltas")
    rows = to_rows(deltas, LedgerDelta) if deltas is not None else ()
    return unsettled(this.facts, rows, current())
