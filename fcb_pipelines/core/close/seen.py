"""Whether an exception is still as somebody saw it: the digest of everything that it is about."""

from fcb_pipelines.core.agreement.compare import disagreements
from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.digests import Form, digest_of_json, digest_of_lines
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.corrections import by_base

_SETTLED = Form({SettlementFacts: ("ref", "method", "date", "amount", "currency")})


def acknowledgement(month: MonthStatus, ref: str, code: str) -> Decision | None:
    """The latest acknowledgement of this exception as it is now; None where none is of that."""
    known = month.acknowledged.get((ref, code), ())
    if not known:
        return None
    now = seen(month, ref, code)
    return next((one for one in known if one.seen == now), None)


def seen(month: MonthStatus, ref: str, code: str) -> str:
    """The digest (64 hex digits) of one exception of one document, as the month has it.

    It moves with the document and its settlements at the source, with what NexaCloud's copy says otherwise,
    with the entry in the ledger and the hashes kept with it, with corrections, and with the differences and
    amounts that this code lists. Posting a draft as it was written moves nothing. Raises StopIteration
    for a ref that the month does not have.
    """
    row = next(one for one in month.dispositions if one.ref == ref)
    move = month.moves.get(ref)
    copy = (one for one in disagreements(month.agreements()) if one.ref == ref)
    return digest_of_json(
        {
            "ref": ref,
            "code": code,
            "document": [
                row.verdict, row.reason, row.number, row.date.isoformat() if row.date else None,
                row.currency, row.net, row.tax, row.total, row.owed, row.status,
            ],
            "source": _source(month.facts().get(ref)),
            "copy": digest_of_lines(f"{one.field}={one.expected}|{one.actual}" for one in copy),
            "entry": move and [
                move.document.content_hash, move.stored_hash, move.stored_source_hash,
            ],
            "corrections": [
                [one.ref, one.stored_hash] for one in by_base(month.moves.values()).get(ref, ())
            ],
            "differences": digest_of_lines(
                f"{one.entry} {one.field}={one.expected}|{one.actual}"
                for one in month.deltas
                if (one.ref, one.code) == (ref, code)
            ),
            "listed": digest_of_lines(
                f"{one.entry} {one.measure}={one.source}|{one.posted}|{one.listed}"
                for one in month.amounts.get(ref, ())
                if one.why == code
            ),
        }
    )  # fmt: skip


def _source(facts: InvoiceFacts | None) -> list[str] | None:
    if facts is None:
        return None
    settlements = digest_of_lines(_SETTLED.digest(one) for one in facts.settlements)
    return [facts.source_hash, settlements]
