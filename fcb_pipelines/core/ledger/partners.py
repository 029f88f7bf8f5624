"""Partners as the ledger has them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedEmail:
    """An email that several accounts or ledger partners bear, and which therefore joins none of them.

    `bearers` are told for people: accounts by key and name, partners that no account is by id and
    name. `partner_id` is the one partner that all of them stand on already, though two companies.
    """

    email: str
    bearers: tuple[str, ...]
    partner_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedPartner:
    """One ledger partner that carries at least one of our links; with the emails it shares."""

    partner_id: str
    links: tuple[str, ...]
    name: str
    email: str | None
    stripe_customer_id: str | None
    shared_emails: tuple[SharedEmail, ...] = ()
