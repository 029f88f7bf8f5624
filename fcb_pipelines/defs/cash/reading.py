"""Reading the balance of a source month by month, and what an earlier reading makes needless."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import pandas as pd

from fcb_pipelines.connectors.failures import ContractBreach, NotFound
from fcb_pipelines.connectors.sources import Body, KeepsBalance
from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.cash.reading import are_settled, is_over
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout
from fcb_pipelines.core.periods import bounds, local_date
from fcb_pipelines.defs.sources.following import time_of
from fcb_pipelines.defs.sources.reading import Reader

# It grows once the same body would be read to other facts.
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAt:
    """When the sync read the documents: an instant, and its day in the company's timezone."""

    instant: int
    day: date

    @classmethod
    def of(cls, snapshot: object, timezone: str) -> "ReadAt":
        """The time of a snapshot. Raises ContractBreach for one that has none: nothing could be placed."""
        found = time_of(snapshot)
        if found is None:
            raise ContractBreach(
                "reading the time of the extract", f"snapshot {snapshot!r} has none"
            )
        instant = int(found.timestamp())
        return cls(instant=instant, day=local_date(instant, timezone))


def balance_of(reader: Reader) -> KeepsBalance:
    """The source as one that keeps a balance. Raises ContractBreach where its client does not."""
    if not isinstance(reader.source, KeepsBalance):
        raise ContractBreach(f"reading the balance of {reader.of.name}", "its client keeps none")
    return reader.source


def read_transactions(
    reader: Reader, period: str, at: ReadAt, before: pd.DataFrame | None
) -> pd.DataFrame:
    """The transactions of a month; those of `before` where they can change no more.

    A transaction's amount never changes, and none is made in a month that is over. The attrs say why the
    list may not be whole (`problem`), and name its evidence.
    """
    kept = _kept(before, reader)
    if kept is not None:
        return kept
    begin, end = bounds(period, reader.of.company.timezone)
    listed = balance_of(reader).transactions(begin, end)
    rows = [reader.of.cash.transaction(body) for body in listed.bodies]
    evidence = reader.evidence.put(reader.of.name, {"balance_transactions": [*listed.bodies]})
    is_settled = is_over(period, at.day) and not listed.problem
    return to_frame(
        rows,
        BalanceTransaction,
        problem=listed.problem,
        calls=listed.calls,
        evidence=evidence,
        settled=_form(reader) if is_settled else None,
    )


def read_payouts(
    reader: Reader, period: str, at: ReadAt, before: pd.DataFrame | None
) -> pd.DataFrame:
    """The payouts of a month with their transactions; those of `before` where they can change no more.

    What a payout claims is asked for once.
    """
    kept = _kept(before, reader)
    if kept is not None:
        return kept
    begin, end = bounds(period, reader.of.company.timezone)
    listed = balance_of(reader).payouts(begin, end, _claims(before, reader))
    rows = [
        reader.of.cash.payout(body, listed.claims.get(str(body["id"]))) for body in listed.bodies
    ]
    is_settled = is_over(period, at.day) and not listed.problem and are_settled(rows, at.day)
    claims: dict[str, Any] = {own: [*bodies] for own, bodies in listed.claims.items()}
    evidence = reader.evidence.put(reader.of.name, {"payouts": [*listed.bodies], "claims": claims})
    return to_frame(
        rows,
        Payout,
        problem=listed.problem,
        calls=listed.calls,
        evidence=evidence,
        form=_form(reader),
        settled=_form(reader) if is_settled else None,
    )


def transactions_in(frame: pd.DataFrame) -> tuple[BalanceTransaction, ...]:
    """The transactions of a frame."""
    return to_rows(frame, BalanceTransaction)


def _form(reader: Reader) -> str:
    return f"{reader.of.service} {reader.of.company.timezone} {_FORM}"


def _kept(before: pd.DataFrame | None, reader: Reader) -> pd.DataFrame | None:
    """An earlier frame of a month that was over when it was read, as of no call."""
    if before is None or before.attrs.get("settled") != _form(reader):
        return None
    frame = before.copy()
    frame.attrs = {**before.attrs, "calls": 0}
    return frame


def _claims(before: pd.DataFrame | None, reader: Reader) -> Mapping[str, tuple[Body, ...]]:
    """What the payouts of an earlier frame claimed, from its evidence."""
    if before is None or before.attrs.get("form") != _form(reader):
        return {}
    try:
        body = reader.evidence.get(reader.of.name, str(before.attrs["evidence"]))
    except (NotFound, ContractBreach):
        # Erased or damaged: they are asked for once more.
        return {}
    claims = cast(dict[str, list[Body]], body["claims"])
    return {own: tuple(bodies) for own, bodies in claims.items()}
