"""What all built months know of the receivable: every entry on it, due dates, and what is listed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.booked import Booked, booked, unique
from fcb_pipelines.core.close.history import History, Sold
from fcb_pipelines.core.close.rollforward import SETTLED_BY_HAND
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.partitions import periods

_KEPT_MONTHS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A document and the day by which it is to be paid."""

    ref: str
    due: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A document with its exceptions."""

    ref: str
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One month's frame: the entries on the receivable by external id, and what the month sold."""

    entries: Mapping[str, tuple[Booked, ...]]
    sold: Sold


def history(frames: FrameStore) -> History:
    """What every month that was built knows of the receivable, and what it sold."""
    files = {each: frames.path(keys.SETTLEMENTS.path, each) for each in periods()}
    built = {each: file for each, file in files.items() if places.exists(file)}
    return History(
        entries=_entries(built.values()),
        due={row.ref: row.due for row in _due(frames, built) if row.due},
        listed=frozenset(_listed(frames, built)),
        sold={each: _read(file, places.signature(file)).sold for each, file in built.items()},
    )


def _entries(files: Iterable[Place]) -> tuple[Booked, ...]:
    """The entries of all months. A document of another month is as the later of the two builds read it."""
    found: dict[str, tuple[Booked, ...]] = {}
    for file in sorted(files, key=lambda file: (places.written(file), str(file))):
        found |= _read(file, places.signature(file)).entries
    return unique(each for entries in found.values() for each in entries)


@lru_cache(maxsize=_KEPT_MONTHS)
def _read(file: Place, signature: str) -> _Read:
    """What is in one month's file; `signature` tells one content of it from the next."""
    states = to_rows(FrameStore(file.parent).load(file), LedgerState)
    sold: Counter[tuple[str, str]] = Counter()
    for state in states:
        if state.move is not None and not state.elsewhere:
            document = state.move.document
            for line in document.lines if state.move.state is MoveState.POSTED else ():
                sold[document.currency, line.account] += document.kind.sign * line.net
    return _Read(entries={state.ref: booked(state) for state in states}, sold=sold)


def _due(frames: FrameStore, built: Iterable[str]) -> Iterator[_Due]:
    for period in built:
        for key in (one.key for one in month.DOCUMENTS_OF_SOURCES.values() if one.key is not None):
            frame = frames.read(key.path, period)
            if frame is not None and not frame.empty:
                yield from to_rows(frame, _Due)


def _listed(frames: FrameStore, built: Iterable[str]) -> Iterator[str]:
    for period in built:
        decided = frames.read(keys.DISPOSITIONS.path, period)
        if decided is not None:
            for row in to_rows(decided, _Listed):
                if SETTLED_BY_HAND.intersection(map(ExceptionCode.of, row.exceptions)):
                    yield row.ref
        deltas = frames.read(keys.LEDGER_DELTAS.path, period)
        if deltas is not None:
            yield from (
                row.ref for row in to_rows(deltas, LedgerDelta) if row.code in SETTLED_BY_HAND
            )
