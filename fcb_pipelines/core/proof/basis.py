"""The basis of a month's build: what it was made of, as far as another build would come to the same.

A month with something open is built in every sync, because what it waits for may have come. Where nothing at
all is another than it was, and the last build changed nothing, another one would read, decide and write the
same. A month that holds nothing and only waits for money is told by what it reads itself; in a week it is built
all the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fcb_pipelines.core.codes import Reason, Verdict
from fcb_pipelines.core.digests import Form, all_but, digest_of_lines
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, LedgerState, Seen
from fcb_pipelines.core.proof.delta import LedgerDelta

# So long a month that waits for money goes without a build.
LONGEST_WAIT = timedelta(days=7)

_RECORD = Form(
    {
        LedgerMove: all_but(LedgerMove, "document"),
        LedgerSettlement: all_but(LedgerSettlement, "settlement"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a month was built from, as digests.

    `content` is of the extracts, `shared` of whatever else all months read - configuration, decisions, the books'
    limits, the other months - and `own` of the part of it that concerns this month. `before` and
    `after` are of the month's records in the ledger with what was logged of them, as the build found and as it left
    them. `frames` tells the month's own frames from those of any other build, such as one that did not end. `posts`:
    the build posted drafts. `on` is the day of the build, and `day` the same where the month says how long something
    has waited, else None.
    """

    content: str
    shared: str
    own: str
    before: str
    after: str
    frames: str
    posts: bool
    day: str | None
    on: str

    def may_hold(self, content: str | None, *, posts: bool, today: date) -> bool:
        """Whether the extracts are as they were, and neither a draft nor the day calls for another build."""
        return (
            self.content == content
            and self.posts >= posts
            and self.day in (None, today.isoformat())
        )

    def holds(self, shared: str, records: str) -> bool:
        """Whether what all months read and the month's own records are as the build found and left them."""
        return self.shared == shared and self.before == self.after == records

    def may_wait(self, *, posts: bool, today: date) -> bool:
        """Whether it was built within a week, and no draft calls for another build."""
        age = today - date.fromisoformat(self.on)
        return self.posts >= posts and timedelta() <= age < LONGEST_WAIT

    def waits(self, own: str, records: str) -> bool:
        """Whether what concerns it and its own records are as the build found and left them."""
        return self.own == own and self.before == self.after == records


def records_digest(rows: Iterable[LedgerState]) -> str:
    """The digest of a month's records, as the ledger holds them and as they were last logged."""
    return digest_of_lines(map(_line, rows))


def waits_on_the_day(rows: Iterable[Disposition], deltas: Iterable[LedgerDelta]) -> bool:
    """Whether the month tells how long something has waited, or what may be done about it today."""
    return any(True for _ in deltas) or any(
        row.verdict is Verdict.HOLD or row.exceptions for row in rows
    )


def waits_on_an_answer(rows: Iterable[Disposition]) -> bool:
    """Whether a document is held because its source did not answer: it is asked again in each build."""
    return any(row.reason is Reason.UNREACHABLE for row in rows)


def led_by_builds(
    known: str | None, now: str, builds: Iterable[tuple[str | None, str | None]]
) -> bool:
    """Whether builds alone made of the partners that a proof knew those of now; all are digests.

    `builds` has what each found before it wrote its partners, and after it. Somebody else's change is in none.
    """
    led_to = {before: after for before, after in builds if after not in (None, before)}
    # A step a build: it may lead in a circle.
    for _ in range(len(led_to)):
        if known == now:
            break
        known = led_to.get(known, known)
    return known == now


class Present:
    """The ledger's records as they are now, found by what they belong to. `seen` is the log's last entry by ref."""

    def __init__(
        self,
        moves: Iterable[LedgerMove],
        settlements: Iterable[LedgerSettlement],
        seen: Mapping[str, Seen],
    ) -> None:
        self._moves = {move.ref: move for move in moves}
        self._settlements = {entry.ref: entry for entry in settlements}
        self._seen = seen
        self._reversing: dict[str, list[str]] = defaultdict(list)
        self._beside: dict[str, list[str]] = defaultdict(list)
        for move in self._moves.values():
            self._reversing[move.document.reverses or ""].append(move.ref)
        for entry in self._settlements.values():
            for ref in {entry.settlement.document, entry.settlement.drawn_on}:
                self._beside[ref or ""].append(entry.ref)

    def of(self, own: Iterable[str], elsewhere: Iterable[str]) -> Iterable[LedgerState]:
        """The records of a month with these refs, `elsewhere` those of other months, and what came to them since."""
        own = [*own]
        refs = dict.fromkeys((*own, *elsewhere))
        came = [other for ref in refs for other in self._reversing.get(ref, ())]
        came += [other for ref in own for other in self._beside.get(ref, ())]
        for ref in dict.fromkeys((*refs, *came)):
            yield LedgerState(
                ref=ref,
                move=self._moves.get(ref),
                settlement=self._settlements.get(ref),
                seen=self._seen.get(ref),
            )


def _line(row: LedgerState) -> str:
    parts = [row.ref]
    if row.move is not None:
        document = row.move.document
        parts += [_RECORD.digest(row.move), document.content_hash]
        parts += [document.reverses or "", document.source_hash or ""]
    if row.settlement is not None:
        entry = row.settlement.settlement
        parts += [_RECORD.digest(row.settlement), entry.content_hash, str(entry.on_account)]
    if row.seen is not None:
        parts += [row.seen.state, row.seen.content_hash or ""]
    return " ".join(parts)
