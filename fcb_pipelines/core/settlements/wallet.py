"""Wallet credit that was booked before granted and bought credit were kept apart (S12)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.facts.model import SettlementFacts
from fcb_pipelines.core.ledger.moves import LedgerState, settled_under
from fcb_pipelines.core.refs import Suffix, suffixed


def as_booked(
    settled: Sequence[SettlementFacts], ledger_state: Mapping[str, LedgerState]
) -> Sequence[SettlementFacts]:
    """These settlements, with granted and bought credit as one where the ledger holds them as one."""
    granted = [each for each in settled if each.method is Method.GRANTED_CREDIT]
    if not granted:
        return settled
    [part] = granted
    bought = [each for each in settled if each.method is Method.PREPAID_CREDIT]
    whole = replace(
        part,
        ref=suffixed(part.document, Suffix.PREPAID),
        method=Method.PREPAID_CREDIT,
        amount=part.amount + sum(each.amount for each in bought),
    )
    entry = settled_under(whole.ref, ledger_state)
    if entry is None or entry.settlement.amount != whole.amount:
        return settled
    return [*(each for each in settled if each not in (*granted, *bought)), whole]
