"""A table's rows that keep its contract, and those that don't: one bad row spoils no other."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fcb_pipelines.connectors.nexacloud.contracts import TWICE, Breach, breaches
from fcb_pipelines.connectors.nexacloud.values import row_name, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """One row that breaks the contract: its values by column, and why it can't be read."""

    values: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """The sound rows as a frame, and the broken ones.

    `whole` says why no row at all can be read (a column or the table is missing), None where some can.
    """

    sound: pd.DataFrame
    broken: tuple[BrokenRow, ...]
    whole: str | None


def parted(table: str, frame: pd.DataFrame) -> Parted:
    """A table in two. Of rows with one key nobody knows which counts, so none of them is sound."""
    rows = frame.reset_index(drop=True)
    why: dict[int, list[str]] = defaultdict(list)
    whole = []
    for breach in breaches(table, frame):
        told = f"nexacloud.{table}.{breach.column}: {breach.rule}"
        if not breach.rows:
            whole.append(told)
        for row in _of(breach, rows):
            value = shown(rows[breach.column].iloc[row])
            why[row].append(
                f"nexacloud.{table} {row_name(table, rows, row)}: {breach.column}: "
                f"{breach.rule} ({value})"
            )
    broken = range(len(rows)) if whole else sorted(why)
    return Parted(
        sound=frame.iloc[sorted({*range(len(rows))} - {*broken})],
        broken=tuple(
            BrokenRow(
                values={str(name): rows[name].iloc[row] for name in rows.columns},
                why="; ".join([*whole, *why[row]]),
            )
            for row in broken
        ),
        whole="; ".join(whole) or None,
    )


def _of(breach: Breach, rows: pd.DataFrame) -> Sequence[int]:
    if breach.rule != TWICE:
        return breach.rows
    keys = rows[breach.column]
    return [int(row) for row in rows.index[keys.isin(keys.iloc[list(breach.rows)])]]
