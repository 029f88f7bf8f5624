"""What the build of a month was made of, kept with its report, and whether a sync would build it of the same again.

basis_of(...)      as the report of a build is written
to_build(...)      as a sync chooses its months, from the same frames and the books as they are now
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import (
    FrameStore,
    content_digest,
    read_attrs,
    read_columns,
    to_rows,
)
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.dispositions.cases import accounts
from fcb_pipelines.core.documents.partners import rivals
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import Partner
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement
from fcb_pipelines.core.ledger.partners import LinkedPartner
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.proof.basis import (
    Basis,
    Present,
    led_by_builds,
    records_digest,
    waits_on_an_answer,
    waits_on_the_day,
)
from fcb_pipelines.core.proof.gate import GateResult
from fcb_pipelines.defs.metering.freshness import as_measured
from fcb_pipelines.defs.reconciliation.history import BuiltMonths, receivable_file
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.code import code_digest
from fcb_pipelines.defs.runtime.frame_io import content_of_extracts
from fcb_pipelines.defs.runtime.frame_rows import users_of
from fcb_pipelines.defs.runtime.ledger_reading import LedgerReader
from fcb_pipelines.defs.runtime.month import books_of
from fcb_pipelines.defs.runtime.partitions import periods, today

BASIS = "basis"
RESULT = "result"
# Of the last proof: the digest of the ledger's partners, and that of when somebody else changed them last.
PARTNERS = "proved_partners"
_PROOFS = (keys.AMOUNTS, keys.LEAKS)
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
    over_all: Sequence[GateResult],
    decisions: Sequence[Decision],
    months: BuiltMonths,
) -> Basis | None:
    """The basis of the build that ends with this report; None where another build may do more.

    That is so where the ledger refused something, a source did not answer, the extracts were replaced
    meanwhile, or the books' limits changed. `months` are those that the report tells of.
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
    rules = _rules(limits[0], after["ledger"], decisions)
    partners = attrs[keys.PARTNERS]["before"]
    ages = waits_on_the_day(built.dispositions, built.deltas)
    return Basis(
        content=content,
        shared=_shared(period, [rules, _proofs(frames, over_all), partners], _results(frames)),
        own=_Concerns(frames, rules, over_all, months).digest(period),
        before=before["records"],
        after=after["records"],
        frames=_as_they_lie(frames, period),
        posts=attrs[keys.POSTED_MOVES]["posts"],
        day=today().isoformat() if ages else None,
        on=today().isoformat(),
    )


def to_build(
    frames: FrameStore,
    chosen: Sequence[str],
    waiting: Collection[str],
    reader: LedgerReader,
    moves: Collection[LedgerMove],
    settlements: Collection[LedgerSettlement],
    over_all: Callable[[], Sequence[GateResult]],
    decisions: Sequence[Decision],
) -> tuple[str, ...]:
    """Of the chosen months those that another build may come to something else in.

    None where every one would be made of what its last build was made of; else all but those of the `waiting` ones
    for which that is so of what concerns them. A waiting month holds nothing, and its own rows are those of its
    last build. `moves` and `settlements` are all of the ledger's; `over_all` gives the results of the gates over all
    months. With cash, and where services are told of events, it is all of them: both ask the outside world for more
    than the extracts have.
    """
    content = content_of_extracts(frames)
    if keys.BALANCES or current().told or content is None:
        return (*chosen,)
    built = {period: was for period in chosen if (was := _kept(frames, period)) is not None}
    posts, day = current().posting == "auto", today()
    may_hold = [
        each for each, was in built.items() if was.may_hold(content, posts=posts, today=day)
    ]
    may_wait = [
        each
        for each, was in built.items()
        if each in waiting and was.may_wait(posts=posts, today=day)
    ]
    if not may_hold and not may_wait:
        return (*chosen,)
    gates, partners = over_all(), reader.ledger.partners_digest()
    rules = _rules(reader.books, reader.description.identity, decisions)
    records = _records(frames, {*may_hold, *may_wait}, reader, moves, settlements)
    common, results = [rules, _proofs(frames, gates), partners], _results(frames)
    same = {
        each
        for each in may_hold
        if built[each].holds(_shared(each, common, results), records[each])
    }
    left = [each for each in may_wait if each not in same]
    if left and partners == proved_partners(frames)[0]:
        concerns = _Concerns(frames, rules, gates, BuiltMonths(frames))
        same |= {
            each
            for each in as_measured(frames, left)
            if built[each].waits(concerns.digest(each), records[each])
        }
    if same == {*chosen}:
        return ()
    # In a month that does not wait, whatever changed anywhere may come to something else.
    return tuple(each for each in chosen if each not in same & {*waiting})


def proved_partners(frames: FrameStore) -> tuple[str | None, str | None]:
    """The digest of the ledger's partners as the last proof found them, and as somebody else left them last."""
    try:
        digest, mark = read_attrs(frames.path(keys.RECEIVABLE.path)).get(PARTNERS) or (None, None)
    except FileNotFoundError:
        return None, None
    return digest, mark


