"""Partners of the ledger that carry links of ours."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedEmail:
    """An email of several accounts or ledger partners, which therefore joins none of them.

    `bearers` are texts for people: accounts by key and name, partners without an account by id and
    name. `partner_id` is the partner that all of them share already although they name two companies.
    """

    email: str
    bearers: tuple[str, ...]
    partner_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedPartner:
    """One ledger partner with at least one of our links, and the emails it shares with others."""

    partner_id: str
    links: tuple[str, ...]
    name: str
    email: str | None
    stripe_customer_id: str | None
    shared_emails: tuple[SharedEmail, ...] = ()
