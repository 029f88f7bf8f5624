"""Who is who: which ledger partner each billing account takes (rules A9 and A12).

    Alpha Dental and Beta Roofing, both billed at books@keeper.example -> two partners, one warning
    Maple at NexaCloud, Maple at Stripe under the same address         -> one partner

A link decides wherever it leads to a partner, and is never moved. Only an account that no link leads
anywhere is looked up by its email, and joins only where that can't be a mistake: no two accounts of
one service bear the email, at most one ledger partner does, and no two companies are named. The
answer is the same in whatever order the accounts come.
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
    """One partner as the ledger holds it: one of ours by its links, or one that a person made.

    `company` is what the ledger itself calls a company; None for a person and where it does not say.
    `within` is the partner that this one is a contact of.
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
    """One ledger partner that accounts take: `partner_id` stands already, None is to be made.

    `links` are those to add. The accounts come in the order of their keys; the first one that has a
    value gives it.
    """

    partner_id: str | None
    accounts: tuple[Partner, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerPlan:
    """Every place that the accounts take, and by an account's key the emails that it shares."""

    places: tuple[Place, ...]
    shared: Mapping[str, tuple[SharedEmail, ...]]


def company_key(name: str | None) -> str:
    """A company's name as it is compared: no case, no punctuation, single spaces."""
    words = " ".join((name or "").casefold().split())
    plain = "".join(one for one in words if unicodedata.category(one)[0] not in "PC")
    return " ".join(plain.split()) or words


def rivals(wanted: Iterable[Partner], everyone: Iterable[Partner]) -> tuple[Partner, ...]:
    """Those of `everyone` who matter to where the wanted go, the wanted themselves left out.

    They bear an email of the wanted, or name a source's customer that one of the wanted has a link to.
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
    ledger_state: Iterable[LedgerPartner],
    others: Iterable[Partner] = (),
) -> PartnerPlan:
    """Which ledger partner each of the wanted accounts takes.

    `standing` are the ledger's partners that have a link or an email of anybody here, `others` the
    accounts that are not wanted now and may bear the same emails (`rivals`): they are placed nowhere.
    """
    by_key = {each.key: each for each in wanted}
    register = _Register(ledger_state, by_key, {each.key: each for each in others} | by_key)
    joined = [email for email in register.emails() if register.join(email)]
    shared: dict[str, list[SharedEmail]] = {key: [] for key in by_key}
    for email in register.emails():
        if email not in joined:
            for key, told in register.told(email):
                shared[key].append(told)
    return PartnerPlan(
        places=tuple(
            Place(
                partner_id=unit.ledger_state.partner_id if unit.ledger_state else None,
                accounts=tuple(unit.wanted),
                links=tuple(unit.added),
            )
            for unit in register.units
            if unit.wanted
        ),
        shared={key: tuple(told) for key, told in shared.items()},
    )


def each_once(found: Iterable[LinkedPartner]) -> tuple[LinkedPartner, ...]:
    """Every ledger partner once, with what all of its accounts share."""
    once: dict[str, LinkedPartner] = {}
    for one in found:
        known = once.get(one.partner_id, one)
        shared = tuple(dict.fromkeys((*known.shared_emails, *one.shared_emails)))
        once[one.partner_id] = replace(one, shared_emails=shared)
    return tuple(once.values())


@dataclass(slots=True, eq=False)
class _Unit:
    """One ledger partner while the plan is made, with the accounts that are it."""

    ledger_state: LedgerPartner | None = None
    wanted: list[Partner] = field(default_factory=list)
    known: list[Partner] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def links(self) -> tuple[str, ...]:
        return (*(self.ledger_state.links if self.ledger_state else ()), *self.added)

    @property
    def services(self) -> set[str]:
        return {account_name(link).service for link in self.links}

    @property
    def accounts(self) -> list[Partner]:
        return [*self.wanted, *self.known]

    @property
    def emails(self) -> set[str]:
        told = [*(each.email for each in self.accounts)]
        told += [self.ledger_state.email] if self.ledger_state else []
        return {key for one in told if (key := email_key(one))}

    def companies(self, email: str | None = None) -> set[str]:
        """The companies it is said to be; with `email` by the accounts alone that bear it.

        Of a partner that we made for an account nobody knows any more, the name counts as one.
        """
        bearing = [e for e in self.accounts if email is None or email_key(e.email) == email]
        names = [each.company for each in bearing]
        if self.ledger_state and email is None:
            forgotten = self.ledger_state.links and not self.accounts
            names.append(
                self.ledger_state.company or (self.ledger_state.name if forgotten else None)
            )
        return {key for name in names if (key := company_key(name))}

    def takes(self, account: Partner) -> bool:
        """Whether a link may lead this account here: no other account of its service is here."""
        own = account_name(account.key).service
        return all(account_name(link).service != own or link == account.key for link in self.links)


class _Register:
    """Every account and every ledger partner, first by link, then by email."""

    def __init__(
        self,
        ledger_state: Iterable[LedgerPartner],
        wanted: Mapping[str, Partner],
        everyone: Mapping[str, Partner],
    ) -> None:
        self.units = [_Unit(each) for each in sorted(ledger_state, key=lambda one: one.partner_id)]
        self._wanted = wanted
        self._by_link = {
            link: unit
            for unit in self.units
            if unit.ledger_state
            for link in unit.ledger_state.links
        }
        self._claims: dict[str, set[str]] = {}
        for each in everyone.values():
            for customer in _named(each):
                self._claims.setdefault(customer, set()).add(each.key)
        # Keys that stand come first: a link that nobody has yet is theirs before a newcomer's.
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
        """Make one of all that bear this email, where that can't be a mistake; whether it can't."""
        units = self._by_email[email]
        if len(units) < 2:
            return not self._two_companies(email)
        services = [service for unit in units for service in unit.services]
        ledger_state = [unit for unit in units if unit.ledger_state]
        companies = set[str]().union(*(unit.companies() for unit in units))
        if len(set(services)) < len(services) or len(ledger_state) > 1 or len(companies) > 1:
            return False
        if any(unit.ledger_state and unit.ledger_state.archived for unit in ledger_state):
            return False
        first = ledger_state[0] if ledger_state else next(unit for unit in units if unit.wanted)
        for unit in units:
            # Who is not wanted is not placed: it joins when its own turn comes.
            if unit is not first and unit.wanted:
                self._merge(unit, first)
        return True

    def told(self, email: str) -> list[tuple[str, SharedEmail]]:
        """By the key of each wanted account that bears this email: who else does."""
        units = self._by_email[email]
        ours = {
            unit.ledger_state.partner_id for unit in units if unit.ledger_state and unit.accounts
        }
        bearers = []
        for unit in units:
            own = [each for each in unit.accounts if email_key(each.email) == email]
            bearers += [f"{each.key} ({each.name})" for each in own]
            # The contacts beneath a partner are that partner.
            if not own and unit.ledger_state and unit.ledger_state.within not in ours:
                bearers.append(
                    f"ledger partner {unit.ledger_state.partner_id} ({unit.ledger_state.name})"
                )
        if len(bearers) < 2:
            return []
        only = units[0].ledger_state if len(units) == 1 else None
        shared = SharedEmail(
            email=email,
            bearers=tuple(sorted(bearers)),
            partner_id=only.partner_id if only else None,
        )
        keys = [e.key for unit in units for e in unit.wanted if email_key(e.email) == email]
        return [(key, shared) for key in sorted(keys)]

    def _put(self, account: Partner) -> None:
        # Who is not wanted is written nowhere, so only its own key stands for it.
        told = account.links if account.key in self._wanted else ()
        links = [link for link in dict.fromkeys((account.key, *told)) if self._may(account, link)]
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
        """Whether a source's customer is this account's: others may have named it as their own."""
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
    """The ids that a NexaCloud account has at the sources: Lago knows it by its own."""
    service, own = account_name(account.key)
    if service != System.NEXACLOUD:
        return set()
    named = (own, account.stripe_customer_id)
    return {one for one in named if one}
