"""The proof, read back from the frames: gates and documents of each month, and of all of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameStore, read_attrs, read_columns, to_rows
from fcb_pipelines.core.close.decisions import Decision, in_force
from fcb_pipelines.core.close.exceptions import exception_rows
from fcb_pipelines.core.close.gates import OF_A_MONTH
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.shapes import ExceptionRow, StatusJson
from fcb_pipelines.core.close.status import documents_of, status
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.documents.build import account_codes
from fcb_pipelines.core.events.proof import DeliveryRow, events_status
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.corrections import credited_by_notes
from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.core.proof.amount_rows import (
    AmountRow,
    Measure,
    by_document,
    totals,
)
from fcb_pipelines.core.proof.amounts import AmountInputs, amounts
from fcb_pipelines.core.proof.completeness import UNPLACED
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.gate import GateResult, Outcome
from fcb_pipelines.core.proof.receivable import unsettled
from fcb_pipelines.core.proof.window import Fingerprint
from fcb_pipelines.core.refs import nexacloud_ref
from fcb_pipelines.defs.gates.inputs import frames_of, gate_results
from fcb_pipelines.defs.gates.kept import over_all
from fcb_pipelines.defs.metering.inputs import invoiced_of
from fcb_pipelines.defs.metering.proof import DualRunProof
from fcb_pipelines.defs.reconciliation.cash_report import CashReport
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_io import slices_of
from fcb_pipelines.defs.runtime.frame_rows import EXTRACTS, contract, users_of
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import periods, today

# The frames of a built month; a missing frame leaves its part of the proof out.
_FRAMES = {**keys.CUT, "users": keys.USERS}
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
# All frames that a month's status, without its gates, is made of.
OF_A_BUILD = tuple(key for key in _MONTH_FRAMES.values() if key is not None)
_FACTS = {name: one.key for name, one in month.FACTS.items()}
# Further frames for the gates of a month.
_GATED = {name: one.key for name, one in frames_of(OF_A_MONTH).items() if name not in {*_FRAMES}}
_ON_ACCOUNT = {"settlements": keys.SETTLEMENTS, "deltas": keys.LEDGER_DELTAS}


class FrameReport:
    """The proof of one dataset, read from its frames on demand."""

    def __init__(self, frames: FrameStore, decisions: Iterable[Decision] = ()) -> None:
        self._frames = FrameStore(frames.root, once=True)
        self._slices = slices_of(self._frames)
        self._acknowledged = in_force(decisions, today())
        self._sound: dict[str, pd.DataFrame | None] = {}
        self._dual_run = DualRunProof(frames)

    def status(self, only: str | None = None) -> StatusJson:
        """The status JSON, of one period or of all."""
        return status(
            self._built(only),
            self._unplaced(),
            self.global_gates(),
            self.other_service(),
            families(),
            self._dual_run.status(only),
            totals(self._amounts),
            events_status(
                row
                for row in self._rows(keys.DELIVERIES, DeliveryRow)
                if only in (None, row.period)
            ),
            CashReport(frames=self._frames).status(),
            self.snapshot(),
        )

    def exceptions(self, only: str | None = None) -> dict[str, list[ExceptionRow]]:
        """Holds and exceptions of every place, or of one month."""
        return {
            place: exception_rows(month, documents_of(month), today())
            for place, month in self.places(only).items()
        }

    def places(self, only: str | None = None) -> dict[str, MonthStatus]:
        """Each month that was built, without its gates, and unplaced; with `only` that place alone."""
        if only == UNPLACED:
            return {UNPLACED: self._unplaced()}
        built = self._built(only, gated=False)
        return built if only is not None else {**built, UNPLACED: self._unplaced()}

    def month(self, period: str, *, gated: bool = True) -> MonthStatus | None:
        """One month as its last build left it, with its gates where `gated`; None where it was never built."""
        wanted = {**_MONTH_FRAMES, **_GATED} if gated else _MONTH_FRAMES
        frames = {**self._extracts(period), **self._read(wanted, period)}
        this = Month(period, frames)
        if "dispositions" not in frames:
            return None
        read_back = self._last_read_back(frames)
        ledger_state = [row for row in read_back if not row.elsewhere]
        deltas = to_rows(frames["deltas"], LedgerDelta) if "deltas" in frames else ()
        return MonthStatus(
            dispositions=this.dispositions,
            documents=this.documents if "documents" in frames else (),
            moves={row.ref: row.move for row in ledger_state if row.move is not None},
            settlements=[row.settlement for row in ledger_state if row.settlement is not None],
            deltas=deltas,
            unsettled=_unsettled(this),
            amounts=self._amounts_of(this, read_back, deltas),
            credited=credited_by_notes(row.move for row in read_back),
            witness=this.witness if "tax_witness" in frames else (),
            books=this.books if "standing" in frames else None,
            gates=gate_results(OF_A_MONTH, this, {"invoiced": self._invoiced(period)})
            if gated
            else (),
            facts=lambda: this.facts_by_ref if month.FACTS.keys() <= frames.keys() else {},
            agreements=lambda: this.agreements if "agreements" in frames else (),
            acknowledged=self._acknowledged,
        )

    def facts(self) -> Iterator[InvoiceFacts]:
        """Every document of every built month, by its source."""
        for period in periods():
            frames = self._read_month(period, _FACTS)
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
        return Month(period, {**self._extracts(period), **self._read_month(period)})

    def extracts(self, period: str | None) -> Month:
        """The indexes and NexaCloud's invoices: a month's part, or None for all of them."""
        frames = {name: self._whole(name) for name in _FRAMES} if period is None else {}
        whole = {name: frame for name, frame in frames.items() if frame is not None}
        return Month(period or "", self._extracts(period) if period else whole)

    def dispositions(self) -> dict[str, tuple[Disposition, ...]]:
        """The dispositions of every month that was built."""
        return {
            period: to_rows(frame, Disposition)
            for period in periods()
            if (frame := self._frames.read(keys.DISPOSITIONS.path, period)) is not None
        }

    def fingerprints(self) -> dict[str, Fingerprint]:
        """The fingerprint of each month's last build, for the months that were built to the end."""
        return {
            period: Fingerprint(**frame.attrs["fingerprint"])
            for period in periods()
            if (frame := self._frames.read(keys.LEDGER_DELTAS.path, period)) is not None
        }

    def unsettled(self) -> dict[str, tuple[int, ExceptionCode]]:
        """Ref -> amount of confirmed settlements that are listed and not posted, and the exception's code."""
        found: dict[str, tuple[int, ExceptionCode]] = {}
        for period in periods():
            wanted = {**_FACTS, "deltas": keys.LEDGER_DELTAS}
            found |= _unsettled(Month(period, self._read_month(period, wanted)))
        return found

    def global_gates(self) -> tuple[GateResult, ...]:
        """The gates over the extracts and over all months."""
        return over_all(self._frames)

    def other_service(self) -> int:
        """The number of documents at the sources that belong to other products of the company."""
        return sum(
            not row.in_scope
            for name in month.INDEXES
            if (frame := self._whole(name)) is not None
            for row in to_rows(frame, IndexRow)
        )

    def customers(self) -> dict[str, str]:
        """The name of each billing account that NexaCloud knows."""
        frame = self._whole("users")
        users = users_of(frame) if frame is not None else {}
        return {nexacloud_ref(key): user.name for key, user in users.items()}

    def snapshot(self) -> str:
        """The snapshot that the present extracts were read from; empty without one."""
        try:
            told = read_attrs(self._frames.path(keys.COPIES.path))
        except FileNotFoundError:
            return ""
        return str(told.get("snapshot", ""))

    @cached_property
    def _amounts(self) -> tuple[AmountRow, ...]:
        """Every amount, as the last proof over all months found it."""
        return self._rows(keys.AMOUNTS, AmountRow)

    @cached_property
    def drawn(self) -> tuple[AmountRow, ...]:
        """The credit without an origin, as the last proof over all months found it."""
        return self._amounts_where("measure", {Measure.CREDIT.value})

    def _invoiced(self, period: str) -> tuple[Invoiced, ...]:
        """The documents that the services' invoices claim, as far as they concern a month."""
        frame = self._frames.read(keys.INVOICED_DOCUMENTS.path)
        return () if frame is None else invoiced_of(frame, period)

    def _amounts_where(self, column: str, values: Collection[str]) -> tuple[AmountRow, ...]:
        file = self._frames.path(keys.AMOUNTS.path)
        try:
            (told,) = read_columns(file, [column]).columns
        except FileNotFoundError:
            return ()
        if {*values}.isdisjoint(told.unique().to_pylist()):
            return ()
        frame = self._frames.load(file)
        return to_rows(frame[frame[column].isin(values)], AmountRow)

    def _built(self, only: str | None, *, gated: bool = True) -> dict[str, MonthStatus]:
        chosen = [period for period in periods() if only in (None, period)]
        found = {period: self.month(period, gated=gated) for period in chosen}
        return {period: one for period, one in found.items() if one is not None}

    def _unplaced(self) -> MonthStatus:
        rows = self._rows(keys.UNPLACED, Disposition)
        refs = {row.ref for row in rows}
        own = self._amounts_where("ref", refs)
        entries: list[LedgerSettlement] = []
        deltas: list[LedgerDelta] = []
        # Their entries and deltas are in the month of the entry's own date.
        for period in sorted({period_of(row.day) for row in own if row.day} & {*periods()}):
            read = self._read(_ON_ACCOUNT, period)
            if "settlements" in read:
                found = to_rows(read["settlements"], LedgerState)
                entries += [row.settlement for row in found if row.settlement]
            if "deltas" in read:
                deltas += to_rows(read["deltas"], LedgerDelta)
        return MonthStatus(
            dispositions=rows,
            # A month also has the document's payments of other months.
            settlements=[*{each.ref: each for each in entries}.values()],
            deltas=[delta for delta in deltas if delta.ref in refs],
            amounts=by_document(own),
            facts=self._unplaced_facts,
            acknowledged=self._acknowledged,
        )

    def _unplaced_facts(self) -> dict[str, InvoiceFacts]:
        return {one.ref: one for one in self._rows(keys.UNPLACED_DOCUMENTS, InvoiceFacts)}

    def _amounts_of(
        self, this: Month, read_back: Sequence[LedgerState], deltas: Sequence[LedgerDelta]
    ) -> Mapping[str, Sequence[AmountRow]]:
        """The month's amounts of its last build; credit without origin comes from the proof over all months."""
        if not month.FACTS.keys() <= this.frames.keys():
            return {}
        refs = {row.ref for row in this.dispositions}
        sides = AmountInputs(
            facts=this.facts,
            dispositions=this.dispositions,
            deltas=deltas,
            moves=[row.move for row in read_back if row.move],
            settlements=[row.settlement for row in read_back if row.settlement],
            settings=current(),
        )
        return by_document(row for row in (*amounts(sides), *self.drawn) if row.ref in refs)

    def _extracts(self, period: str) -> dict[str, pd.DataFrame]:
        """The extracts of a month: its slices, and whole frames where there is none."""
        found = {name: self._slices.read(key.path, period) for name, key in _FRAMES.items()}
        every = {name: self._whole(name) if part is None else part for name, part in found.items()}
        return {name: frame for name, frame in every.items() if frame is not None}

    def _whole(self, name: str) -> pd.DataFrame | None:
        """An extract over all months. One that breaks its contract is not read further; its gate names it."""
        if name not in self._sound:
            frame = self._frames.read(_FRAMES[name].path)
            broken = name in EXTRACTS and frame is not None and _is_broken(name, frame)
            self._sound[name] = None if broken else frame
        return self._sound[name]

    def _rows(self, key: Any, row_type: type[Any]) -> tuple[Any, ...]:
        frame = self._frames.read(key.path)
        return to_rows(frame, row_type) if frame is not None else ()

    def _read(self, wanted: Mapping[str, Any], period: str | None) -> dict[str, pd.DataFrame]:
        read = {name: self._frames.read(key.path, period) for name, key in wanted.items()}
        return {name: frame for name, frame in read.items() if frame is not None}

    def _read_month(
        self, period: str, wanted: Mapping[str, Any] = _MONTH_FRAMES
    ) -> dict[str, pd.DataFrame]:
        """Frames of a month; in a built month the frames that it was built without are empty."""
        read = self._read(wanted, period)
        if not self._frames.signature(keys.DISPOSITIONS.path, period):
            return read
        later = (name for name, key in wanted.items() if key in keys.LATER)
        return {**{name: pd.DataFrame() for name in later}, **read}

    def _last_read_back(self, frames: Mapping[str, pd.DataFrame]) -> Sequence[LedgerState]:
        frame = frames.get("settlements", frames.get("standing"))
        return to_rows(frame, LedgerState) if frame is not None else ()


def families() -> dict[str, str]:
    """The family of each income account code."""
    return {code: family for family, code in account_codes(current()).items()}


def _is_broken(name: str, frame: pd.DataFrame) -> bool:
    return contract(**{name: frame}).outcome is not Outcome.PASS


def _unsettled(this: Month) -> dict[str, tuple[int, ExceptionCode]]:
    """Ref -> amount settled at the source and listed, and its code; empty without the sources' frames."""
    if not {*month.FACTS} <= this.frames.keys():
        return {}
    deltas = this.frames.get("deltas")
    rows = to_rows(deltas, LedgerDelta) if deltas is not None else ()
    return unsettled(this.facts, rows, current())
