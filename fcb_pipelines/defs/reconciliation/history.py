"""What all built months know of the receivable, for the report of one month: entries, due dates, what is listed.

Of each month's read-back a digest is kept beside the frames (`kept/booked`): its entries on the receivable,
flat, what it sold, and by the month of their booking what tells its entries from any others. It is made anew where
the read-back was. So a report reads of its history what is open or moved since, and no document that was settled
before its month.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute

from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.frames import (
    FrameStore,
    attrs_of,
    read_columns,
    to_frame,
    to_rows,
    write_frame,
)
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.booked import Booked, booked, unique
from fcb_pipelines.core.close.history import History, Sold
from fcb_pipelines.core.close.rollforward import SETTLED_BY_HAND, Group, groups
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.digests import digest_of_json, digest_of_lines
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState
from fcb_pipelines.core.periods import first_day, following, period_of, preceding
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.partitions import periods

_DIGESTS = ("kept", "booked")
# A digest of another version is made anew.
_VERSION = "4"
_AS_THEY_ARE = (
    "ref", "of", "part", "partner", "currency", "amount", "open", "number", "elsewhere",
    "record", "ledger_number",
)  # fmt: skip
# What of an entry no later one changes.
_FOR_GOOD = ("date", *(name for name in _AS_THEY_ARE if name not in ("open", "elsewhere")))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """One entry of a month's read-back; of an id that is not on the receivable one row without a document."""

    state: str
    ref: str = ""
    of: str = ""
    part: str = ""
    partner: str = ""
    currency: str = ""
    date: str = ""
    amount: int = 0
    open: int = 0
    number: str = ""
    elsewhere: bool = False
    record: str = ""
    ledger_number: str = ""


class BuiltMonths:
    """What the months that were built know of the receivable, read once."""

    def __init__(self, frames: FrameStore) -> None:
        self._frames = frames
        files = {each: frames.path(keys.SETTLEMENTS.path, each) for each in periods()}
        self._built = {each: file for each, file in files.items() if places.exists(file)}
        self._digests = {each: _digest(frames, each, file) for each, file in self._built.items()}

    def history(self, period: str) -> History:
        """The receivable at the end of this month as all know it, and its revenue beside others'."""
        entries = _entries(self._known, first_day(period))
        at_end = groups(entries, period)
        return History(
            entries=entries,
            due=_due(self._frames, at_end, self._built),
            listed=self._listed if any(group.off for group in at_end) else frozenset(),
            sold={each: _sold(self._digests[each]) for each in self._compared(period)},
        )

    def digest(self, period: str) -> str:
        """The digest of this month's history: what is booked by its end and due when, what else settles it, the revenue.

        What is booked later on a document of before changes nothing in it.
        """
        end = first_day(following(period)).isoformat()
        booked = [
            [each, booked_in, rows]
            for each, digest in self._digests.items()
            for booked_in, rows in attrs_of(digest.schema)["booked"].items()
            if booked_in <= period
        ]
        by_hand = [
            [of, currency, amount, of in self._listed]
            for of, currency, first, amount in self._by_hand
            if first < end
        ]
        sold = [attrs_of(self._digests[each].schema)["sold"] for each in self._compared(period)]
        due = [
            [each, attrs_of(digest.schema)["due"]]
            for each, digest in self._digests.items()
            if each <= period
        ]
        return digest_of_json([booked, by_hand, sold, due])

    def partners(self, period: str) -> list[str]:
        """The billing accounts of which something is booked by the end of the month."""
        end = first_day(following(period)).isoformat()
        if self._known.empty:
            return []
        return sorted({*self._known.loc[self._known["date"] < end, "partner"].tolist()})

    def _compared(self, period: str) -> list[str]:
        """The months whose revenue stands beside this one's, those that were built."""
        found = (period, preceding(period), f"{int(period[:4]) - 1:04d}{period[4:]}")
        return [each for each in found if each in self._built]

    @cached_property
    def _known(self) -> pd.DataFrame:
        """Every entry on the receivable once, as the latest build read it."""
        in_order = sorted(
            self._built,
            key=lambda each: (places.written(self._built[each]), str(self._built[each])),
        )
        return _latest([self._digests[each] for each in in_order])

    @cached_property
    def _by_hand(self) -> list[tuple[str, str, str, int]]:
        """(document, currency, day of its first entry, amount) where something that is not ours settles it."""
        if self._known.empty:
            return []
        off = self._known.assign(off=self._known["open"] - self._known["amount"])
        found = off.groupby(["of", "currency"], sort=True).agg(
            first=("date", "min"), off=("off", "sum")
        )
        found = found[found["off"] != 0].reset_index()
        return list(
            zip(*(found[name].tolist() for name in ("of", "currency", "first", "off")), strict=True)
        )

    @cached_property
    def _listed(self) -> frozenset[str]:
        return _listed(self._frames, self._built)


