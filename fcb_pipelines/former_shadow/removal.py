"""The rules for removing the metered shadow, the records that a former dual run left in Odoo.

They are draft sale orders marked `x_fc_shadow` and products with codes `NC-…`. The records are
superseded; one that a customer saw, a person confirmed or the books refer to is kept all the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "NC-"
DRAFT = "draft"
_STATES = {
    "sent": "it was sent to the customer",
    "sale": "it is confirmed",
    "cancel": "it is cancelled, and only drafts go",
}


class Fate(StrEnum):
    """The decision on a record."""

    DELETE = "delete"
    ARCHIVE = "archive"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowOrder:
    """One sale order as Odoo holds it; `shadow` is its mark, `state` Odoo's own.

    `invoices` and `payments` count its documents: a confirmed order that was set back to draft keeps
    them.
    """

    id: int
    name: str
    state: str
    shadow: bool
    locked: bool
    signed: bool
    invoices: int
    payments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowProduct:
    """One product variant as Odoo holds it.

    `orders` are the ids of the sale orders with a line of it, `journal_items` counts the lines of
    invoices and entries, posted or not.
    """

    id: int
    code: str
    active: bool
    orders: frozenset[int]
    journal_items: int


Record = ShadowOrder | ShadowProduct
Key = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One record and the decision on it; `model` is Odoo's, `name` the order's name or product's code.

    `reason` says why the record is not deleted; it is empty where it is.
    """

    model: str
    id: int
    name: str
    fate: Fate
    reason: str

    @property
    def key(self) -> Key:
        """The identity of the record in Odoo: model and id."""
        return self.model, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """One record after the run: `outcome` is deleted, archived or left, in a dry run `would …`."""

    model: str
    name: str
    outcome: str
    reason: str


def plan(
    orders: Sequence[ShadowOrder], products: Sequence[ShadowProduct], keep: Collection[str] = ()
) -> tuple[Planned, ...]:
    """The decision on each record, orders first; `keep` names orders and product codes to leave.

    A product counts as unused when the only orders it is on are deleted by the same plan.
    """
    decided = [_of_order(order, keep) for order in orders]
    deleted = {each.id for each in decided if each.fate is Fate.DELETE}
    return (*decided, *(_of_product(product, deleted, keep) for product in products))


def preview(planned: Iterable[Planned]) -> tuple[Pruned, ...]:
    """The report of a dry run, one entry a record."""
    return tuple(
        _pruned(each, "left" if each.fate is Fate.LEAVE else f"would {each.fate.value}")
        for each in planned
    )


def outcomes(
    planned: Sequence[Planned], after: Sequence[Record], refused: Mapping[Key, str]
) -> tuple[Pruned, ...]:
    """The report of a run: each planned record, then each record that is new since the plan.

    `after` are the records that Odoo still holds; `refused` gives Odoo's reason by record.
    """
    remaining = {(model_of(each), each.id): each for each in after}
    report = []
    for each in planned:
        now = remaining.pop(each.key, None)
        reason = refused.get(each.key) or each.reason
        if now is None:
            report.append(_pruned(each, "deleted", ""))
        elif isinstance(now, ShadowProduct) and not now.active and each.fate is not Fate.LEAVE:
            report.append(_pruned(each, "archived", reason))
        else:
            report.append(_pruned(each, "left", reason or "it changed while this ran"))
    new = (
        Pruned(model=model, name=_name(each), outcome="left", reason="it came while this ran")
        for (model, _), each in remaining.items()
    )
    return (*report, *new)


def model_of(record: Record) -> str:
    """The name of the record's model in Odoo."""
    return "sale.order" if isinstance(record, ShadowOrder) else "product.product"


def _of_order(order: ShadowOrder, keep: Collection[str]) -> Planned:
    reason = ""
    if order.name in keep:
        reason = "the configuration of the run keeps it"
    elif not order.shadow:
        reason = "it is not marked x_fc_shadow"
    elif order.state != DRAFT:
        reason = _STATES.get(order.state, f"its state is {order.state}, and only drafts go")
    elif order.locked or order.signed:
        reason = "it is locked" if order.locked else "the customer signed it"
    elif order.invoices or order.payments:
        reason = f"invoices of it: {order.invoices}, payments: {order.payments}"
    return _planned(order, Fate.LEAVE if reason else Fate.DELETE, reason)


def _of_product(product: ShadowProduct, deleted: set[int], keep: Collection[str]) -> Planned:
    if not product.code.startswith(PREFIX):
        return _planned(product, Fate.LEAVE, f"its code does not begin with {PREFIX}")
    if product.code in keep:
        return _planned(product, Fate.LEAVE, "the configuration of the run keeps it")
    staying = len(product.orders - deleted)
    if not staying and not product.journal_items:
        return _planned(product, Fate.DELETE, "")
    used = f"in use: sale orders that stay {staying}, journal items {product.journal_items}"
    if product.active:
        return _planned(product, Fate.ARCHIVE, used)
    return _planned(product, Fate.LEAVE, f"archived already, {used}")


def _planned(record: Record, fate: Fate, reason: str) -> Planned:
    return Planned(
        model=model_of(record), id=record.id, name=_name(record), fate=fate, reason=reason
    )


def _pruned(each: Planned, outcome: str, reason: str | None = None) -> Pruned:
    why = each.reason if reason is None else reason
    return Pruned(model=each.model, name=each.name, outcome=outcome, reason=why)


def _name(record: Record) -> str:
    return record.name if isinstance(record, ShadowOrder) else record.code
