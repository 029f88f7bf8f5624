"""The gate function over ledger partners: emails that several of them share."""

from collections.abc import Iterable

from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail
from fcb_pipelines.core.proof.gate import Finding, warning


def shared_email(partners: Iterable[LinkedPartner]) -> Finding:
    """Warn of each email that several accounts or ledger partners have, with all who have it."""
    emails = {shared.email: shared for one in partners for shared in one.shared_emails}
    return warning([_describe(shared) for _, shared in sorted(emails.items())])


def _describe(shared: SharedEmail) -> str:
    together = f", all on ledger partner {shared.partner_id}" if shared.partner_id else ""
    return f"{shared.email}: {', '.join(shared.bearers)}{together}"
