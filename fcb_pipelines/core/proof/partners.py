"""The gate function over ledger partners: whose email is not theirs alone."""

from collections.abc import Iterable

from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail
from fcb_pipelines.core.proof.gate import Finding, warning


def shared_email(partners: Iterable[LinkedPartner]) -> Finding:
    """Emails that several accounts or ledger partners bear, each with all who bear it."""
    emails = {shared.email: shared for one in partners for shared in one.shared_emails}
    told = [_shared(shared) for _, shared in sorted(emails.items())]
    return warning(told)


def _shared(shared: SharedEmail) -> str:
    together = f", all on ledger partner {shared.partner_id}" if shared.partner_id else ""
    return f"{shared.email}: {', '.join(shared.bearers)}{together}"
