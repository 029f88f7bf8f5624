"""Checks a document again before it is written, by every rule that should have held it earlier."""

from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.documents.build import account_codes
from fcb_pipelines.core.documents.taxes import unexplained
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState, is_same_document
from fcb_pipelines.core.money import to_major
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.periods import period_of


def broken_rules(
    document: LedgerDocument,
    ledger_state: LedgerState | None,
    settings: Settings,
    books: Books,
    period: str,
) -> list[str]:
    """The rules that the document breaks, each as a text for people; empty where it breaks none."""
    accounts = account_codes(settings)
    known_taxes = {tax.key for tax in settings.taxes}
    faults = []
    if period_of(document.date) != period:
        faults.append(f"dated {document.date}, not in {period}")
    if document.currency not in books.currencies:
        faults.append(f"the ledger lacks {document.currency}")
    if document.total < 0 or not document.lines:
        billed = money(document.total, document.currency)
        faults.append(f"a total of {billed} with {len(document.lines)} lines")
    for line in document.lines:
        if accounts.get(line.family) != line.account:
            faults.append(f"family {line.family} does not post to {line.account}")
        if line.quantity * line.unit_price != to_major(line.net, document.currency):
            sold = money(line.net, document.currency)
            faults.append(f"{line.quantity} x {line.unit_price} is not {sold}")
    unknown = (document.tax_keys - known_taxes) | (document.tax_keys & books.lacking_taxes)
    if unknown:
        return [*faults, f"unknown taxes {', '.join(sorted(unknown))}"]
    faults += unexplained(
        document.taxes,
        document.lines,
        settings.taxes,
        settings.policies.tax_residue,
        document.currency,
    )
    return faults + _broken_by_ledger(document, ledger_state, books)


def _broken_by_ledger(
    document: LedgerDocument, ledger_state: LedgerState | None, books: Books
) -> list[str]:
    move = ledger_state.move if ledger_state else None
    if move is not None and move.state is MoveState.POSTED:
        return []
    faults = []
    locked = books.invoice_lock is not None and document.date <= books.invoice_lock
    if locked and not (ledger_state and ledger_state.was_seen == MoveState.POSTED):
        faults.append(f"locked up to {books.invoice_lock}")
    if (
        move is not None
        and move.state is MoveState.DRAFT
        and not is_same_document(move, move.stored_hash)
    ):
        faults.append("its draft was edited in the ledger")
    return faults
