"""What the last runs found, read from their frames: plans, customers, partners and documents of a service."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import dagster as dg

from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.company.services import CataloguePlan, ServiceCustomer
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.intake.identity import Account
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState
from fcb_pipelines.core.ledger.partners import LinkedPartner
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.core.metering.service_rows import nexacloud_customers, service_customers
from fcb_pipelines.defs.metering.tables import Tables
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.partitions import periods

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDocument:
    """One document of a service: its disposition, its move in the ledger, and the service's own claim.

    A document that is not posted here has no disposition but its row of the index.
    """

    disposition: Disposition | None
    move: LedgerMove | None
    claim: Invoiced | None
    listed: IndexRow | None = None

    @property
    def ref(self) -> str:
        """Its ref."""
        known = self.disposition or self.claim
        return known.ref if known else ""

    @property
    def order(self) -> tuple[str, str]:
        """Documents come by date and ref, those without a date first."""
        known = self.disposition or self.claim
        return str(known.date or "") if known else "", self.ref


class Verified:
    """The frames of one dataset. A file is read once, as long as it stays as it is."""

    def __init__(self, frames: FrameStore, settings: Settings) -> None:
        self._frames = FrameStore(frames.root, once=True)
        self._settings = settings

    def plans(self, service: str) -> list[CataloguePlan]:
        """The plans of the service, by id; none before the first extract."""
        rows = self._rows(keys.PLAN_CATALOG, CataloguePlan)
        return sorted((row for row in rows if row.service == service), key=lambda row: row.plan_id)

    def documents(self, service: str) -> list[VerifiedDocument]:
        """Every document of the service, by date and ref."""
        claims = {
            row.ref: row
            for row in self._rows(keys.INVOICED_DOCUMENTS, Invoiced)
            if row.service == service
        }
        if service == self._settings.service:
            found = [
                VerifiedDocument(disposition=row, move=move, claim=claims.get(row.ref))
                for row, move in self._members()
            ]
        else:
            listed = {row.ref: row for row in self._index() if row.ref in claims}
            found = [
                VerifiedDocument(disposition=None, move=None, claim=claim, listed=listed[ref])
                for ref, claim in claims.items()
                if ref in listed
            ]
        return sorted(found, key=lambda one: one.order)

    def accounts(self) -> list[Account]:
        """The customers of all services as tables have them; none before the first extract."""
        users = self._frames.read(keys.USERS.path)
        own = []
        if users is not None:
            rows = Tables({"users": users}).rows("users")
            companies = {row["id"]: row["company"] for row in rows}
            own = [
                Account(customer=one, company=companies[one.id])
                for one in nexacloud_customers(rows, self._settings.service)
            ]
        table = self._frames.read(["nexacloud", "service_customers"])
        if table is None:
            return own
        known = self._settings.other_services - self._settings.by_intake("customers")
        others: tuple[ServiceCustomer, ...] = service_customers(
            Tables({"service_customers": table}).of_services("service_customers", known)
        )
        return [*own, *(Account(customer=one) for one in others)]

    def partners(self) -> dict[str, LinkedPartner]:
        """The ledger's partners by each of their links, as the newest built month has them."""
        found: dict[str, LinkedPartner] = {}
        for period in periods():
            for row in self._rows(keys.PARTNERS, LinkedPartner, period):
                found |= dict.fromkeys(row.links, row)
        return found

    def _members(self) -> Iterator[tuple[Disposition, LedgerMove | None]]:
        """Every disposition with the document's move as last read back."""
        for period in periods():
            rows = self._rows(keys.DISPOSITIONS, Disposition, period)
            states = self._rows(keys.SETTLEMENTS, LedgerState, period) or self._rows(
                keys.STANDING, LedgerState, period
            )
            moves = {one.ref: one.move for one in states if not one.elsewhere}
            yield from ((row, moves.get(row.ref)) for row in rows)
        for row in self._rows(keys.UNPLACED, Disposition):
            yield row, None

    def _index(self) -> Iterator[IndexRow]:
        for name in keys.SOURCES:
            yield from self._rows(keys.source_key(name, "index"), IndexRow)

    def _rows(
        self, key: dg.AssetKey, row_type: type[Row], period: str | None = None
    ) -> tuple[Row, ...]:
        frame: Any = self._frames.read(key.path, period)
        return () if frame is None or frame.empty else to_rows(frame, row_type)
