"""The accounts, partners and journals of a page of Odoo's records, fetched at once to read them."""

from collections.abc import Iterable, Mapping

from fcb_pipelines.connectors.odoo.action import Batches
from fcb_pipelines.connectors.odoo.chart import Chart
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.partners import Partners
from fcb_pipelines.connectors.odoo.reading import Lookups
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.settlements.routes import route


class LookupReader:
    """Looks up the accounts, journals and partners of records of one company."""

    def __init__(self, odoo: OdooConnection, batches: Batches, chart: Chart) -> None:
        self._odoo = odoo
        self._batches = batches
        self._chart = chart

    def of(self, rows: Iterable[Row], lines: Iterable[Row]) -> Lookups:
        """The values needed to read these moves and lines, in two calls."""
        partners = [row["partner_id"][0] for row in rows if row["partner_id"]]
        accounts = [line["account_id"][0] for line in lines if line["account_id"]]
        return Lookups(
            chart=self._chart,
            accounts=self.account_codes(accounts),
            links=Partners(self._odoo, self._batches).links(partners),
            families=self._chart.families(),
            journals=self._methods(),
        )

    def account_codes(self, ids: Iterable[int]) -> Mapping[int, str]:
        """Account id -> code, archived accounts too."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        rows = self._odoo.rows("account.account", [("id", "in", wanted)], ["code"], archived=True)
        return {row["id"]: row["code"] or "" for row in rows}

    def _methods(self) -> dict[int, tuple[Method, ...]]:
        """Journal id -> the methods whose entries are in that journal."""
        found: dict[int, tuple[Method, ...]] = {}
        for method in Method:
            if method is Method.CREDIT_NOTE:
                continue
            row = self._chart.journals.get(route(method, self._chart.settings).journal)
            if row is not None:
                found[row["id"]] = (*found.get(row["id"], ()), method)
        return found
