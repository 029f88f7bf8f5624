"""What stands in books, as far as a fault could have changed it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fcb_pipelines_tests.defs.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """The books after a close: each entry by its ref, how many entries there are, and the status.

    A move is its state, content hash, residual and payment state; a settlement its state, hash and how
    much of it is matched.
    """

    moves: Mapping[str, tuple[Any, ...]]
    settlements: Mapping[str, tuple[Any, ...]]
    balance: tuple[Any, ...]
    entries: int
    status: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """The difference of books that met a fault from undisturbed ones; all zero where there is none."""

    lost: int
    doubled: int
    half_paid: int
    otherwise: int

    @property
    def none(self) -> bool:
        """Whether the books are the same."""
        return not (self.lost or self.doubled or self.half_paid or self.otherwise)


def moves_in(world: World) -> dict[str, tuple[Any, ...]]:
    """Every move of ours in this world, as a `Stand` has it."""
    return {
        one.ref: (one.state, one.stored_hash, one.payment_state, one.residual)
        for one in world.ledger.read_moves()
    }


def stand(world: World) -> Stand:
    """What stands in this world now."""
    ledger = world.ledger
    settlements = {
        one.ref: (one.state, one.stored_hash, one.reconciled) for one in ledger.read_settlements()
    }
    return Stand(
        moves=moves_in(world),
        settlements=settlements,
        balance=ledger.trial_balance(),
        entries=_entries(world),
        status=world.status(),
    )


def damage(undisturbed: Stand, found: Stand) -> Damage:
    """What is other than in undisturbed books."""
    lost = len(undisturbed.moves.keys() - found.moves.keys())
    lost += len(undisturbed.settlements.keys() - found.settlements.keys())
    more = len(found.moves.keys() - undisturbed.moves.keys())
    more += len(found.settlements.keys() - undisturbed.settlements.keys())
    doubled = max(more, found.entries - undisturbed.entries, 0)
    half = [
        ref
        for ref, move in undisturbed.moves.items()
        if ref in found.moves and found.moves[ref][2:] != move[2:]
    ]
    half += [
        ref
        for ref, one in undisturbed.settlements.items()
        if ref in found.settlements and found.settlements[ref] != one
    ]
    other = [
        ref
        for ref, move in undisturbed.moves.items()
        if ref in found.moves and found.moves[ref][:2] != move[:2]
    ]
    others = len(other) + (found.balance != undisturbed.balance)
    others += told(found) != told(undisturbed)
    return Damage(lost=lost, doubled=doubled, half_paid=len(half), otherwise=others)


def told(found: Stand) -> Any:
    """The status without what differs from run to run."""
    return {name: found.status[name] for name in ("periods", "gates", "documents", "totals")}


def _entries(world: World) -> int:
    if world.odoo is None:
        counts = Counter(
            name
            for name, text in world.books_text().items()
            for _ in range(text.count("external_id:"))
        )
        return sum(counts.values())
    return sum(
        world.odoo.do(model, "search_count", [])
        for model in ("account.move", "account.payment", "res.partner", "account.partial.reconcile")
    )
