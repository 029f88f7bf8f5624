"""What a bookkeeper does in a real Odoo to what was posted: told or harmless, never overwritten or doubled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fcb_pipelines_tests.defs.world import PERIODS, named, ref_of
from fcb_pipelines_tests.faults.bench import Bench
from fcb_pipelines_tests.faults.books import Damage
from fcb_pipelines_tests.faults.result import Result
from fcb_pipelines_tests.odoo_server import OdooBooks

Do = Callable[[OdooBooks, int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference:
    """One thing done to one posted invoice, and whether the next sync must tell it beside that invoice."""

    name: str
    number: str
    do: Do
    told: bool = True


def _lines(books: OdooBooks, move: int, kind: str) -> list[int]:
    found = [("move_id", "=", move), ("display_type", "=", kind)]
    return [int(line) for line in books.do("account.move.line", "search", found)]


def _another_number(books: OdooBooks, move: int) -> object:
    return books.do("account.move", "write", [move], {"ref": "ANOTHER"})


def _another_text(books: OdooBooks, move: int) -> object:
    (line, *_) = _lines(books, move, "product")
    return books.do("account.move.line", "write", [line], {"name": "Another text"})


def _to_draft(books: OdooBooks, move: int) -> object:
    return books.do("account.move", "button_draft", [move])


def _deleted(books: OdooBooks, move: int) -> object:
    books.do("account.move", "button_draft", [move])
    return books.do("account.move", "unlink", [move])


def _ref_cleared(books: OdooBooks, move: int) -> object:
    return books.do("account.move", "write", [move], {"x_fc_source_ref": False})


def _paid_twice(books: OdooBooks, move: int) -> object:
    """Our payment unmatched, and one of the bookkeeper's own in its place."""
    books.do("account.move.line", "remove_move_reconcile", _lines(books, move, "payment_term"))
    context = {"active_model": "account.move", "active_ids": [move]}
    wizard = books.do("account.payment.register", "create", [{}], context=context)
    return books.do("account.payment.register", "action_create_payments", wizard, context=context)


def _a_note(books: OdooBooks, move: int) -> object:
    values = {"move_id": move, "display_type": "line_note", "name": "Seen."}
    return books.do("account.move.line", "create", [values])


def _partner_of(books: OdooBooks, move: int) -> int:
    (row,) = books.do("account.move", "read", [move], ["partner_id"])
    return int(row["partner_id"][0])


def _partner_renamed(books: OdooBooks, move: int) -> object:
    return books.do("res.partner", "write", [_partner_of(books, move)], {"name": "Renamed Inc."})


def _partner_archived(books: OdooBooks, move: int) -> object:
    return books.do("res.partner", "write", [_partner_of(books, move)], {"active": False})


INTERFERENCES = (
    Interference(name="a posted invoice gets another number", number="NXC-0001", do=_another_number),
    Interference(name="a line of it gets another text", number="NXC-0002", do=_another_text),
    Interference(name="it is put back to draft", number="NXC-0004", do=_to_draft),
    Interference(name="it is deleted", number="NXC-0005", do=_deleted),
    Interference(name="its id of ours is cleared", number="NXC-0007", do=_ref_cleared),
    Interference(name="it is paid by hand in place of our payment", number="NXC-0009", do=_paid_twice),
    Interference(name="it gets a note", number="NXC-0013", do=_a_note, told=False),
    Interference(name="its customer is renamed", number="NXC-0016", do=_partner_renamed, told=False),
    Interference(name="its customer is archived", number="NXC-0018", do=_partner_archived, told=False),
)  # fmt: skip


def interferences(bench: Bench) -> Iterator[Result]:
    """All of them in one closed world, each on a document of its own; then a whole sync."""
    with bench.world() as world:
        before = world.close()
        books = world.odoo
        assert books is not None
        moves: dict[str, int] = {}
        for one in INTERFERENCES:
            ref = ref_of(before, one.number)
            (move,) = books.do("account.move", "search", [("x_fc_source_ref", "=", ref)])
            moves[one.number] = int(move)
            one.do(books, int(move))
        count = _count(books)
        written = {number: _written(books, move) for number, move in moves.items()}
        after = world.again(PERIODS)
        doubled = max(0, _count(books) - count)
        for one in INTERFERENCES:
            ref = ref_of(before, one.number)
            more = named(after, ref) - named(before, ref)
            overwritten = _written(books, moves[one.number]) != written[one.number]
            yield Result(
                fault=f"a bookkeeper: {one.name}",
                ledger=bench.ledger,
                met=1,
                damage=Damage(lost=0, doubled=doubled, half_paid=0, otherwise=int(overwritten)),
                silent=int(one.told and not more),
                by_hand=int(not one.told and bool(more)),
            )


def _count(books: OdooBooks) -> int:
    return sum(books.do(model, "search_count", []) for model in ("account.move", "account.payment"))


def _written(books: OdooBooks, move: int) -> object:
    """When the move was last written, or that it is gone."""
    rows = books.do("account.move", "search_read", [("id", "=", move)], fields=["write_date"])
    return [row["write_date"] for row in rows]
