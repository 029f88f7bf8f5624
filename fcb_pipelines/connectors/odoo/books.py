"""One company's prepared books in Odoo: what every call of the ledger asks of them first."""

import time
from collections.abc import Iterable
from datetime import date

from fcb_pipelines.connectors.failures import Busy, NotAllowed, NotPrepared
from fcb_pipelines.connectors.ledger import Writer
from fcb_pipelines.connectors.odoo.action import ActionIds, Batches, read_action
from fcb_pipelines.connectors.odoo.chart import Chart, read_chart
from fcb_pipelines.connectors.odoo.company import company_of, company_reads
from fcb_pipelines.connectors.odoo.connection import WHEN_ANOTHER_WRITES, OdooConnection
from fcb_pipelines.connectors.odoo.fields import SETUP
from fcb_pipelines.connectors.odoo.lookups import LookupReader
from fcb_pipelines.connectors.odoo.notes import Notes
from fcb_pipelines.connectors.odoo.rights import Right, daily_rights
from fcb_pipelines.connectors.stopping import sleep
from fcb_pipelines.core.company.settings import Settings

PATIENCE = 900.0
"""Seconds that a writer waits for another deployment."""

_ASKS_EVERY = 1.0

Dated = tuple[str, date, str]
"""(ref, day, currency) of something that is to be written."""


class Books:
    """The books of one company in Odoo, through one connection."""

    def __init__(
        self, connection: OdooConnection, settings: Settings, notes: Notes | None = None
    ) -> None:
        self._notes = notes
        self._odoo = connection
        self._settings = settings
        self._found: Chart | None = None
        self._may_write = False
        self._writer = Writer()

    @property
    def connection(self) -> OdooConnection:
        """The access to these books."""
        return self._odoo

    def begin_writing(self, writer: Writer) -> bool:
        """Write in this name; wait while another deployment does. Costs a call where one does, else none."""
        self._writer = writer
        if not writer.deployment:
            return False
        deadline = time.monotonic() + PATIENCE
        action = self._chart().action
        waited = False
        while action.writer and action.writer[0] != writer.deployment:
            waited = True
            writer.waits(action.writer[1])
            if time.monotonic() > deadline:
                raise Busy(
                    f"writing to Odoo database {self._odoo.database}",
                    f"{action.writer[1]} writes there, and did not end within {PATIENCE:.0f} s",
                    remedy=WHEN_ANOTHER_WRITES,
                )
            sleep(_ASKS_EVERY)
            action = read_action(self._odoo, self._actions())
        return waited

    def _rights(self) -> tuple[Right, ...]:
        """The rights of which it is asked whether the user has them.

        Once it lacks none, none: where one is taken away meanwhile, Odoo refuses the write itself, whole.
        """
        return () if self._may_write else daily_rights(cash=self._settings.cash is not None)

    def _chart(self) -> Chart:
        """The chart as last described. Raises NotPrepared without our fields or the server action."""
        if self._found is None:
            self._found = read_chart(self._odoo, self._settings)
        chart = self._found
        self._assert_has(chart, ("field", "server action"), cash=False)
        return chart

    def _assert_has(self, chart: Chart, kinds: tuple[str, ...], *, cash: bool) -> None:
        """Raises NotPrepared where a part of these kinds is missing, of cash alone or of the rest."""
        lacking = [part for part in chart.missing if part.what in kinds and part.cash == cash]
        if lacking:
            self._found = None
            named = ", ".join(f"{part.what} {part.name}" for part in lacking[:5])
            raise NotPrepared(
                f"opening Odoo database {self._odoo.database}",
                f"it lacks {named}",
                remedy=lacking[0].remedy,
            )

    def _assert_ours(self) -> None:
        """Raises NotPrepared where a server action was changed since the chart was read."""
        found = read_action(self._odoo, self._actions())
        if found.ids is None:
            raise NotPrepared(
                f"writing to Odoo database {self._odoo.database}",
                f"it lacks server action {found.fault}",
                remedy=SETUP,
            )

    def _actions(self) -> ActionIds:
        # A chart without them is refused.
        return self._chart().action.ids or ActionIds(reading=0, writing=0)

    def _batches(self) -> Batches:
        ids, tracking = self._actions(), self._settings.odoo.tracking
        return Batches(self._odoo, ids, tracking=tracking, writer=self._writer, notes=self._notes)

    def _lookups(self) -> LookupReader:
        return LookupReader(self._odoo, self._batches(), self._chart())

    def _assert_open(self, todo: Iterable[Dated], lock_name: str) -> None:
        """Raises NotAllowed for a date in a locked period, NotPrepared without the currency or a rate."""
        dated = list(todo)
        if not dated:
            return
        company = company_of(self._batches().read(company_reads(self._odoo.company)))
        lock: date | None = getattr(company, lock_name)
        for ref, day, currency in dated:
            if lock is not None and day <= lock:
                raise locked(f"writing {ref}", day.isoformat(), lock)
            if currency not in company.currencies:
                raise NotPrepared(
                    f"writing {ref}",
                    f"this Odoo does not hold {currency}",
                    remedy=f"activate the currency {currency} in Odoo and give it rates",
                )
            if not company.has_rate(currency, day):
                raise NotPrepared(
                    f"writing {ref}",
                    f"Odoo has no rate of {currency} on {day}",
                    remedy=f"a rate of {currency} on or before that day, in Odoo",
                )


def locked(tried: str, day: str, lock: date) -> NotAllowed:
    """The failure of writing on a day in a locked period."""
    return NotAllowed(tried, f"its date {day} lies in the period locked to {lock}")
