"""The inputs of gates by name: the frames of each, and its reading."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.cash.balance import BalanceRow, PayoutRow
from fcb_pipelines.core.cash.clearing import ClearingRow
from fcb_pipelines.core.cash.journal import CashDelta, JournalRow
from fcb_pipelines.core.cash.plan import CashDrift
from fcb_pipelines.core.close.gates import BEFORE_A_WRITE, gates_of
from fcb_pipelines.core.events.proof import DeliveryRow
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.subscription import SubscriptionFacts
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.cash import LedgerStatement, OutstandingAt, OutstandingItem
from fcb_pipelines.core.ledger.moves import LedgerState
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.core.proof.amount_rows import AmountRow
from fcb_pipelines.core.proof.completeness import CompletenessRow
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.gate import Gate, GateResult, Scope
from fcb_pipelines.core.proof.receivable import ReceivableRow
from fcb_pipelines.defs.metering import inputs as metering
from fcb_pipelines.defs.metering.inputs import Metering, invoiced_of
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import EXTRACTS, breaches_of
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import today

TABLE = gates_of(keys.SOURCES, keys.BALANCES)
OVER_ALL = tuple(gate for gate in TABLE if gate.scope is not Scope.MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One value: its frames and its reading. `apart`: one of the frames is enough to read it."""

    frames: Mapping[str, dg.AssetIn]
    read: Callable[[Month], object]
    apart: bool = False

    def is_readable(self, frames: Mapping[str, Any]) -> bool:
        """Whether the value can be read from these frames."""
        if self.apart:
            return not self.frames.keys().isdisjoint(frames)
        return self.frames.keys() <= frames.keys()


def _rows(frame: str, key: dg.AssetKey, row_type: type[Any]) -> Input:
    """The rows of one frame."""
    return Input(
        frames={frame: dg.AssetIn(key)},
        read=lambda this: to_rows(this.frames[frame], row_type),
    )


def _index(frame: str) -> dict[str, Input]:
    """The index of one source, and the reason why its list may not be whole (else None)."""
    frames = {frame: month.INDEXES[frame]}
    return {
        frame: Input(frames=frames, read=lambda this: to_rows(this.frames[frame], IndexRow)),
        f"{frame}_problem": Input(
            frames=frames, read=lambda this: this.frames[frame].attrs.get("problem")
        ),
    }


def _balance(source: str) -> dict[str, Input]:
    """The balance of one source, and what keeps it from being whole, in words."""
    frames = {"balance_rows": dg.AssetIn(keys.BALANCE_ROWS)}

    def rows(this: Month) -> tuple[BalanceRow, ...]:
        every = to_rows(this.frames["balance_rows"], BalanceRow)
        return tuple(row for row in every if row.source == source)

    return {
        f"{source}_balance_rows": Input(frames=frames, read=rows),
        f"{source}_balance_faults": Input(
            frames=frames,
            read=lambda this: this.frames["balance_rows"].attrs.get("faults", {}).get(source, ()),
        ),
    }


def _outstanding(this: Month) -> dict[str, list[OutstandingItem]]:
    """What the ledger has open on the outstanding account, at the end of each month that was read."""
    frame = this.frames["outstanding"]
    found: dict[str, list[OutstandingItem]] = {period: [] for period in frame.attrs["periods"]}
    for row in to_rows(frame, OutstandingAt):
        found[row.period].append(row.item)
    return found


def _cash_deltas(this: Month) -> tuple[CashDelta, ...]:
    """What differs of the cash entries in the books."""
    return tuple(
        CashDelta(ref=ref, period=period, side=CashDrift(side), detail=detail)
        for ref, period, side, detail in this.frames["journal"].attrs["deltas"]
    )


