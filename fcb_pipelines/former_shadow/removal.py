"""The metered shadow: what the dual run before this one left in Odoo, and what becomes of it.

It kept draft sale orders marked `x_fc_shadow` and products with codes `NC-…`. They are superseded and
may go, but nothing that a customer saw, a person confirmed or the books refer to goes with them.
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
    """What is to become of a record."""

    DELETE = "delete"
    ARCHIVE = "archive"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowOrder:
    """One sale order as Odoo holds it; `shadow` is its mark, `state` Odoo's word.

    `invoices` and `payments` count what hangs on it: a confirmed order that was set back to draft
    keeps them.
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
    """One record and what is to become of it; `model` is Odoo's, `name` what a person knows it by.

    `reason` says why it is not deleted, and is empty where it is.
    """

    model: str
    id: int
    name: str
    fate: Fate
    reason: str

    @property
    def key(self) -> Key:
        """Which record of Odoo it is."""
        return self.model, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """One record after the run: `outcome` is deleted, archived or left; in a dry run what it would be."""

    model: str
    name: str
    outcome: str
    reason: str


def plan(
    orders: Sequence[ShadowOrder], products: Sequence[ShadowProduct], keep: Collection[str] = ()
) -> tuple[Planned, ...]:
    """What is to become of each record, orders first; `keep` names orders and product codes to leave.

    A product counts as unused when the only orders it is on are deleted by the same plan.
    """
    decided = [_of_order(order, keep) for order in orders]
    going = {each.id for each in decided if each.fate is Fate.DELETE}
    return (*decided, *(_of_product(product, going, keep) for product in products))


def would_be(planned: Iterable[Planned]) -> tuple[Pruned, ...]:
    """A dry run's answer."""
    return tuple(
        _pruned(each, "left" if each.fate is Fate.LEAVE else f"would {each.fate.value}")
        for each in planned
    )


def outcomes(
    planned: Sequence[Planned], after: Sequence[Record], refused: Mapping[Key, str]
) -> tuple[Pruned, ...]:
    """What became of each planned record, told by what Odoo holds `after`, and of those that came since.

    `refused` has Odoo's words for what it would not do.
    """
    ledger_state = {(model_of(each), each.id): each for each in after}
    told = []
    for each in planned:
        now = ledger_state.pop(each.key, None)
        reason = refused.get(each.key) or each.reason
        if now is None:
            told.append(_pruned(each, "deleted", ""))
        elif isinstance(now, ShadowProduct) and not now.active and each.fate is not Fate.LEAVE:
            told.append(_pruned(each, "archived", reason))
        else:
            told.append(_pruned(each, "left", reason or "it changed while this ran"))
    new = (
        Pruned(model=model, name=_name(each), outcome="left", reason="it came while this ran")
        for (model, _), each in ledger_state.items()
    )
    return (*told, *new)


def model_of(record: Record) -> str:
    """Odoo's name of the model."""
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


def _of_product(product: ShadowProduct, going: set[int], keep: Collection[str]) -> Planned:
    if not product.code.startswith(PREFIX):
        return _planned(product, Fate.LEAVE, f"its code does not begin with {PREFIX}")
    if product.code in keep:
        return _planned(product, Fate.LEAVE, "the configuration of the run keeps it")
    staying = len(product.orders - going)
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