def partners_now(frames: FrameStore, digest: str) -> tuple[str, str]:
    """The two for a proof that finds the partners so."""
    known, mark = proved_partners(frames)
    ours = led_by_builds(known, digest, [_partners_of(frames, each) for each in periods()])
    return digest, mark if ours and mark is not None else digest


def _partners_of(frames: FrameStore, period: str) -> tuple[str | None, str | None]:
    """The digests of the ledger's partners before and after a month's build wrote its own."""
    try:
        told = read_attrs(frames.path(keys.PARTNERS.path, period))
    except FileNotFoundError:
        return None, None
    return told.get("before"), told.get("after")


def _records(
    frames: FrameStore,
    wanted: Collection[str],
    reader: LedgerReader,
    moves: Collection[LedgerMove],
    settlements: Collection[LedgerSettlement],
) -> dict[str, str]:
    """The digest of each month's records in the ledger as they are now."""
    refs = {period: _refs(frames, period) for period in wanted}
    named = {ref for own, elsewhere in refs.values() for ref in (*own, *elsewhere)}
    logged = reader.log.latest(reader.description.identity, sorted(named))
    present = Present(moves, settlements, {ref: entry.seen for ref, entry in logged.items()})
    return {period: records_digest(present.of(*found)) for period, found in refs.items()}


def _kept(frames: FrameStore, period: str) -> Basis | None:
    try:
        kept = read_attrs(frames.path(keys.REPORT.path, period)).get(BASIS)
    except FileNotFoundError:
        return None
    # That of another version may have other fields.
    if kept is None or kept.keys() != {each.name for each in fields(Basis)}:
        return None
    return Basis(**kept) if kept["frames"] == _as_they_lie(frames, period) else None


def _as_they_lie(frames: FrameStore, period: str) -> str:
    """What tells the files of a month's frames from any others."""
    own = sorted(keys.MONTHLY - {keys.REPORT})
    return digest_of_json([frames.signature(key.path, period) for key in own])


def _refs(frames: FrameStore, period: str) -> tuple[list[str], list[str]]:
    """The external ids of a month's read-back: its own, and those of other months."""
    table = read_columns(frames.path(keys.SETTLEMENTS.path, period), ["ref", "elsewhere"])
    own: list[str] = []
    elsewhere: list[str] = []
    for ref, other in zip(*(table[name].to_pylist() for name in table.schema.names), strict=True):
        (elsewhere if other else own).append(ref)
    return own, elsewhere


class _Concerns:
    """What a month reads that neither its own rows nor its own records have, as far as it concerns the month."""

    def __init__(
        self, frames: FrameStore, rules: str, over_all: Iterable[GateResult], months: BuiltMonths
    ) -> None:
        self._frames = frames
        self._months = months
        gates = sorted([one.gate, one.outcome.value] for one in over_all)
        report = FrameReport(frames)
        drawn = sorted(map(repr, report.drawn))
        self._common = [rules, gates, drawn, proved_partners(frames)[1]]
        self._customers = report.customers()
        users, leaks = frames.read(keys.USERS.path), frames.read(keys.LEAKS.path)
        self._accounts = accounts(users_of(users)) if users is not None else ()
        self._leaks = to_rows(leaks, Leak) if leaks is not None else ()

    def digest(self, period: str) -> str:
        """The digest of it: what is booked by the month's end and of whom, its leaks, who shares its customers' emails."""
        leaks = sorted(repr(each) for each in self._leaks if each.period == period)
        names = [[each, self._customers.get(each)] for each in self._months.partners(period)]
        return digest_of_json(
            [*self._common, self._months.digest(period), names, leaks, self._rivals(period)]
        )

    def _rivals(self, period: str) -> list[str]:
        frame = self._frames.read(keys.PARTNERS.path, period)
        rows = to_rows(frame, LinkedPartner) if frame is not None else ()
        known = [
            Partner(key=link, links=row.links, name=row.name, email=row.email)
            for row in rows
            for link in row.links
        ]
        return sorted(map(repr, rivals(known, self._accounts)))


def _rules(books: Books, identity: str, decisions: Iterable[Decision]) -> str:
    """The digest of what every month is decided by: configuration, code, decisions, the books' limits."""
    lapsed = [[one.id, one.until is not None and one.until < today()] for one in decisions]
    limits = {
        name: sorted(map(str, value)) if isinstance(value, frozenset) else str(value)
        for name, value in asdict(books).items()
    }
    parts = [current().model_dump_json(), code_digest(), periods()[-1], sorted(lapsed)]
    return digest_of_json([*parts, limits, identity])


def _proofs(frames: FrameStore, over_all: Iterable[GateResult]) -> str:
    """The digest of what the proofs over all months found."""
    gates = sorted([one.gate, one.outcome.value, one.detail] for one in over_all)
    return digest_of_json([gates, *(_content(frames.path(key.path)) for key in _PROOFS)])


def _shared(period: str, common: Sequence[str], results: Mapping[str, str | None]) -> str:
    """The digest of what a month's build reads besides the extracts and its own records."""
    others = [result for other, result in results.items() if other != period]
    return digest_of_json([*common, others])


def _results(frames: FrameStore) -> dict[str, str | None]:
    """What each month's last report says that the others may tell of it."""
    return {period: _result(frames, period) for period in periods()}


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
