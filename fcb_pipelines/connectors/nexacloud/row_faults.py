"""The rows of a table that keep its contract, apart from those that break it: one bad row spoils no other."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fcb_pipelines.connectors.nexacloud.contracts import TWICE, Breach, breaches, is_hidden
from fcb_pipelines.connectors.nexacloud.values import row_name, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """One row that breaks the contract: its values by column, and its faults (`why`)."""

    values: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTable:
    """The sound rows as a frame, and the broken ones.

    `table_fault` names a fault of the whole table (a column or the table is missing); None where some
    rows can be read.
    """

    sound: pd.DataFrame
    broken: tuple[BrokenRow, ...]
    table_fault: str | None


def split_rows(table: str, frame: pd.DataFrame) -> SplitTable:
    """The table's sound and broken rows. Rows that share a key are all broken: no rule picks one."""
    rows = frame.reset_index(drop=True)
    why: dict[int, list[str]] = defaultdict(list)
    table_faults = []
    for breach in breaches(table, frame):
        fault = f"nexacloud.{table}.{breach.column}: {breach.rule}"
        if not breach.rows:
            table_faults.append(fault)
        for row in _of(breach, rows):
            value = shown(rows[breach.column].iloc[row], hidden=is_hidden(table, breach.column))
            why[row].append(
                f"nexacloud.{table} {row_name(table, rows, row)}: {breach.column}: "
                f"{breach.rule} ({value})"
            )
    broken = range(len(rows)) if table_faults else sorted(why)
    return SplitTable(
        sound=frame.iloc[sorted({*range(len(rows))} - {*broken})],
        broken=tuple(
            BrokenRow(
                values={str(name): rows[name].iloc[row] for name in rows.columns},
                why="; ".join([*table_faults, *why[row]]),
            )
            for row in broken
        ),
        table_fault="; ".join(table_faults) or None,
    )


def _of(breach: Breach, rows: pd.DataFrame) -> Sequence[int]:
    if breach.rule != TWICE:
        return breach.rows
    keys = rows[breach.column]
    return [int(row) for row in rows.index[keys.isin(keys.iloc[list(breach.rows)])]]
