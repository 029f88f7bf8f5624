"""Values of frames, and metadata of frames, for every asset."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.nexacloud.contracts import Breach, breaches
from fcb_pipelines.connectors.store.frames import made_once, to_rows, values_of
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.columns import AMOUNTS
from fcb_pipelines.core.facts.nexacloud import (
    INVOICE_COLUMNS,
    ITEM_COLUMNS,
    NexaCloudInvoice,
    User,
    copies,
)
from fcb_pipelines.core.lineage import LINEAGE
from fcb_pipelines.core.money import by_currency
from fcb_pipelines.core.naming import amount
from fcb_pipelines.core.proof.gate import GateResult
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.columns import column, column_lineage
from fcb_pipelines.defs.runtime.gating import require
from fcb_pipelines.defs.sources.registry import claims

# The extracts that the books need, by the assets' names for these inputs.
EXTRACTS = {"users": keys.USERS, "copies": keys.COPIES, "copy_items": keys.COPY_ITEMS}

# The columns of text that a preview shows: what a row is called and what it was judged to be.
_SHOWN = frozenset(
    (
        "account", "answer", "billing_cycle", "cause", "currency", "deployment_id", "document",
        "drawn_on", "entry", "family", "field", "id", "invoice_id", "invoice_number", "kind", "left_label", "measure",
        "method", "metric", "number", "origin", "other_ref", "payment_id",
        "payment_state", "period", "plan_id", "policy", "reason", "ref", "right_label", "service", "side", "source_id",
        "state", "status", "subscription", "subscription_id", "undoes", "user_id",
        "verdict", "why",
    )
)  # fmt: skip
_SHOWN_IDS = "invoice_id"


def breaches_of(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """The breaches of contract in the extracts among these frames."""
    return [
        str(breach)
        for name, key in EXTRACTS.items()
        if name in frames
        for breach in _breaches(key.path[-1], frames[name])
    ]


def _breaches(table: str, frame: pd.DataFrame) -> tuple[Breach, ...]:
    return made_once(frame, f"breaches of {table}", lambda: breaches(table, frame))


def contract(**frames: pd.DataFrame) -> GateResult:
    """The result of the contract's gate for these extracts."""
    return GATES["extracts_meet_contract"].judge({"extract_breaches": breaches_of(frames)})


def users_of(frame: pd.DataFrame) -> dict[str, User]:
    """NexaCloud's users by id. Raises dg.Failure where the frame breaks its contract."""
    require([contract(users=frame)])
    return made_once(frame, "users", lambda: {user.id: user for user in to_rows(frame, User)})


def copies_of(invoices: pd.DataFrame, items: pd.DataFrame) -> tuple[NexaCloudInvoice, ...]:
    """NexaCloud's invoices with their items. Raises dg.Failure where a frame breaks its contract."""
    require([contract(copies=invoices, copy_items=items)])
    # Of these two frames: another one of items has another identity.
    return made_once(
        invoices,
        ("copies", made_once(items, "identity", object)),
        lambda: copies(
            rows_of(invoices[[*INVOICE_COLUMNS]]), rows_of(items[[*ITEM_COLUMNS]]), claims=claims()
        ),
    )


def column_schema(row_type: type, key: dg.AssetKey | None = None) -> dict[str, Any]:
    """The columns of a frame of these rows, for Dagster's page; with `key` where they come from, too."""
    hints = get_type_hints(row_type)
    lineage = LINEAGE[key.to_user_string()] if key else {}
    columns = [
        column(one.name, hints[one.name], row_type.__name__, lineage.get(one.name, ()))
        for one in fields(row_type)
    ]
    schema = {"dagster/column_schema": dg.TableSchema(columns=columns)}
    return {**schema, **(column_lineage(key) if key else {})}


def row_metadata(frame: pd.DataFrame, **more: Any) -> Mapping[str, Any]:
    """Materialisation metadata: the row count and whatever else a person wants to see.

    The preview holds refs, codes, days and amounts: Dagster's page has no login, and its event log keeps
    what was shown. Names, addresses and descriptions stay in the frames.
    """
    rows = _first_rows(frame, 5)
    first = {str(name): [row[place] for row in rows] for place, name in enumerate(frame.columns)}
    shown = [
        name
        for name, values in first.items()
        if (name in _SHOWN or name.endswith(_SHOWN_IDS) or not _has_text(values))
        and not _is_nested(values)
    ]
    named = (dict(zip(first, row, strict=True)) for row in rows)
    records = [dg.TableRecord({name: _shown(name, row) for name in shown}) for row in named]
    columns = [dg.TableColumn(name) for name in shown]
    preview = dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))
    return {"dagster/row_count": len(frame), "preview": preview, **more}


def sums(of: str, amounts: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """Metadata of amounts (currency, minor units), summed by currency.

    Each sum is there twice: in major units to be read, and as a number, in minor units, which Dagster plots.
    """
    told: dict[str, Any] = {}
    for currency, total in by_currency(amounts):
        told[f"{of} {currency}"] = amount(total, currency)
        told[f"{of} {currency}, minor units"] = total
    return told


def _shown(name: str, row: Mapping[str, Any]) -> str:
    """A value of a row as a person reads it: an amount in major units of the row's currency."""
    value, currency = row[name], row.get("currency")
    if value is None:
        return ""
    if name in AMOUNTS and isinstance(value, int) and isinstance(currency, str) and currency:
        return amount(value, currency)
    return str(value)


def _has_text(values: Iterable[Any]) -> bool:
    return any(isinstance(value, str | bytes) for value in values)


def _is_nested(values: Iterable[Any]) -> bool:
    """Whether it holds records or lists, as JSON text: a whole document, with all that is described in it."""
    return any(isinstance(value, str) and value[:1] in {"{", "["} for value in values)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table's frame as plain values; every kind of missing value is None."""
    return [*rows_of(frame)]


def rows_of(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The same rows, one at a time."""
    names = [str(name) for name in frame.columns]
    columns = [values_of(values) for _, values in frame.items()]
    for row in zip(*columns, strict=True):
        yield dict(zip(names, row, strict=True))


def _first_rows(frame: pd.DataFrame, count: int) -> list[list[Any]]:
    """So many rows as plain values, by one array: of a few rows the columns cost more than the values."""
    values = frame.head(count).to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = None
    rows: list[list[Any]] = values.tolist()
    return rows
