"""What the build of a month was made of, kept with its report, and whether a sync would build it of the same again.

basis_of(...)      as the report of a build is written
still_as_built()   as a sync chooses its months, from the same frames and the books as they are now
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import (
    FrameStore,
    content_digest,
    read_attrs,
    read_columns,
)
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement
from fcb_pipelines.core.proof.basis import (
    Basis,
    Present,
    records_digest,
    waits_on_an_answer,
    waits_on_the_day,
)
from fcb_pipelines.core.proof.gate import GateResult
from fcb_pipelines.defs.reconciliation.history import receivable_file
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.code import code_digest
from fcb_pipelines.defs.runtime.frame_io import content_of_extracts
from fcb_pipelines.defs.runtime.ledger_reading import LedgerReader
from fcb_pipelines.defs.runtime.month import books_of
from fcb_pipelines.defs.runtime.partitions import periods, today

BASIS = "basis"
RESULT = "result"
_SOURCES = {
    one.key
    for one in (*month.DOCUMENTS_OF_SOURCES.values(), *month.CREDITED.values())
    if one.key is not None
}
# What other months' reports may tell of a month.
_TOLD = (
    (keys.DISPOSITIONS, ("ref", "exceptions")),
    (keys.LEDGER_DELTAS, ("ref", "code")),
)


def result_of(frames: FrameStore, period: str) -> str:
    """The digest of what the reports of other months may tell of this one."""
    told: list[str | None] = [content_digest(receivable_file(frames, period))]
    told += [_content(frames.path(key.path, period), names) for key, names in _TOLD]
    return digest_of_json(told)


def basis_of(
    frames: FrameStore,
    period: str,
    built: MonthStatus,
    over_all: Iterable[GateResult],
    decisions: Iterable[Decision],
) -> Basis | None:
    """The basis of the build that ends with this report; None where another build may do more.

    That is so where the ledger refused something, a source did not answer, the extracts were replaced
    meanwhile, or the books' limits changed.
    """
    attrs = {
        key: read_attrs(frames.path(key.path, period))
        for key in (
            keys.STANDING, keys.SETTLEMENTS, keys.DRAFT_MOVES, keys.POSTED_MOVES, keys.PARTNERS,
            keys.DISPOSITIONS, keys.METERING_DELTAS,
        )
    }  # fmt: skip
    before, after, sliced = attrs[keys.STANDING], attrs[keys.SETTLEMENTS], _cut(frames)
    snapshots = {
        sliced.get("snapshot"),
        attrs[keys.DISPOSITIONS].get("snapshot"),
        attrs[keys.METERING_DELTAS].get("snapshot"),
    }
    refused = any(
        attrs[key].get("refused") for key in (keys.DRAFT_MOVES, keys.POSTED_MOVES, keys.SETTLEMENTS)
    )
    unanswered = waits_on_an_answer(built.dispositions) or _incomplete(frames, period)
    limits = [books_of(each) for each in (before, after)]
    content = content_of_extracts(frames)
    if content is None or len(snapshots) > 1 or refused or unanswered or limits[0] != limits[1]:
        return None
    common = _common(frames, over_all, decisions)
    partners = attrs[keys.PARTNERS]["before"]
    ages = waits_on_the_day(built.dispositions, built.deltas)
    return Basis(
        content=content,
        shared=_shared(frames, period, common, limits[0], after["ledger"], partners),
        before=before["records"],
        after=after["records"],
        posts=attrs[keys.POSTED_MOVES]["posts"],
        day=today().isoformat() if ages else None,
    )


def still_as_built(
    frames: FrameStore,
    wanted: Sequence[str],
    reader: LedgerReader,
    moves: Collection[LedgerMove],
    settlements: Collection[LedgerSettlement],
    over_all: Callable[[], Iterable[GateResult]],
    decisions: Iterable[Decision],
) -> bool:
    """Whether another build of each of these months would be made of what its last one was made of.

    `moves` and `settlements` are all of the ledger's; `over_all` gives the results of the gates over all months. With cash, and where services are told of events, it never
    is so: both ask the outside world for more than the extracts have.
    """
    if keys.BALANCES or current().told:
        return False
    built = {period: was for period in wanted if (was := _kept(frames, period)) is not None}
    content, posts = content_of_extracts(frames), current().posting == "auto"
    may_hold = (was.may_hold(content, posts=posts, today=today()) for was in built.values())
    if built.keys() != {*wanted} or not all(may_hold):
        return False
    common, partners = _common(frames, over_all(), decisions), reader.ledger.partners_digest()
    refs = {period: _refs(frames, period) for period in wanted}
    named = {ref for own, elsewhere in refs.values() for ref in (*own, *elsewhere)}
    logged = reader.log.latest(reader.description.identity, sorted(named))
    present = Present(moves, settlements, {ref: entry.seen for ref, entry in logged.items()})
    identity = reader.description.identity
    return all(
        was.holds(
            _shared(frames, period, common, reader.books, identity, partners),
            records_digest(present.of(*refs[period])),
        )
        for period, was in built.items()
    )


def _kept(frames: FrameStore, period: str) -> Basis | None:
    try:
        kept = read_attrs(frames.path(keys.REPORT.path, period)).get(BASIS)
    except FileNotFoundError:
        return None
    # That of another version may have other fields.
    if kept is None or kept.keys() != {each.name for each in fields(Basis)}:
        return None
    return Basis(**kept)


def _refs(frames: FrameStore, period: str) -> tuple[list[str], list[str]]:
    """The external ids of a month's read-back: its own, and those of other months."""
    table = read_columns(frames.path(keys.SETTLEMENTS.path, period), ["ref", "elsewhere"])
    own: list[str] = []
    elsewhere: list[str] = []
    for ref, other in zip(*(table[name].to_pylist() for name in table.schema.names), strict=True):
        (elsewhere if other else own).append(ref)
    return own, elsewhere


