"""Partners in Odoo: created, filled in and linked by the plan of `core.documents.partners`.

A link is an external id, so it survives a merge that a person makes in Odoo.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from fcb_pipelines.connectors.odoo.action import Batches, xml_name
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.moves import in_pages
from fcb_pipelines.connectors.odoo.reading import id_of, text
from fcb_pipelines.core.company.services import email_key
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.documents.partner_fields import (
    COUNTRY,
    FIELDS,
    PROVINCE,
    fields_of,
    filling,
)
from fcb_pipelines.core.documents.partners import LedgerPartner, PartnerPlan, Place, place
from fcb_pipelines.core.ledger.entries import Partner
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail

PARTNER = "res.partner"
STRIPE_ID = "x_fc_stripe_customer_id"
# A field of a partner -> where Odoo keeps it.
_NAMED_OTHERWISE = {PROVINCE: "state_id", COUNTRY: "country_id", "stripe_customer_id": STRIPE_ID}
_COLUMNS = {name: _NAMED_OTHERWISE.get(name, name) for name in FIELDS}
_FIELDS = [
    *_COLUMNS.values(), "email_normalized", "commercial_company_name", "commercial_partner_id",
    "active",
]  # fmt: skip
_WRITTEN = ["write_date", *_FIELDS]

_ALL = {"active_test": False}


class Partners:
    """The partners of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, batches: Batches) -> None:
        self._odoo = odoo
        self._batches = batches

    def find(self, links: Collection[str]) -> dict[str, int]:
        """link -> id of the partners that exist."""
        found = self._batches.find(PARTNER, refs=list(dict.fromkeys(links)))
        return {link: partner for link, _, partner in found}

    def links(self, partners: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Partner id -> its links, in the order they came."""
        ids = sorted(set(partners) - {0})
        links: dict[int, tuple[str, ...]] = {}
        for link, _, partner in self._batches.find(PARTNER, ids=ids) if ids else ():
            links[partner] = (*links.get(partner, ()), link)
        return links

    def digest(self) -> str:
        """What differs once a partner, or a link of ours to one, is new, written or gone; in three calls.

        Odoo dates a write by its transaction's begin, so that of two the later may bear the earlier date: the
        last hundred count. It tells whole seconds, so of these what is read of a partner counts as well.
        """
        count = self._odoo.call(PARTNER, "search_count", [], context=_ALL)
        rows = self._odoo.call(
            PARTNER,
            "search_read",
            [],
            fields=_WRITTEN,
            order="write_date desc, id desc",
            limit=100,
            context=_ALL,
        )
        last = [[row["id"], *(row[name] for name in _WRITTEN)] for row in rows]
        return digest_of_json([count, last, sorted(self._batches.find(PARTNER))])

    def plan(self, partners: Sequence[Partner], others: Sequence[Partner]) -> PartnerPlan:
        """The plan: the Odoo partner that each of these takes, or a new one. Reads only."""
        rows: dict[int, Row] = {}
        accounts = [*partners, *others]
        for batch in in_pages(accounts):
            names = [link for each in batch for link in (each.key, *each.links)]
            rows |= {row["id"]: row for row in self._rows(set(self.find(names).values()), batch)}
        links = self.links(rows)
        return place(
            partners, [_found(row, links.get(key, ())) for key, row in rows.items()], others
        )

    def write(self, places: Sequence[Place]) -> None:
        """Create, fill in and link the partners of these places, in one transaction."""
        accounts = [account for place in places for account in place.accounts]
        known = [int(place.partner_id) for place in places if place.partner_id is not None]
        rows = {row["id"]: row for row in self._read([("id", "in", known)])} if known else {}
        countries = _Countries(self._odoo, accounts)
        new, changed = [], []
        for each in places:
            row = rows[int(each.partner_id)] if each.partner_id is not None else None
            values = _filled(row, [countries.values(account) for account in each.accounts])
            written = {"values": values, "names": [xml_name(link) for link in each.links]}
            if row is None:
                new.append(written)
            elif values or each.links:
                changed.append({"id": row["id"], **written})
        if new or changed:
            self._batches.run("partners", new=new, known=changed)

    def ledger_state(
        self, partners: Sequence[Partner], shared: Mapping[str, tuple[SharedEmail, ...]]
    ) -> tuple[LinkedPartner, ...]:
        """One partner for each of `partners`; `shared` has the emails that it shares, by its key."""
        found = self.find([partner.key for partner in partners])
        ids = sorted(set(found.values()))
        rows = {row["id"]: row for row in self._read([("id", "in", ids)])}
        links = self.links(ids)
        return tuple(
            LinkedPartner(
                partner_id=str(partner_id),
                links=links[partner_id],
                name=text(rows[partner_id]["name"]) or "",
                email=text(rows[partner_id]["email"]),
                stripe_customer_id=text(rows[partner_id][STRIPE_ID]),
                shared_emails=shared[key],
            )
            for key, partner_id in ((partner.key, found[partner.key]) for partner in partners)
        )

    def _rows(self, linked: Collection[int], partners: Sequence[Partner]) -> list[Row]:
        """Linked partners, archived or not, and partners with one of the emails."""
        by_link = self._read([("id", "in", sorted(linked))])
        emails = sorted({key for each in partners if (key := email_key(each.email))})
        by_email = self._odoo.rows(
            PARTNER,
            [("email_normalized", "in", emails),
             ("company_id", "in", [False, self._odoo.company])],
            _FIELDS,
        )  # fmt: skip
        return [*by_link, *by_email]

    def _read(self, domain: list[Any]) -> list[Row]:
        return self._odoo.rows(PARTNER, domain, _FIELDS, archived=True)


class _Countries:
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
        """The fields that have a value; country and province are ids where Odoo knows them."""
        country = self._countries.get((partner.country or "").lower())
        known = {
            COUNTRY: country,
            PROVINCE: self._states.get((country or 0, (partner.state or "").lower())),
        }
        return {name: value for name, value in (fields_of(partner) | known).items() if value}


def _found(row: Row, links: tuple[str, ...]) -> LedgerPartner:
    commercial = row["commercial_partner_id"]
    within = commercial[0] if commercial and commercial[0] != row["id"] else None
    return LedgerPartner(
        partner_id=str(row["id"]),
        links=links,
        name=text(row["name"]) or "",
        email=text(row["email_normalized"]),
        company=text(row["commercial_company_name"]),
        archived=not row["active"],
        within=str(within) if within else None,
    )


def _filled(row: Row | None, accounts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields to write to a partner, by Odoo's names; `row` is None for a new partner."""
    held: dict[str, Any] = {}
    if row is not None:
        held = {name: row[column] for name, column in _COLUMNS.items()}
        held |= {name: id_of(held[name]) for name in (COUNTRY, PROVINCE)}
    return {_COLUMNS[name]: value for name, value in filling(held, accounts).items()}
