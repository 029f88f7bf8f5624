"""The tables that the dual run reads, each split into sound rows and broken ones."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pandas as pd

from fcb_pipelines.connectors.nexacloud.contracts import breaches
from fcb_pipelines.connectors.nexacloud.row_faults import SplitTable, split_rows
from fcb_pipelines.core.company.services import Service
from fcb_pipelines.core.metering.unknown_rows import unknown_rows
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import records

Named = list[tuple[Mapping[str, Any], str]]


class Tables:
    """Frames of NexaCloud's tables by name. A breach of a contract never stops a reader of them."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = frames
        self._split: dict[str, SplitTable] = {}

    def sound(self, table: str) -> pd.DataFrame:
        """The rows that keep the contract."""
        return self._of(table).sound

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The sound rows as values by column."""
        return records(self.sound(table))

    def unread(self, table: str) -> Named:
        """The broken rows, each with its faults."""
        return [(row.values, row.why) for row in self._of(table).broken]

    def table_fault(self, table: str) -> str | None:
        """The fault by which no row of the table can be read; None where some can."""
        return self._of(table).table_fault

    def of_services(self, table: str, known: Collection[str]) -> list[dict[str, Any]]:
        """The sound rows of these services."""
        return [row for row in self.rows(table) if row["service"] in known]

    def unread_of_services(self, table: str, known: Collection[str]) -> Named:
        """The broken rows of these services, each with its faults."""
        return [(row, why) for row, why in self.unread(table) if row.get("service") in known]

    def faults(
        self, tables: Iterable[str], services: Mapping[str, Service], posted: str
    ) -> list[str]:
        """The faults by which one of the tables, or some of its rows, can't be measured."""
        faults = []
        for table in tables:
            faults += [str(breach) for breach in breaches(table, self._frames[table])]
            if table in keys.SERVICE_TABLES:
                faults += unknown_rows(table, self.rows(table), services, posted)
        return faults

    def _of(self, table: str) -> SplitTable:
        if table not in self._split:
            self._split[table] = split_rows(table, self._frames[table])
        return self._split[table]
