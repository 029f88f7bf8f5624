"""A partner in the books."""

from dataclasses import dataclass
from typing import Any

from fcb_pipelines.core.documents.partners import LedgerPartner
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerEntry:
    """A partner directive: its entry, and the links that name it."""

    entry: Any
    partner_id: str
    links: tuple[str, ...]

    def field(self, name: str) -> str | None:
        """A field's text; None when it is empty."""
        value = self.entry.meta.get(name)
        return str(value) if value not in (None, "") else None

    def ledger_state(self, shared: tuple[SharedEmail, ...] = ()) -> LinkedPartner:
        """The partner as the port's value."""
        return LinkedPartner(
            partner_id=self.partner_id,
            links=self.links,
            name=self.field("name") or "",
            email=self.field("email"),
            stripe_customer_id=self.field("stripe_customer_id"),
            shared_emails=shared,
        )

    def as_found(self) -> LedgerPartner:
        """The partner as it is matched with billing accounts; `company` is a person's addition."""
        return LedgerPartner(
            partner_id=self.partner_id,
            links=self.links,
            name=self.field("name") or "",
            email=self.field("email"),
            company=self.field("company"),
        )
