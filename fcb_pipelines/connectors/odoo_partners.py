"""Partners in Odoo: known by their links, joined by email on first sight, filled in later.

A link is an external id, so it survives a merge that a person makes in Odoo. Nothing that a person
wrote is overwritten: only empty fields are filled.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fcb_pipelines.connectors.odoo_action import Batches, xml_name
from fcb_pipelines.connectors.odoo_connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo_reading import text
from fcb_pipelines.core.documents import Partner
from fcb_pipelines.core.standing import StandingPartner

PARTNER = "res.partner"
STRIPE_ID = "x_fc_stripe_customer_id"
_TEXTS = ("name", "email", "street", "city", "zip", "vat")
_FIELDS = [*_TEXTS, "state_id", "country_id", "email_normalized", STRIPE_ID]


@dataclass(slots=True)
class _Account:
    """A partner while a batch is worked in: what stands there and what comes to it."""

    row: Row | None
    values: dict[str, Any] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    def fill(self, values: Mapping[str, Any]) -> None:
        """Take what is still empty, here and in Odoo."""
        standing = self.row or {}
        # A province means nothing without its own country.
        foreign = standing.get("country_id") and "country_id" in values and (
            standing["country_id"][0] != values["country_id"]
        )  # fmt: skip
        for name, value in values.items():
            if not standing.get(name) and not (foreign and name == "state_id"):
                self.values.setdefault(name, value)


class Partners:
    """The partners of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, batches: Batches) -> None:
        self._odoo = odoo
        self._batches = batches

    def find(self, links: Collection[str]) -> dict[str, int]:
        """link -> partner id, of those that are there."""
        found = self._batches.find(PARTNER, refs=list(dict.fromkeys(links)))
        return {link: partner for link, _, partner in found}

    def links(self, partners: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Partner id -> its links, in the order they came."""
        ids = sorted(set(partners) - {0})
        links: dict[int, tuple[str, ...]] = {}
        for link, _, partner in self._batches.find(PARTNER, ids=ids) if ids else ():
            links[partner] = (*links.get(partner, ()), link)
        return links

    def upsert(self, partners: Sequence[Partner]) -> None:
        """Make, join, fill and link, in one transaction."""
        wanted = {link: None for partner in partners for link in (partner.key, *partner.links)}
        linked = self.find(list(wanted))
        places = _Places(self._odoo, partners)
        register = _Register(linked, self._rows(linked, partners))
        for partner in partners:
            register.put(partner, places.values(partner))
        new = [_written(each) for each in register.accounts if each.row is None]
        known = [
            {"id": each.row["id"], **_written(each)}
            for each in register.accounts
            if each.row is not None and (each.values or each.links)
        ]
        if new or known:
            self._batches.run("partners", new=new, known=known)

    def standing(self, partners: Sequence[Partner]) -> tuple[StandingPartner, ...]:
        """One standing partner for each of `partners`."""
        found = self.find([partner.key for partner in partners])
        ids = sorted(set(found.values()))
        rows = {row["id"]: row for row in self._read([("id", "in", ids)])}
        links = self.links(ids)
        return tuple(
            StandingPartner(
                partner_id=str(partner_id),
                links=links[partner_id],
                name=text(rows[partner_id]["name"]) or "",
                email=text(rows[partner_id]["email"]),
                stripe_customer_id=text(rows[partner_id][STRIPE_ID]),
            )
            for partner_id in (found[partner.key] for partner in partners)
        )

    def _rows(self, linked: Mapping[str, int], partners: Sequence[Partner]) -> list[Row]:
        """Those that are linked, archived or not, and those with one of the emails."""
        by_link = self._read([("id", "in", sorted(set(linked.values())))])
        emails = sorted({partner.email.lower() for partner in partners if partner.email})
        by_email = self._odoo.rows(
            PARTNER,
            [("email_normalized", "in", emails),
             ("company_id", "in", [False, self._odoo.company])],
            _FIELDS,
        )  # fmt: skip
        known = {row["id"] for row in by_link}
        return by_link + [row for row in by_email if row["id"] not in known]

    def _read(self, domain: list[Any]) -> list[Row]:
        return self._odoo.rows(PARTNER, domain, _FIELDS, archived=True)


class _Register:
    """Who is who, by link and by email, while a batch is worked in."""

    def __init__(self, linked: Mapping[str, int], rows: Sequence[Row]) -> None:
        by_id = {row["id"]: _Account(row) for row in rows}
        self.accounts = list(by_id.values())
        self._by_link = {link: by_id[each] for link, each in linked.items() if each in by_id}
        self._by_email: dict[str, _Account] = {}
        for account in sorted(self.accounts, key=lambda each: int((each.row or {})["id"])):
            email = (account.row or {})["email_normalized"]
            if email:
                self._by_email.setdefault(email, account)

    def put(self, partner: Partner, values: Mapping[str, Any]) -> None:
        """Find or make the partner, then fill and link it."""
        links = dict.fromkeys([partner.key, *partner.links])
        account = next((self._by_link[link] for link in links if link in self._by_link), None)
        email = (partner.email or "").lower()
        if account is None and email:
            account = self._by_email.get(email)
        if account is None:
            account = _Account(None)
            self.accounts.append(account)
            if email:
                self._by_email[email] = account
        account.fill(values)
        # A link that already leads to another partner is never moved: that would re-parent moves.
        fresh = [link for link in links if link not in self._by_link]
        account.links += fresh
        self._by_link.update(dict.fromkeys(fresh, account))


class _Places:
    """Countries and provinces of a batch, by code or by name."""

    def __init__(self, odoo: OdooConnection, partners: Sequence[Partner]) -> None:
        countries = sorted({partner.country for partner in partners if partner.country})
        rows = odoo.rows(
            "res.country",
            ["|", ("code", "in", [each.upper() for each in countries]), ("name", "in", countries)],
            ["code", "name"],
        )
        self._countries = {row["name"].lower(): row["id"] for row in rows}
        self._countries |= {row["code"].lower(): row["id"] for row in rows if row["code"]}
        states = odoo.rows(
            "res.country.state",
            [("country_id", "in", [row["id"] for row in rows])],
            ["code", "name", "country_id"],
        )
        self._states = {
            (row["country_id"][0], row[name].lower()): row["id"]
            for name in ("name", "code")
            for row in states
        }

    def values(self, partner: Partner) -> dict[str, Any]:
        """What Odoo is to hold of this partner; nothing that is empty."""
        values = {name: getattr(partner, name) for name in _TEXTS if getattr(partner, name)}
        country = self._countries.get((partner.country or "").lower())
        if country:
            values["country_id"] = country
        state = self._states.get((country or 0, (partner.state or "").lower()))
        if state:
            values["state_id"] = state
        if partner.stripe_customer_id:
            values[STRIPE_ID] = partner.stripe_customer_id
        return values


def _written(account: _Account) -> dict[str, Any]:
    return {"values": account.values, "names": [xml_name(link) for link in account.links]}
