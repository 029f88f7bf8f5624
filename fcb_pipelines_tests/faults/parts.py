"""What a bookkeeper does to the parts of Odoo that every document needs, while months are written.

In one world each month meets one of them. It stops, or holds its documents, and says so; or its documents stand
as billed all the same. Then the bookkeeper takes it back, or does what is printed, and a sync makes up for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fcb_pipelines.core.refs import ACTION_REF
from fcb_pipelines_tests.defs.world import PERIODS, World
from fcb_pipelines_tests.faults.bench import Bench
from fcb_pipelines_tests.faults.books import Stand, damage, moves_in, stand
from fcb_pipelines_tests.faults.result import Result

Undo = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """One part changed by `do`, which gives what takes it back. `harmless`: nothing needs to be told."""

    name: str
    do: Callable[[World], Undo]
    harmless: bool = False


def _do(world: World, model: str, method: str, *arguments: Any, **options: Any) -> Any:
    assert world.odoo is not None
    return world.odoo.do(model, method, *arguments, **options)


def _changed(world: World, model: str, record: int, **values: Any) -> Undo:
    """Change a record; the call that gives it its former values back."""
    (before,) = _do(world, model, "read", [record], list(values))
    before = {name: one[0] if isinstance(one, list) else one for name, one in before.items()}
    _do(world, model, "write", [record], values)
    return lambda: _do(world, model, "write", [record], {name: before[name] for name in values})


def _the_line(world: World) -> dict[str, Any]:
    """A line of an invoice of ours that is posted, with its account, taxes and journal."""
    found = [("move_id.x_fc_source_ref", "!=", False), ("display_type", "=", "product"),
             ("tax_ids", "!=", False)]  # fmt: skip
    fields = ["account_id", "tax_ids", "journal_id", "partner_id"]
    rows = _do(world, "account.move.line", "search_read", found, fields=fields, order="id", limit=1)
    return dict(rows[0])


def _stripe_journal(world: World) -> int:
    (journal,) = _do(world, "account.journal", "search", [("code", "=", "NCSTR")])
    return int(journal)


def _account_archived(world: World) -> Undo:
    return _changed(world, "account.account", _the_line(world)["account_id"][0], active=False)


def _account_with_another_code(world: World) -> Undo:
    return _changed(world, "account.account", _the_line(world)["account_id"][0], code="499999")


def _journal_archived(world: World) -> Undo:
    return _changed(world, "account.journal", _stripe_journal(world), active=False)


def _invoice_journal_archived(world: World) -> Undo:
    return _changed(world, "account.journal", _the_line(world)["journal_id"][0], active=False)


def _journal_renamed(world: World) -> Undo:
    return _changed(world, "account.journal", _stripe_journal(world), code="CARDS", name="Cards")


def _tax_with_another_rate(world: World) -> Undo:
    return _changed(world, "account.tax", _the_line(world)["tax_ids"][0], amount=12.0)


def _tax_archived(world: World) -> Undo:
    return _changed(world, "account.tax", _the_line(world)["tax_ids"][0], active=False)


def _lock(world: World, name: str) -> Undo:
    (company,) = _do(world, "res.company", "search", [])
    return _changed(world, "res.company", company, **{name: "2026-05-31"})


def _entries_locked(world: World) -> Undo:
    return _lock(world, "fiscalyear_lock_date")


def _sales_locked(world: World) -> Undo:
    return _lock(world, "sale_lock_date")


def _action(world: World) -> int:
    """The one that writes."""
    named = [("module", "=", "fcb_pipelines"), ("name", "=", ACTION_REF)]
    (row,) = _do(world, "ir.model.data", "search_read", named, fields=["res_id"])
    return int(row["res_id"])


def _action_edited(world: World) -> Undo:
    """A check of it is taken out."""
    action = _action(world)
    (row,) = _do(world, "ir.actions.server", "read", [action], ["code"])
    code = row["code"].replace(
        "if move.state != 'posted' or str(move.date) != row[1]:", "if False:"
    )
    assert code != row["code"]
    _do(world, "ir.actions.server", "write", [action], {"code": code})
    return lambda: world.ledger.setup()


def _action_deleted(world: World) -> Undo:
    _do(world, "ir.actions.server", "unlink", [_action(world)])
    return lambda: world.ledger.setup()


def _rate_changed(world: World) -> Undo:
    """The rate of a currency that none of these documents has."""
    (currency,) = _do(world, "res.currency", "search", [("name", "=", "USD")])
    rates = [("currency_id", "=", currency)]
    (rate, *_) = _do(world, "res.currency.rate", "search", rates)
    return _changed(world, "res.currency.rate", rate, rate=2.0)


def _customers_merged(world: World) -> Undo:
    """Two of our customers become one; nobody takes that back."""
    first = _the_line(world)["partner_id"][0]
    others = [("partner_id", "!=", first), ("x_fc_source_ref", "!=", False)]
    (row, *_) = _do(world, "account.move", "search_read", others, fields=["partner_id"], order="id")
    model = "base.partner.merge.automatic.wizard"
    values = {"partner_ids": [(6, 0, [first, row["partner_id"][0]])], "dst_partner_id": first,
              "state": "selection"}  # fmt: skip
    (wizard,) = _do(world, model, "create", [values])
    _do(world, model, "action_merge", [wizard])
    return lambda: None


TAMPERINGS = (
    Tampering(name="the income account is archived", do=_account_archived),
    Tampering(name="the journal of Stripe's payments is archived", do=_journal_archived),
    Tampering(name="the server action loses a check", do=_action_edited),
    Tampering(name="the income account gets another code", do=_account_with_another_code),
    Tampering(name="the journal of Stripe's payments is renamed", do=_journal_renamed, harmless=True),
    Tampering(name="the rate of the tax is changed", do=_tax_with_another_rate),
    Tampering(name="the lock date for everything is moved", do=_entries_locked),
    Tampering(name="the server action is deleted", do=_action_deleted),
    Tampering(name="the journal of the invoices is archived", do=_invoice_journal_archived),
    Tampering(name="the tax is archived", do=_tax_archived),
    Tampering(name="the lock date for sales is moved", do=_sales_locked),
    Tampering(name="a rate of another currency is changed", do=_rate_changed, harmless=True),
    Tampering(name="two customers of ours are merged", do=_customers_merged, harmless=True),
)  # fmt: skip


def tampered(bench: Bench, some: Sequence[Tampering] = TAMPERINGS) -> Iterator[Result]:
    """As many worlds as it takes: the first month of each stands before, each later one meets one."""
    a_world = len(PERIODS) - 1
    for first in range(0, len(some), a_world):
        yield from _one_world(bench, some[first : first + a_world])


def _one_world(bench: Bench, some: Sequence[Tampering]) -> Iterator[Result]:
    undisturbed = bench.undisturbed
    silent = []
    with bench.world() as world:
        assert world.extract().success
        assert world.month(PERIODS[0], post=True).success
        for period, one in zip(PERIODS[1:], some, strict=False):
            undo = one.do(world)
            told = not world.month(period, post=True).success or _listed(world, undisturbed, period)
            silent.append(not told and bool(_wrong(world, undisturbed, period)))
            undo()
            # What needs nobody's hand is no reason to list anything.
            if one.harmless:
                silent[-1] = silent[-1] or told
        world.again(PERIODS)
        world.months([], post=True)
        world.prove()
        found = damage(undisturbed, stand(world))
    for one, untold in zip(some, silent, strict=False):
        yield Result(
            fault=f"a bookkeeper: {one.name}",
            ledger=bench.ledger,
            met=1,
            damage=found,
            silent=int(untold),
        )


def _refs(undisturbed: Stand, period: str) -> list[str]:
    documents = undisturbed.status["documents"]
    return [one["ref"] for one in documents if one["period"] == period]


def _listed(world: World, undisturbed: Stand, period: str) -> bool:
    """Whether the status says more of the month's documents than in undisturbed books."""
    wanted = set(_refs(undisturbed, period))

    def said(status: Any) -> dict[str, Any]:
        return {
            one["ref"]: (one["reason"], sorted(one["exceptions"]))
            for one in status["documents"]
            if one["ref"] in wanted
        }

    return said(world.status()) != said(undisturbed.status)


def _wrong(world: World, undisturbed: Stand, period: str) -> list[str]:
    """The month's documents that do not stand as in undisturbed books."""
    now = moves_in(world)
    return [ref for ref in _refs(undisturbed, period) if now.get(ref) != undisturbed.moves.get(ref)]