def _latest(digests: Sequence[pa.Table]) -> pd.DataFrame:
    """The entries of these digests, oldest first, each once and as the last of them has it."""
    if not digests:
        return to_frame((), _Kept)
    builds = [table.append_column("build", [[n] * len(table)]) for n, table in enumerate(digests)]
    bare = [table.replace_schema_metadata(None) for table in builds]
    # A month without an entry has columns without a type.
    every = pa.concat_tables(bare, promote_options="permissive").to_pandas()
    states, _ = pd.factorize(every["state"])
    latest = every["build"] == every.groupby(states)["build"].transform("max")
    known: pd.DataFrame = every[latest & (every["ref"] != "")]
    # A shared receipt comes with each document that draws on it.
    twice = known[known["ref"].duplicated(keep=False)]
    once: pd.DataFrame = known.drop(twice.index[twice.duplicated(["ref", "of", "part", "amount"])])
    return once


def _entries(known: pd.DataFrame, begin: date) -> tuple[Booked, ...]:
    """The entries of every document that is open or moved since `begin`."""
    if known.empty:
        return ()
    own = known[_moves(known, begin)]
    # Written by us as they are: to check each value once more took most of the time.
    days = map(date.fromisoformat, own["date"].tolist())
    columns = (own[name].tolist() for name in _AS_THEY_ARE)
    return unique(
        Booked(**dict(zip(_AS_THEY_ARE, values, strict=True)), date=day)
        for day, *values in zip(days, *columns, strict=True)
    )


def _moves(known: pd.DataFrame, begin: date) -> pd.Series:
    """Which of the entries are of a document that is open, or has an entry since `begin`."""
    document = known.groupby(["of", "currency"]).ngroup()
    is_open = known["elsewhere"] | (known["open"] != 0) | (known["date"] >= begin.isoformat())
    differs = known["amount"].groupby(document).transform("sum") != 0
    return differs | is_open.groupby(document).transform("any")


def receivable_file(frames: FrameStore, period: str) -> Place:
    """The file with the digest of a built month's read-back as it is now."""
    _digest(frames, period, frames.path(keys.SETTLEMENTS.path, period))
    return frames.path(_DIGESTS, period)


def _digest(frames: FrameStore, period: str, file: Place) -> pa.Table:
    """The digest of a month's read-back; made where there is none of its present content."""
    place, signature = frames.path(_DIGESTS, period), f"{_VERSION} {places.signature(file)}"
    try:
        table = read_columns(place)
    except FileNotFoundError:
        table = None
    if table is None or attrs_of(table.schema).get("of") != signature:
        states = to_rows(FrameStore(frames.root).load(file), LedgerState)
        sold = [[*key, net] for key, net in sorted(_sales(states).items())]
        rows = [*_kept(states)]
        due = digest_of_lines(
            sorted(f"{ref} {day}" for ref, day in _due_days(frames, period) if day)
        )
        told = {"of": signature, "sold": sold, "booked": _by_month(rows), "due": due}
        write_frame(to_frame(rows, _Kept, **told), place)
        table = read_columns(place)
    return table


