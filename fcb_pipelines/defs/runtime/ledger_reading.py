"""Reading the ledger back: the records of the month's external ids, logged as they are read."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fcb_pipelines.connectors.failures import EntriesRefused, NotPrepared
from fcb_pipelines.connectors.ledger import Ledger, Writer
from fcb_pipelines.connectors.store.readback_log import Observation, ReadBackLog
from fcb_pipelines.connectors.store.writer import deployment_of, named, one_writer
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.description import LedgerDescription
from fcb_pipelines.core.ledger.moves import (
    RECONCILED,
    LedgerMove,
    LedgerSettlement,
    LedgerState,
    may_replace,
)
from fcb_pipelines.core.refs import base_of, is_correction
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.instance.waiting import Waiting, tell


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReader:
    """One ledger with the log of its earlier states."""

    ledger: Ledger
    log: ReadBackLog
    description: LedgerDescription
    run_id: str

    @property
    def books(self) -> Books:
        """The ledger's currencies, rates, locks and missing parts, as the rules need them."""
        return Books(
            currencies=frozenset(self.description.currencies),
            rates_since=self.description.rates_since,
            lacking_taxes=frozenset(
                key for part in self.description.missing for key in part.taxes or ()
            ),
            lacking_methods=frozenset(
                method for part in self.description.missing for method in part.methods
            ),
            invoice_lock=self.description.invoice_lock,
            entry_lock=self.description.entry_lock,
        )

    def ledger_state(
        self,
        documents: Collection[str],
        settlements: Collection[str],
        elsewhere: Collection[str] = (),
    ) -> dict[str, LedgerState]:
        """The present and the last logged state of each of these external ids. Logs the present one.

        The answer also has the moves that reverse the documents - corrections, credit notes and their
        corrections - and further settlements of the documents. `elsewhere` are documents of other
        months on which these depend.
        """
        named = [*documents, *elsewhere]
        read = [*self.ledger.read_moves(named, of=named)]
        notes = {move.ref for move in read if not is_correction(move.ref)} - {*named}
        read += self.ledger.read_moves([], of=sorted(notes)) if notes else ()
        moves = {move.ref: move for move in read}
        entries = {
            entry.ref: entry for entry in self.ledger.read_settlements(settlements, of=documents)
        }
        refs = dict.fromkeys((*documents, *settlements, *elsewhere, *moves, *entries))
        seen = self.log.latest(self.description.identity, list(refs))
        self.note(moves.values(), entries.values())
        own = {*documents}
        ours = {*documents, *settlements, *entries}
        return {
            ref: LedgerState(
                ref=ref,
                move=moves.get(ref),
                settlement=entries.get(ref),
                seen=seen[ref].seen if ref in seen else None,
                elsewhere=base_of(ref) not in own and ref not in ours,
            )
            for ref in refs
        }

    def note(
        self,
        moves: Iterable[LedgerMove] = (),
        settlements: Iterable[LedgerSettlement] = (),
    ) -> None:
        """Log the moves and settlements just read back.

        A step back, from posted to draft, is not logged: the log keeps that an id was posted (D3).
        """
        observed = [_of_move(move) for move in moves] + [_of_settlement(s) for s in settlements]
        identity = self.description.identity
        seen = self.log.latest(identity, [each.ref for each in observed]) if observed else {}
        states = {ref: entry.state for ref, entry in seen.items()}
        news = [each for each in observed if may_replace(states.get(each.ref), each.state)]
        if news:
            self.log.append(identity, news, run_id=self.run_id)


def refused_by(
    write: Callable[[], object], tell: Callable[[str], object] | None = None
) -> dict[str, str]:
    """Do a write and return the refused entries: ref -> code of the refusal. `tell` is told why.

    The rest of the batch is written: one bad row never stops it, and never disappears.
    """
    try:
        write()
    except EntriesRefused as refused:
        if tell is not None:
            for each in refused.refusals:
                tell(f"{each.ref}: {each.code} ({each.detail})")
        return {refusal.ref: refusal.code for refusal in refused.refusals}
    return {}


def open_reader(ledger: Ledger, log: ReadBackLog, run_id: str) -> LedgerReader:
    """The ledger, ready to be written to. Raises NotPrepared naming every part that is missing.

    A missing tax is no reason to stop: documents that bear it are held.
    """
    description = ledger.describe()
    missing = [part for part in description.missing if part.taxes is None]
    if missing:
        lacking = "; ".join(f"{part.what} {part.name}" for part in missing)
        remedies = dict.fromkeys(part.remedy for part in missing)
        raise NotPrepared(
            f"opening the books of {description.company} ({description.adapter})",
            f"it lacks {lacking}",
            remedy="; ".join(remedies),
        )
    return LedgerReader(ledger=ledger, log=log, description=description, run_id=run_id)


@contextmanager
def open_writer(ledger: Ledger, log: ReadBackLog, run_id: str) -> Iterator[LedgerReader]:
    """The ledger for its one writer: over all that share the log's Postgres, and all that share the ledger.

    What is read in the block nobody else changes before its end. Raises as `open_reader`, `one_writer` and
    `Ledger.begin_writing` do.
    """

    reader = open_reader(ledger, log, run_id)
    identity = reader.description.identity

    def waits(holder: str) -> None:
        tell(
            Waiting(
                run_id=run_id,
                pool=keys.LEDGER_POOL,
                holders=(f"{holder} has it",),
                lock=f"the lock of the one writer of {identity}",
            )
        )

    who = f"run {run_id[:8]}"
    with one_writer(log.postgres_url, identity, who=who, waits=waits) as waited:
        writer = Writer(
            deployment=deployment_of(log.postgres_url), name=named(who), run=run_id, waits=waits
        )
        if ledger.begin_writing(writer) or waited:
            reader = open_reader(ledger, log, run_id)
        yield reader


def _of_move(move: LedgerMove) -> Observation:
    return Observation(
        ref=move.ref,
        kind="move",
        state=move.state.value,
        content_hash=move.document.content_hash,
    )


def _of_settlement(entry: LedgerSettlement) -> Observation:
    return Observation(
        ref=entry.ref,
        kind="settlement",
        state=RECONCILED if entry.is_reconciled else entry.state.value,
        content_hash=entry.settlement.content_hash,
    )
