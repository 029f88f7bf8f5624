"""The removal of the metered shadow from Odoo: draft sale orders `x_fc_shadow`, products `NC-…`.

It works in batches, with a constant number of calls each. Every batch is read and decided anew before it
is changed. Odoo itself refuses a record that is confirmed or in use; a refused batch is halved until
that record is found. A rerun goes on with the records that are left.
"""

from collections.abc import Collection, Sequence
from typing import Any

from fcb_pipelines.connectors.failures import NotAllowed, NotPrepared, PermanentFailure
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.moves import BATCH, PAGE, in_pages
from fcb_pipelines.former_shadow.removal import (
    PREFIX,
    Fate,
    Key,
    Planned,
    Pruned,
    ShadowOrder,
    ShadowProduct,
    outcomes,
    plan,
    preview,
)

ORDER, ORDER_LINE = "sale.order", "sale.order.line"
PRODUCT = "product.product"
MARK = "x_fc_shadow"
_ORDER_FIELDS = ["name", "state", MARK, "locked", "signed_by", "invoice_ids", "transaction_ids"]


class OdooShadow:
    """The shadow records of one company; `keep` has the order names and product codes to leave."""

    def __init__(self, odoo: OdooConnection, keep: Collection[str] = ()) -> None:
        self._odoo = odoo
        self._keep = frozenset(keep)

    def lacking(self) -> str | None:
        """The reason why this database can hold no shadow records, or None. It only reads."""
        database = f"Odoo database {self._odoo.database}, company {self._odoo.company}"
        try:
            fields = self._odoo.call(ORDER, "fields_get", [MARK], ["type"])
        except NotPrepared as failure:
            if ORDER not in failure.came_back:
                raise
            return f"{database} has no app Sales, so it holds no shadow orders"
        if MARK not in fields:
            return f"{database} has no field {ORDER}.{MARK}, so it holds no shadow orders"
        return None

    def dry_run(self) -> tuple[Pruned, ...]:
        """The report of a run that changes nothing."""
        return preview(self._plan())

    def prune(self) -> tuple[Pruned, ...]:
        """Delete or archive the records, read Odoo again and report each record.

        Raises NotAllowed, before any change, where this user may not delete.
        """
        self._assert_allowed()
        planned = self._plan()
        refused: dict[Key, str] = {}
        for batch in in_pages(_ids(planned, ORDER, Fate.DELETE), BATCH):
            orders = plan(self._orders(batch), (), self._keep)
            refused |= self._call_halving(ORDER, "unlink", _ids(orders, ORDER, Fate.DELETE))
        wanted = _ids(planned, PRODUCT, Fate.DELETE, Fate.ARCHIVE)
        for batch in in_pages(wanted, BATCH):
            # Decided anew: an order that is deleted by now uses no product any more.
            products = plan((), self._products(batch), self._keep)
            kept = self._call_halving(PRODUCT, "unlink", _ids(products, PRODUCT, Fate.DELETE))
            idle = [*_ids(products, PRODUCT, Fate.ARCHIVE), *(each for _, each in kept)]
            refused |= kept | self._call_halving(PRODUCT, "action_archive", idle)
        return outcomes(planned, (*self._orders(), *self._products()), refused)

    def _plan(self) -> tuple[Planned, ...]:
        return plan(self._orders(), self._products(), self._keep)

    def _orders(self, ids: Sequence[int] | None = None) -> tuple[ShadowOrder, ...]:
        """The marked orders of this company, or those of them with these ids."""
        domain = [("company_id", "=", self._odoo.company), (MARK, "!=", False)]
        return tuple(
            ShadowOrder(
                id=row["id"],
                name=str(row["name"]),
                state=str(row["state"]),
                shadow=bool(row[MARK]),
                locked=bool(row["locked"]),
                signed=bool(row["signed_by"]),
                invoices=len(row["invoice_ids"]),
                payments=len(row["transaction_ids"]),
            )
            for row in self._rows(ORDER, domain, _ORDER_FIELDS, ids)
        )

    def _products(self, ids: Sequence[int] | None = None) -> tuple[ShadowProduct, ...]:
        """The products `NC-…` that this company may use, archived ones too, with their uses."""
        domain = [
            ("company_id", "in", [False, self._odoo.company]),
            ("default_code", "=like", f"{PREFIX}%"),
        ]
        rows = self._rows(PRODUCT, domain, ["default_code", "active"], ids)
        orders: dict[int, set[int]] = {}
        items: dict[int, int] = {}
        for page in in_pages([row["id"] for row in rows]):
            for use in self._uses(ORDER_LINE, page, "order_id"):
                orders.setdefault(use["product_id"][0], set()).add(use["order_id"][0])
            for use in self._uses("account.move.line", page):
                items[use["product_id"][0]] = use["__count"]
        return tuple(
            ShadowProduct(
                id=row["id"],
                code=str(row["default_code"]),
                active=bool(row["active"]),
                orders=frozenset(orders.get(row["id"], ())),
                journal_items=items.get(row["id"], 0),
            )
            for row in rows
        )

    def _uses(self, model: str, products: Sequence[int], *by: str) -> list[Row]:
        found: list[Row] = self._odoo.call(
            model,
            "formatted_read_group",
            [("product_id", "in", list(products))],
            groupby=["product_id", *by],
            aggregates=["__count"],
        )
        return found

    def _rows(
        self, model: str, domain: list[Any], fields: list[str], ids: Sequence[int] | None
    ) -> list[Row]:
        if ids is None:
            found = self._odoo.rows(model, domain, ["id"], archived=True)
            ids = [row["id"] for row in found]
        return [
            row
            for page in in_pages(ids, PAGE)
            for row in self._odoo.rows(
                model, [*domain, ("id", "in", list(page))], fields, archived=True
            )
        ]

    def _call_halving(self, model: str, method: str, ids: Sequence[int]) -> dict[Key, str]:
        """Call the method for all ids; where Odoo refuses, for each half, down to one record.

        The refused records with Odoo's reasons come back.
        """
        if not ids:
            return {}
        try:
            self._odoo.call(model, method, list(ids))
        except NotAllowed:
            raise
        except PermanentFailure as failure:
            if len(ids) == 1:
                return {(model, ids[0]): f"Odoo refused: {failure.came_back}"}
            middle = len(ids) // 2
            return self._call_halving(model, method, ids[:middle]) | self._call_halving(
                model, method, ids[middle:]
            )
        return {}

    def _assert_allowed(self) -> None:
        for model in (ORDER, PRODUCT):
            if not self._odoo.call(model, "has_access", [], "unlink"):
                raise NotAllowed(
                    f"pruning Odoo database {self._odoo.database}",
                    f"this user may not delete records of {model}; nothing was done",
                    remedy="run it as a user with the rights of Sales / Administrator",
                )


def _ids(planned: Sequence[Planned], model: str, *fates: Fate) -> list[int]:
    return [each.id for each in planned if each.model == model and each.fate in fates]
