"""Credits of our partners that a person wrote into the books, and that no document explains."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from fcb_pipelines.connectors.beancount.entries import minor, text
from fcb_pipelines.connectors.beancount.partner_entry import PartnerEntry
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.core.ledger.moves import ForeignCredit


def foreign_credits(records: Records, since: date) -> tuple[ForeignCredit, ...]:
    """What is open to the credit of each partner in a person's entries; the latest of them are named.

    An entry is a partner's by its metadata `partner` or by its payee. Nobody matches such entries with each
    other, so the debits of a partner are taken off its credits, the earliest first.
    """
    found: dict[tuple[str, str], list[ForeignCredit]] = {}
    debits: dict[tuple[str, str], int] = {}
    for entry, posting in sorted(records.foreign, key=lambda each: each[0].date):
        partner = _partner_of(entry, records)
        if partner is None or entry.date < since:
            continue
        key, amount = (partner.partner_id, posting.units.currency), minor(posting)
        if amount > 0:
            debits[key] = debits.get(key, 0) + amount
            continue
        credit = ForeignCredit(
            move=records.named_place(entry),
            partner=partner.links[0],
            name=partner.field("name") or "",
            date=entry.date,
            currency=posting.units.currency,
            amount=-amount,
        )
        found.setdefault(key, []).append(credit)
    left = [one for key, own in found.items() for one in _after(own, debits.get(key, 0))]
    return tuple(sorted(left, key=lambda each: (each.date, each.move)))


def _partner_of(entry: Any, records: Records) -> PartnerEntry | None:
    """The partner of a person's entry that carries a link of ours; None where that can't be told."""
    named, payee = text(entry.meta, "partner"), entry.payee
    if named:
        return records.partner(named)
    bearers = [each for each in records.partners.values() if payee and each.field("name") == payee]
    return bearers[0] if len(bearers) == 1 and bearers[0].links else None


def _after(own: Iterable[ForeignCredit], debit: int) -> Iterable[ForeignCredit]:
    """What is left of credits once so much of a debit took the earliest of them."""
    for each in own:
        taken = min(each.amount, debit)
        debit -= taken
        if each.amount > taken:
            yield replace(each, amount=each.amount - taken)
