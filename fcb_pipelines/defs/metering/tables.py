"""The tables that the dual run reads, each parted into rows that can be read and rows that can't."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pandas as pd

from fcb_pipelines.connectors.nexacloud.contracts import ALL_TABLES, breaches
from fcb_pipelines.connectors.nexacloud.parting import Parted, parted
from fcb_pipelines.core.company.services import Service
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import records

Named = list[tuple[Mapping[str, Any], str]]
SHOWN = 5


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
                told += _strangers(table, self.rows(table), services, posted)
        return told

    def _of(self, table: str) -> Parted:
        if table not in self._parted:
            self._parted[table] = parted(table, self._frames[table])
        return self._parted[table]


def _strangers(
    table: str, rows: list[dict[str, Any]], services: Mapping[str, Service], posted: str
) -> list[str]:
    """Rows of services or metrics that nobody configured, and ids that stand twice."""
    named = "id" if "id" in _columns(table) else "subscription_id"
    by_service: dict[str, list[str]] = {}
    for row in rows:
        if row["service"] not in services or row["service"] == posted:
            by_service.setdefault(row["service"], []).append(str(row[named]))
    told = [
        f"nexacloud.{table}: {len(ids)} rows of {service!r}, which is not configured as another "
        f"service ({named} {_first(ids)})"
        for service, ids in by_service.items()
    ]
    if table != "service_usage":
        twice = Counter((row["service"], row["id"]) for row in rows)
        return told + [
            f"nexacloud.{table}: {key} stands {n} times" for key, n in twice.items() if n > 1
        ]
    unknown: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        service = services.get(row["service"])
        if service and row["metric"] not in {metric.key for metric in service.metrics}:
            unknown.setdefault((service.key, row["metric"]), []).append(row["subscription_id"])
    return told + [
        f"nexacloud.{table}: {len(ids)} rows of {service!r} with the unknown metric {metric!r} "
        f"(subscription_id {_first(ids)})"
        for (service, metric), ids in unknown.items()
    ]


def _columns(table: str) -> set[str]:
    return {column.name for column in ALL_TABLES[table]}


def _first(ids: list[str]) -> str:
    different = [*dict.fromkeys(ids)]
    return ", ".join(different[:SHOWN]) + (", …" if len(different) > SHOWN else "")