def _common(
    frames: FrameStore, over_all: Iterable[GateResult], decisions: Iterable[Decision]
) -> str:
    """The digest of what every month reads, whatever it holds; the extracts are apart."""
    lapsed = [[one.id, one.until is not None and one.until < today()] for one in decisions]
    found = sorted([one.gate, one.outcome.value, one.detail] for one in over_all)
    whole = [_content(frames.path(key.path)) for key in (keys.AMOUNTS, keys.LEAKS)]
    parts = [
        current().model_dump_json(),
        code_digest(),
        periods()[-1],
        sorted(lapsed),
        found,
        whole,
    ]
    return digest_of_json(parts)


def _shared(
    frames: FrameStore,
    period: str,
    common: str,
    books: Books,
    identity: str,
    partners: str,
) -> str:
    """The digest of what a month's build reads besides its own records: the common, the books, other months."""
    limits = {
        name: sorted(map(str, value)) if isinstance(value, frozenset) else str(value)
        for name, value in asdict(books).items()
    }
    others = [_result(frames, other) for other in periods() if other != period]
    return digest_of_json([common, limits, identity, partners, others])


def _result(frames: FrameStore, period: str) -> str | None:
    try:
        return str(read_attrs(frames.path(keys.REPORT.path, period)).get(RESULT))
    except FileNotFoundError:
        return None


def _cut(frames: FrameStore) -> dict[str, Any]:
    try:
        return read_attrs(frames.path(keys.SLICES.path))
    except FileNotFoundError:
        return {}


def _content(file: Place, names: Sequence[str] | None = None) -> str | None:
    try:
        return content_digest(file, names)
    except FileNotFoundError:
        return None


def _incomplete(frames: FrameStore, period: str) -> bool:
    """Whether a part of a document could not be fetched."""
    for key in _SOURCES:
        problems = read_columns(frames.path(key.path, period), ["problem"])
        if Reason.UNREACHABLE in problems["problem"].to_pylist():
            return True
    return False