INPUTS: Mapping[str, Input] = {
    "settings": Input(frames={}, read=lambda this: current()),
    "metering_settings": Input(frames={}, read=lambda this: current().metering),
    "today": Input(frames={}, read=lambda this: today()),
    "period": Input(frames={}, read=lambda this: this.period),
    "extract_breaches": Input(
        frames={name: dg.AssetIn(key) for name, key in EXTRACTS.items()},
        read=lambda this: breaches_of(this.frames),
        apart=True,
    ),
    **{name: one for frame in month.INDEXES for name, one in _index(frame).items()},
    "members": Input(
        frames={**month.INDEXES, **month.COPIES},
        read=lambda this: {member.ref for member in this.members},
    ),
    "agreements": Input(frames=month.AGREEMENTS, read=lambda this: this.agreements),
    "dispositions": Input(frames=month.DISPOSITIONS, read=lambda this: this.dispositions),
    "document_rows": Input(frames=month.DOCUMENTS, read=lambda this: this.document_rows),
    "documents": Input(frames=month.DOCUMENTS, read=lambda this: this.documents),
    # None without the frames of the sources' documents.
    "owed": Input(frames={}, read=lambda this: this.owed),
    "partners": Input(frames=month.PARTNERS, read=lambda this: this.partners),
    "standing": Input(frames=month.STANDING, read=lambda this: this.ledger_state),
    "books": Input(frames=month.STANDING, read=lambda this: this.books),
    "tax_witness": Input(
        frames={"tax_witness": dg.AssetIn(keys.TAX_WITNESS)}, read=lambda this: this.witness
    ),
    "ledger_deltas": _rows("deltas", keys.LEDGER_DELTAS, LedgerDelta),
    "completeness": _rows("completeness", keys.COMPLETENESS, CompletenessRow),
    "receivable": _rows("receivable", keys.RECEIVABLE, ReceivableRow),
    "orphans": Input(
        frames={"receivable": dg.AssetIn(keys.RECEIVABLE)},
        read=lambda this: tuple(this.frames["receivable"].attrs.get("orphans", ())),
    ),
    # A frame of an earlier version tells nothing of them.
    "foreign_credits": Input(
        frames={"receivable": dg.AssetIn(keys.RECEIVABLE)},
        read=lambda this: tuple(this.frames["receivable"].attrs.get("foreign_credits", ())),
    ),
    "amounts": _rows("amounts", keys.AMOUNTS, AmountRow),
    "service_breaches": Input(
        frames=metering.MEASURED_TABLES,
        read=lambda this: Metering(this.frames).service_breaches(),
    ),
    "usage": _rows("usage", keys.USAGE, Usage),
    "invoiced": Input(
        frames={"invoiced_documents": dg.AssetIn(keys.INVOICED_DOCUMENTS)},
        read=lambda this: invoiced_of(this.frames["invoiced_documents"], this.period),
    ),
    "metering_deltas": _rows("metering_deltas", keys.METERING_DELTAS, MeteringDelta),
    "leaks": _rows("leaks", keys.LEAKS, Leak),
    "subscriptions_problem": Input(
        frames={"event_subscriptions": dg.AssetIn(keys.EVENT_SUBSCRIPTIONS)},
        read=lambda this: this.frames["event_subscriptions"].attrs.get("problem"),
    ),
    "source_subscriptions": _rows(
        "event_subscriptions", keys.EVENT_SUBSCRIPTIONS, SubscriptionFacts
    ),
    "deliveries": _rows("deliveries", keys.DELIVERIES, DeliveryRow),
    **{name: one for kept in keys.CAN_KEEP for name, one in _balance(kept).items()},
    "payout_rows": _rows("payout_rows", keys.PAYOUT_ROWS, PayoutRow),
    "clearing": _rows("clearing", keys.CLEARING, ClearingRow),
    "clearing_last": Input(
        frames={"clearing": dg.AssetIn(keys.CLEARING)},
        read=lambda this: str(this.frames["clearing"].attrs["last"]),
    ),
    "cash_to_explain": Input(
        frames={"balance_rows": dg.AssetIn(keys.BALANCE_ROWS)},
        read=lambda this: tuple(this.frames["balance_rows"].attrs.get("to_explain", ())),
    ),
    "journal_rows": _rows("journal", keys.JOURNAL, JournalRow),
    "cash_deltas": Input(frames={"journal": dg.AssetIn(keys.JOURNAL)}, read=_cash_deltas),
    "statements": _rows("statements", keys.STATEMENTS, LedgerStatement),
    "outstanding": Input(frames={"outstanding": dg.AssetIn(keys.OUTSTANDING)}, read=_outstanding),
}


def frames_of(gates: Iterable[Gate]) -> dict[str, dg.AssetIn]:
    """Every frame that these gates need, by input name."""
    return {
        name: one
        for gate in gates
        for wanted in gate.inputs
        for name, one in INPUTS[wanted].frames.items()
    }


def gate_results(
    gates: Iterable[Gate], this: Month, given: Mapping[str, object] | None = None
) -> tuple[GateResult, ...]:
    """The results of these gates over the frames of one month, or of all months (`this.period` is "").

    `given` has inputs that are not read from frames. A gate without all its inputs is left out.
    """
    gates, given = tuple(gates), given or {}
    wanted = {name for gate in gates for name in gate.inputs} - given.keys()
    there = (name for name in wanted if INPUTS[name].is_readable(this.frames))
    values = {**given, **{name: INPUTS[name].read(this) for name in there}}
    return tuple(gate.judge(values) for gate in gates if values.keys() >= {*gate.inputs})


def before_a_write(
    this: Month, ledger_state: Mapping[str, LedgerState], books: Books
) -> tuple[GateResult, ...]:
    """The results of every gate that stops a month, for the rows to be written and the ledger's present state.

    No gate is left out: an input that can't be read raises KeyError.
    """
    given: dict[str, object] = {"standing": ledger_state, "books": books}
    wanted = {name for gate in BEFORE_A_WRITE for name in gate.inputs} - given.keys()
    values = given | {name: INPUTS[name].read(this) for name in wanted}
    return tuple(gate.judge(values) for gate in BEFORE_A_WRITE)
