"""Faults in the rows between the assets: seeded once everything is decided and nothing is written."""

import json
from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.mutation.fault import Fault, Layer

APRIL = "2025-04"
BALANCE, UNIQUE, MATCH, ADDS_UP = (
    "documents_balance",
    "external_ids_unique",
    "documents_match_dispositions",
    "population_adds_up",
)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def changed(column: str, value: Any, number: str = "EC-A1-2") -> Change:
    """Another value in every row of one document; a function of the old one, or the value itself."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        own = frame.index[frame["number"] == number]
        assert len(own), f"{number} is not in the frame"
        for place in own:
            old = frame.at[place, column]
            frame.at[place, column] = value(old) if callable(value) else value
        return frame

    return change


def dropped(number: str = "EC-A1-2") -> Change:
    """Every row of one document is lost."""
    return lambda frame: frame[frame["number"] != number].reset_index(drop=True)


def _doubled(number: str = "EC-A1-2", **other: Any) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        again = frame[frame["number"] == number].assign(**other)
        return pd.concat([frame, again], ignore_index=True)

    return change


def _one_line_dropped(frame: pd.DataFrame) -> pd.DataFrame:
    several = frame[frame["document_lines"] > 1]
    return frame.drop(index=several.index[0]).reset_index(drop=True)


def _posted_though(reason: str) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        place = frame.index[frame["reason"] == reason][0]
        frame.loc[place, ["verdict", "reason"]] = ["post", None]
        return frame

    return change


def _other_taxes(old: str) -> str:
    return json.dumps([{**tax, "amount": tax["amount"] + 1} for tax in json.loads(old)])


def _payment(**other: Any) -> Change:
    """The first card payment of the month's frame, otherwise; a function is of the old value."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        place = frame.index[(frame["method"] == "payment") & frame["drawn_on"].isna()][0]
        for column, value in other.items():
            old = frame.at[place, column]
            frame.at[place, column] = value(old, frame) if callable(value) else value
        return frame

    return change


def payment_dropped(frame: pd.DataFrame) -> pd.DataFrame:
    """The first card payment is lost."""
    place = frame.index[(frame["method"] == "payment") & frame["drawn_on"].isna()][0]
    return frame.drop(index=place).reset_index(drop=True)


def _payment_doubled(frame: pd.DataFrame) -> pd.DataFrame:
    place = frame.index[(frame["method"] == "payment") & frame["drawn_on"].isna()][:1]
    again = frame.loc[place].assign(ref=lambda rows: rows["ref"] + "-again")
    return pd.concat([frame, again], ignore_index=True)


def _another_document(old: str, frame: pd.DataFrame) -> str:
    return str(next(ref for ref in frame["document"] if ref != old))


def fault(
    name: str, case: str, frame: dg.AssetKey, seed: Change, *trips: str, month: str = APRIL
) -> Fault:
    """One fault of a frame, and the gates of which one must refuse."""
    return Fault(
        name=name,
        case=case,
        layer=Layer.ROWS,
        frame=frame,
        seed=seed,
        month=month,
        trips=frozenset(trips),
    )


ROW_FAULTS = (
    fault("A document's line a cent off", "B1", keys.DOCUMENTS, changed("net", lambda n: n + 1), BALANCE),
    fault("A document's total a cent off", "B1", keys.DOCUMENTS, changed("document_total", lambda n: n + 1), BALANCE),
    fault("A document's tax a cent off", "T2", keys.DOCUMENTS, changed("document_taxes", _other_taxes), BALANCE),
    fault("A document on another account", "T1", keys.DOCUMENTS, changed("account", "411900"), BALANCE),
    fault("A document with another tax", "T3", keys.DOCUMENTS, changed("tax_keys", '["hst_15"]'), BALANCE),
    fault("A document of another customer", "A9", keys.DOCUMENTS, changed("partner", "nexacloud:nobody"), BALANCE),
    fault("A document in another currency", "B10", keys.DOCUMENTS, changed("currency", "USD"), BALANCE),
    fault("A document turned into a credit note", "B5", keys.DOCUMENTS, changed("kind", "credit_note"), BALANCE),
    fault("A credit note turned into an invoice", "T5", keys.DOCUMENTS, changed("kind", "invoice", "EC-T5-1-CN1"), BALANCE),
    fault("A document moved to another day", "A1", keys.DOCUMENTS, changed("date", lambda d: d.replace(day=1)), BALANCE),
    fault("A document moved to another month", "A1", keys.DOCUMENTS, changed("date", lambda d: d.replace(month=5)), BALANCE),
    fault("A document lost", "D5", keys.DOCUMENTS, dropped(), MATCH),
    fault("A document's line lost", "B3", keys.DOCUMENTS, _one_line_dropped, BALANCE),
    fault("A document twice", "D5", keys.DOCUMENTS, _doubled(), UNIQUE),
    fault("A document once more under another id", "D5", keys.DOCUMENTS, _doubled(ref="stripe:acct_1NexaCloudToronto:in_Again"), BALANCE, MATCH),
    fault("A disposition lost", "A6", keys.DISPOSITIONS, dropped(), ADDS_UP),
    fault("A disposition twice", "A7", keys.DISPOSITIONS, _doubled(), ADDS_UP),
    fault("A disposition of nothing", "A6", keys.DISPOSITIONS, _doubled(ref="stripe:acct_1NexaCloudToronto:in_Nothing"), ADDS_UP),
    fault("A held document posted", "B10", keys.DISPOSITIONS, _posted_though("currency_unsupported"), MATCH),
    fault("A document to be posted skipped", "A3", keys.DISPOSITIONS, changed("verdict", "skip"), ADDS_UP),
    fault("A disposition over another total", "B1", keys.DISPOSITIONS, changed("total", lambda n: n + 1), MATCH),
    fault("A disposition on another date", "A1", keys.DISPOSITIONS, changed("date", lambda d: d.replace(day=1)), MATCH),
    fault("A payment lost", "S1", keys.source_key("stripe", "payments"), payment_dropped, MATCH),
    fault("A payment twice", "S1", keys.source_key("stripe", "payments"), _payment_doubled, MATCH),
    fault("A payment too low", "S2", keys.source_key("stripe", "payments"), _payment(amount=lambda n, _: n - 1), MATCH),
    fault("A payment of another document", "S1", keys.source_key("stripe", "payments"), _payment(document=_another_document), MATCH),
)  # fmt: skip
