"""The dual run read back from its frames, for the status and the close report."""

from typing import TypeVar

import dagster as dg

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.gates import flip_readiness
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.shapes import MeteringSection, MeteringStatus
from fcb_pipelines.core.metering.status import metering_section, metering_status
from fcb_pipelines.core.periods import first_day, following
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.partitions import periods, today

Row = TypeVar("Row")


class DualRunProof:
    """The frames of the dual run, read on demand."""

    def __init__(self, frames: FrameStore) -> None:
        self._frames = frames

    def status(self, only: str | None) -> MeteringStatus:
        """The object `metering` of the status JSON."""
        months = {
            period: rows for period in periods() if (rows := self._deltas(period)) is not None
        }
        over = [period for period in months if first_day(following(period)) <= today()]
        ready = {
            period: flip_readiness(months[period], period, today()).outcome is Outcome.PASS
            for period in over
        }
        return metering_status(
            months, ready, currency=current().currency, leaks=len(self._leaks() or ()), only=only
        )

    def section(self, period: str) -> MeteringSection | None:
        """The month's section of the close report; None where it was never built."""
        rows = self._deltas(period)
        if rows is None:
            return None
        now = period == periods()[-1]
        leaks = [
            leak
            for leak in self._leaks() or ()
            if leak.period == period or (now and leak.period is None)
        ]
        return metering_section(rows, currency=current().currency, leaks=leaks)

    def _deltas(self, period: str) -> tuple[MeteringDelta, ...] | None:
        return self._read(keys.METERING_DELTAS, MeteringDelta, period)

    def _leaks(self) -> tuple[Leak, ...] | None:
        return self._read(keys.LEAKS, Leak)

    def _read(
        self, key: dg.AssetKey, row_type: type[Row], period: str | None = None
    ) -> tuple[Row, ...] | None:
        frame = self._frames.read(key.path, period)
        return None if frame is None else to_rows(frame, row_type)
