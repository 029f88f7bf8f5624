"""Assigns each billing account to a ledger partner (rules A9 and A12).

    Alpha Dental and Beta Roofing, both billed at books@keeper.example -> two partners, one warning
    Maple at NexaCloud, Maple at Stripe under the same address         -> one partner

A link that leads to a partner decides, and is never moved. Only an account without such a link is
looked up by its email. It joins another account or partner only where that can't be a mistake: no two
accounts of one service have the email, at most one ledger partner has it, and no two companies are
named. The order of the accounts does not matter.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fcb_pipelines.core.codes import System
from fcb_pipelines.core.company.services import email_key
from fcb_pipelines.core.ledger.entries import Partner
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail
from fcb_pipelines.core.refs import account_name


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPartner:
    """One partner in the ledger: one of ours by its links, or one that a person made.

    `company` is the company that the ledger names for it; None for a person and where it names none.
    `within` is the id of the partner of which this one is a contact.
    """

    partner_id: str
    links: tuple[str, ...]
    name: str
    email: str | None
    company: str | None = None
    archived: bool = False
    within: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One ledger partner and its accounts; a `partner_id` of None is a partner to create.

    `links` are those to add. The accounts come in the order of their keys; an empty field is filled
    from the first account that has a value.
    """

    partner_id: str | None
    accounts: tuple[Partner, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerPlan:
    """Every partner with its accounts, and the emails that each account shares, by the account's key."""

    places: tuple[Place, ...]
    shared: Mapping[str, tuple[SharedEmail, ...]]


def company_key(name: str | None) -> str:
    """A company's name in the form for comparison: lower case, no punctuation, single spaces."""
    words = " ".join((name or "").casefold().split())
    plain = "".join(one for one in words if unicodedata.category(one)[0] not in "PC")
    return " ".join(plain.split()) or words


def rivals(wanted: Iterable[Partner], everyone: Iterable[Partner]) -> tuple[Partner, ...]:
    """The accounts of `everyone` that affect where the wanted accounts go, without the wanted ones.

    They have an email of the wanted, or name a source's customer to which a wanted account has a link.
    """
    wanted = tuple(wanted)
    keys = {each.key for each in wanted}
    emails = {email_key(each.email) for each in wanted} - {None}
    customers = {account_name(link).id for each in wanted for link in each.links}
    return tuple(
        each
        for each in everyone
        if each.key not in keys and (email_key(each.email) in emails or _named(each) & customers)
    )


def place(
    wanted: Iterable[Partner],
    existing: Iterable[LedgerPartner],
    others: Iterable[Partner] = (),
) -> PartnerPlan:
    """The plan that assigns each of the wanted accounts to a ledger partner.

    `existing` are the ledger's partners that have a link or an email of any account here. `others` are
    accounts that are not wanted now and may have the same emails (`rivals`): they are not assigned.
    """
    by_key = {each.key: each for each in wanted}
    register = _Register(existing, by_key, {each.key: each for each in others} | by_key)
    joined = [email for email in register.emails() if register.join(email)]
    shared: dict[str, list[SharedEmail]] = {key: [] for key in by_key}
    for email in register.emails():
        if email not in joined:
            for key, email_shared in register.sharers(email):
                shared[key].append(email_shared)
    return PartnerPlan(
        places=tuple(
            Place(
                partner_id=unit.existing.partner_id if unit.existing else None,
                accounts=tuple(unit.wanted),
                links=tuple(unit.added),
            )
            for unit in register.units
            if unit.wanted
        ),
        shared={key: tuple(found) for key, found in shared.items()},
    )


def each_once(found: Iterable[LinkedPartner]) -> tuple[LinkedPartner, ...]:
    """Every ledger partner once, with the emails that any of its accounts shares."""
    once: dict[str, LinkedPartner] = {}
    for one in found:
        known = once.get(one.partner_id, one)
        shared = tuple(dict.fromkeys((*known.shared_emails, *one.shared_emails)))
        once[one.partner_id] = replace(one, shared_emails=shared)
    return tuple(once.values())


@dataclass(slots=True, eq=False)
class _Unit:
    """One ledger partner while the plan is made, with the accounts assigned to it."""

    existing: LedgerPartner | None = None
    wanted: list[Partner] = field(default_factory=list)
    known: list[Partner] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def links(self) -> tuple[str, ...]:
        return (*(self.existing.links if self.existing else ()), *self.added)

    @property
    def services(self) -> set[str]:
        return {account_name(link).service for link in self.links}

    @property
    def accounts(self) -> list[Partner]:
        return [*self.wanted, *self.known]

    @property
    def emails(self) -> set[str]:
        emails = [*(each.email for each in self.accounts)]
        emails += [self.existing.email] if self.existing else []
        return {key for one in emails if (key := email_key(one))}

    def companies(self, email: str | None = None) -> set[str]:
        """The companies named for this partner; with `email` only by the accounts that have it.

        A partner that we made for an account that no longer exists counts by its name.
        """
        bearing = [e for e in self.accounts if email is None or email_key(e.email) == email]
        names = [each.company for each in bearing]
        if self.existing and email is None:
            forgotten = self.existing.links and not self.accounts
            names.append(self.existing.company or (self.existing.name if forgotten else None))
        return {key for name in names if (key := company_key(name))}

    def takes(self, account: Partner) -> bool:
        """Whether a link may lead this account here: this partner has no other account of its service."""
        own = account_name(account.key).service
        return all(account_name(link).service != own or link == account.key for link in self.links)


class _Register:
    """Every account and every ledger partner, joined first by link, then by email."""

    def __init__(
        self,
        existing: Iterable[LedgerPartner],
        wanted: Mapping[str, Partner],
        everyone: Mapping[str, Partner],
    ) -> None:
        self.units = [_Unit(each) for each in sorted(existing, key=lambda one: one.partner_id)]
        self._wanted = wanted
        self._by_link = {
            link: unit for unit in self.units if unit.existing for link in unit.existing.links
        }
        self._claims: dict[str, set[str]] = {}
        for each in everyone.values():
            for customer in _named(each):
                self._claims.setdefault(customer, set()).add(each.key)
        # Known keys come first: a free link goes to a known account before a new one.
        for key in sorted(everyone, key=lambda one: (one not in self._by_link, one)):
            self._put(everyone[key])
        self._by_email: dict[str, list[_Unit]] = {}
        for unit in self.units:
            for email in unit.emails:
                self._by_email.setdefault(email, []).append(unit)

    def emails(self) -> list[str]:
        """The emails of the wanted accounts."""
        return sorted({key for e in self._wanted.values() if (key := email_key(e.email))})

    def join(self, email: str) -> bool:
        """Join all partners with this email where that can't be a mistake; returns whether it was safe."""
        units = self._by_email[email]
        if len(units) < 2:
            return not self._two_companies(email)
        services = [service for unit in units for service in unit.services]
        existing = [unit for unit in units if unit.existing]
        companies = set[str]().union(*(unit.companies() for unit in units))
        if len(set(services)) < len(services) or len(existing) > 1 or len(companies) > 1:
            return False
        if any(unit.existing and unit.existing.archived for unit in existing):
            return False
        first = existing[0] if existing else next(unit for unit in units if unit.wanted)
        for unit in units:
            # An account that is not wanted is not assigned: it joins in its own run.
            if unit is not first and unit.wanted:
                self._merge(unit, first)
        return True

    def sharers(self, email: str) -> list[tuple[str, SharedEmail]]:
        """The shared email for the key of each wanted account that has it, with all who have it."""
        units = self._by_email[email]
        ours = {unit.existing.partner_id for unit in units if unit.existing and unit.accounts}
        bearers = []
        for unit in units:
            own = [each for each in unit.accounts if email_key(each.email) == email]
            bearers += [f"{each.key} ({each.name})" for each in own]
            # The contacts beneath a partner are that partner.
            if not own and unit.existing and unit.existing.within not in ours:
                bearers.append(f"ledger partner {unit.existing.partner_id} ({unit.existing.name})")
        if len(bearers) < 2:
            return []
        only = units[0].existing if len(units) == 1 else None
        shared = SharedEmail(
            email=email,
            bearers=tuple(sorted(bearers)),
            partner_id=only.partner_id if only else None,
        )
        keys = [e.key for unit in units for e in unit.wanted if email_key(e.email) == email]
        return [(key, shared) for key in sorted(keys)]

    def _put(self, account: Partner) -> None:
        # An account that is not wanted is not written, so only its own key counts.
        named = account.links if account.key in self._wanted else ()
        links = [link for link in dict.fromkeys((account.key, *named)) if self._may(account, link)]
        unit = self._by_link.get(account.key)
        if unit is None:
            led = (self._by_link[link] for link in links if link in self._by_link)
            unit = next((one for one in led if one.takes(account)), None)
        if unit is None:
            unit = _Unit()
            self.units.append(unit)
        if account.key in self._wanted:
            unit.wanted.append(account)
        else:
            unit.known.append(account)
        # A link that leads to another partner already is never moved: that would re-parent moves.
        fresh = [link for link in links if link not in self._by_link]
        unit.added += fresh
        self._by_link.update(dict.fromkeys(fresh, unit))

    def _may(self, account: Partner, link: str) -> bool:
        """Whether this account may have a link: not where only other accounts name that customer."""
        named = self._claims.get(account_name(link).id)
        return link == account.key or not named or account.key in named

    def _merge(self, unit: _Unit, into: _Unit) -> None:
        into.wanted += unit.wanted
        into.wanted.sort(key=lambda each: each.key)
        into.known += unit.known
        into.added += unit.added
        self.units.remove(unit)
        for email in unit.emails:
            self._by_email[email].remove(unit)
            if into not in self._by_email[email]:
                self._by_email[email].append(into)

    def _two_companies(self, email: str) -> bool:
        return any(len(unit.companies(email)) > 1 for unit in self._by_email[email])


def _named(account: Partner) -> set[str]:
    """The customer ids of a NexaCloud account at the sources; Lago uses the account's own id."""
    service, own = account_name(account.key)
    if service != System.NEXACLOUD:
        return set()
    named = (own, account.stripe_customer_id)
    return {one for one in named if one}