def _kept(states: Iterable[LedgerState]) -> Iterator[_Kept]:
    for state in states:
        entries = booked(state)
        for each in entries:
            told = {name: getattr(each, name) for name in _AS_THEY_ARE}
            yield _Kept(state=state.ref, date=each.date.isoformat(), **told)
        if not entries:
            yield _Kept(state=state.ref)


def _by_month(rows: Iterable[_Kept]) -> dict[str, str]:
    """By the month of their booking the digest of these entries, without what of them is open now."""
    lines: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.ref:
            told = [getattr(row, name) for name in _FOR_GOOD]
            lines[row.date[:7]].append(repr(told))
    return {period: digest_of_lines(found) for period, found in sorted(lines.items())}


def _sales(states: Iterable[LedgerState]) -> Counter[tuple[str, str]]:
    sold: Counter[tuple[str, str]] = Counter()
    for state in states:
        if state.move is not None and not state.elsewhere:
            document = state.move.document
            for line in document.lines if state.move.state is MoveState.POSTED else ():
                sold[document.currency, line.account] += document.kind.sign * line.net
    return sold


def _sold(digest: pa.Table) -> Sold:
    told: list[tuple[str, str, int]] = attrs_of(digest.schema)["sold"]
    return {(currency, account): net for currency, account, net in told}


def _due(frames: FrameStore, at_end: Iterable[Group], built: Collection[str]) -> Mapping[str, date]:
    """The days that sources name, of the documents that are open, from the months that were built."""
    dates = {group.of: group.date for group in at_end if group.open and group.date is not None}
    likely: dict[str, list[str]] = defaultdict(list)
    for ref, day in dates.items():
        likely[period_of(day)].append(ref)
    named: dict[str, date | None] = {}
    for period in likely.keys() & built:
        named |= _due_days(frames, period, likely[period])
    # A person may have booked one on a day of another month than its source says.
    for period in sorted(built):
        if not (left := [*dates.keys() - named.keys()]):
            break
        named |= _due_days(frames, period, left)
    return {ref: day for ref, day in named.items() if day is not None}


def _due_days(
    frames: FrameStore, period: str, refs: Sequence[str] | None = None
) -> list[tuple[str, date | None]]:
    """(ref, due day) of a month's documents, or of these alone."""
    own = [one.key for one in month.DOCUMENTS_OF_SOURCES.values() if one.key is not None]
    return [
        row for key in own for row in _columns(frames, key.path, period, "ref", "due", refs=refs)
    ]


def _listed(frames: FrameStore, built: Collection[str]) -> frozenset[str]:
    """The documents that are listed for what a person may have settled by hand."""
    found: set[str] = set()
    for period in built:
        decided = _columns(frames, keys.DISPOSITIONS.path, period, "ref", "exceptions")
        told = [(ref, json.loads(codes)) for ref, codes in decided if codes]
        deltas = _columns(frames, keys.LEDGER_DELTAS.path, period, "ref", "code")
        for ref, codes in (*told, *((ref, [code]) for ref, code in deltas)):
            if SETTLED_BY_HAND.intersection(map(ExceptionCode.of, codes)):
                found.add(ref)
    return frozenset(found)


def _columns(
    frames: FrameStore,
    key: Sequence[str],
    period: str,
    *names: str,
    refs: Sequence[str] | None = None,
) -> Iterator[tuple[Any, ...]]:
    """The values of these columns, of all rows or of these `refs`; none where there is no frame, or one without them."""
    try:
        table = read_columns(frames.path(key, period), names)
    except FileNotFoundError:
        return iter(())
    if table.num_columns < len(names):
        return iter(())
    if refs is not None and len(table):
        wanted = pa.array(refs, table["ref"].type)
        table = table.filter(compute.is_in(table["ref"], value_set=wanted))
    return zip(*(table[name].to_pylist() for name in names), strict=True)
