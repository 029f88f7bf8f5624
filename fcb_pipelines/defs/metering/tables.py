"""The tables that the dual run reads, each parted into rows that can be read and rows that can't."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pandas as pd

from fcb_pipelines.connectors.nexacloud.contracts import breaches
from fcb_pipelines.connectors.nexacloud.parting import Parted, parted
from fcb_pipelines.core.company.services import Service
from fcb_pipelines.core.metering.unknown_rows import unknown_rows
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import records

Named = list[tuple[Mapping[str, Any], str]]


class Tables:
    """Frames of NexaCloud's tables by name. What breaks a contract never stops what reads them."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = frames
        self._parted: dict[str, Parted] = {}

    def sound(self, table: str) -> pd.DataFrame:
        """The rows that keep the contract."""
        return self._of(table).sound

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The same as values."""
        return records(self.sound(table))

    def unread(self, table: str) -> Named:
        """The rows that don't keep it, and why they can't be read."""
        return [(row.values, row.why) for row in self._of(table).broken]

    def whole(self, table: str) -> str | None:
        """Why no row of the table can be read; None where some can."""
        return self._of(table).whole

    def of_services(self, table: str, known: Collection[str]) -> list[dict[str, Any]]:
        """The sound rows of these services."""
        return [row for row in self.rows(table) if row["service"] in known]

    def unread_of_services(self, table: str, known: Collection[str]) -> Named:
        """The rows of these services that can't be read."""
        return [(row, why) for row, why in self.unread(table) if row.get("service") in known]

    def faults(
        self, tables: Iterable[str], services: Mapping[str, Service], posted: str
    ) -> list[str]:
        """What keeps one of the tables, or some of its rows, from being measured."""
        told = []
        for table in tables:
            told += [str(breach) for breach in breaches(table, self._frames[table])]
            if table in keys.SERVICE_TABLES:
                told += unknown_rows(table, self.rows(table), services, posted)
        return told

    def _of(self, table: str) -> Parted:
        if table not in self._parted:
            self._parted[table] = parted(table, self._frames[table])
        return self._parted[table]
