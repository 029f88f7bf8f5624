"""What a bookkeeper does in a real Odoo to our documents: told, harmless or mended, never doubled.

One closed world meets all of them, each on a document of its own; then comes a whole sync.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fcb_pipelines_tests.defs.world import Json, World, named, ref_of
from fcb_pipelines_tests.faults import by_hand
from fcb_pipelines_tests.faults.bench import Bench
from fcb_pipelines_tests.faults.books import Damage, moves_in
from fcb_pipelines_tests.faults.result import Result
from fcb_pipelines_tests.odoo_server import OdooBooks


def of_months(some: Sequence["Interference"], status: Json) -> list["Interference"]:
    """Those whose documents a status knows."""
    known = {each["number"] for each in status["documents"] if each["state"] == "posted"}
    return [one for one in some if {one.number, one.beside} - {""} <= known]


class Ends(StrEnum):
    """What the next sync makes of it.

    TOLD: the document is listed, and what the bookkeeper wrote stays. HARMLESS: nothing is listed, and what
    the bookkeeper wrote stays. MENDED: nothing is listed, and the document is as it was billed and paid.
    """

    TOLD = "told"
    HARMLESS = "harmless"
    MENDED = "mended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference:
    """One thing done to one document, and its end. `beside` is a second document that it is done to."""

    name: str
    number: str
    do: Callable[..., object]
    ends: Ends = Ends.TOLD
    beside: str = ""


INTO_POSTED = (
    Interference(name="a posted invoice gets another number", number="NXC-0011", do=by_hand.another_number),
    Interference(name="a line of it gets another text", number="NXC-0002", do=by_hand.another_text),
    Interference(name="a line of it gets another account", number="NEX-2026-0009", do=by_hand.another_account),
    Interference(name="it is put back to draft", number="NXC-0004", do=by_hand.to_draft),
    Interference(name="it is cancelled", number="NXC-0014", do=by_hand.cancelled),
    Interference(name="it is deleted", number="NXC-0005", do=by_hand.deleted),
    Interference(name="it is posted again on another day", number="NEX-2026-0005", do=by_hand.another_day),
    Interference(name="it is posted again with another line", number="NXC-0017", do=by_hand.one_more_line),
    Interference(name="it is posted again for another customer", number="NEX-2026-0006", do=by_hand.another_customer),
    Interference(name="its id of ours is cleared", number="NXC-0007", do=by_hand.ref_cleared),
    Interference(name="its hash of ours is cleared", number="NXC-0019", do=by_hand.hash_cleared),
    Interference(name="its external id is deleted", number="NEX-2026-0004", do=by_hand.external_id_deleted),
    Interference(name="its payment is unmatched", number="NEX-2026-0002", do=by_hand.unmatched),
    Interference(name="its payment is matched with another invoice of the customer, and that one's with it",
        number="NEX-2026-0001", do=by_hand.payments_swapped, beside="NXC-0001"),
    Interference(name="it is paid by hand in place of our payment", number="NXC-0009", do=by_hand.paid_in_place),
    Interference(name="a credit note by hand takes the place of our payment", number="NEX-2026-0003", do=by_hand.credited_in_place),
    Interference(name="our payment is put back to draft", number="NEX-2026-0007", do=by_hand.payment_to_draft),
    Interference(name="our payment is deleted", number="NEX-2026-0008", do=by_hand.payment_deleted),
    Interference(name="it gets a note", number="NXC-0013", do=by_hand.a_note, ends=Ends.HARMLESS),
    Interference(name="it is duplicated, and the copy posted", number="NXC-0020", do=by_hand.copied, ends=Ends.HARMLESS),
    Interference(name="its customer is renamed", number="NXC-0016", do=by_hand.customer_renamed, ends=Ends.HARMLESS),
    Interference(name="its customer is archived", number="NXC-0018", do=by_hand.customer_archived, ends=Ends.HARMLESS),
)  # fmt: skip
INTO_DRAFTS = (
    Interference(name="a draft gets another number", number="NXC-0001", do=by_hand.another_number),
    Interference(name="a line of the draft gets another text", number="NXC-0002", do=by_hand.another_text),
    Interference(name="a line of the draft gets another price", number="NXC-0004", do=by_hand.another_price),
    Interference(name="a line of the draft loses its tax", number="NXC-0009", do=by_hand.no_tax),
    Interference(name="the draft gets another day", number="NXC-0011", do=by_hand.another_draft_day),
    Interference(name="the draft gets another customer", number="NEX-2026-0006", do=by_hand.another_draft_customer),
    Interference(name="the draft is cancelled", number="NXC-0007", do=by_hand.draft_cancelled),
    Interference(name="the draft is deleted", number="NXC-0005", do=by_hand.draft_deleted),
    Interference(name="the draft's id of ours is cleared", number="NXC-0016", do=by_hand.ref_cleared),
    Interference(name="the draft's hash of ours is cleared", number="NXC-0017", do=by_hand.hash_cleared),
    Interference(name="the draft gets a note and a section", number="NXC-0013", do=by_hand.a_note, ends=Ends.MENDED),
    Interference(name="the draft is posted by hand", number="NXC-0019", do=by_hand.posted, ends=Ends.MENDED),
    Interference(name="the draft is posted and paid by hand", number="NXC-0014", do=by_hand.posted_and_paid),
)  # fmt: skip


def into_posted(
    bench: Bench, some: Sequence[Interference] = INTO_POSTED, world: World | None = None
) -> Iterator[Result]:
    """Into posted and paid documents: of a new world, or of one that is closed."""
    # Its world comes first: Odoo has one set of books at a time.
    assert bench.undisturbed.moves
    if world is not None:
        yield from _interfered(bench, world, some, world.status())
        return
    with bench.world() as made:
        yield from _interfered(bench, made, some, bench.closed(made))


def into_drafts(bench: Bench, some: Sequence[Interference] = INTO_DRAFTS) -> Iterator[Result]:
    """Into drafts that nobody has posted; the sync after it posts."""
    assert bench.undisturbed.moves
    with bench.world() as world:
        yield from _interfered(bench, world, some, bench.closed(world, post=False))


def _interfered(
    bench: Bench, world: World, some: Sequence[Interference], before: Json
) -> Iterator[Result]:
    books = world.odoo
    assert books is not None
    numbers = [number for one in some for number in (one.number, one.beside) if number]
    assert len(numbers) == len(set(numbers)), "each document is interfered with once"
    moves = {number: _move(books, ref_of(before, number)) for number in numbers}
    for one in some:
        one.do(books, *(moves[number] for number in (one.number, one.beside) if number))
    entries = _entries(books)
    written = {number: _written(books, move) for number, move in moves.items()}
    after = world.again(bench.periods)
    world.months([], post=True)
    undisturbed = bench.undisturbed
    touched = {ref_of(before, number) for number in numbers}
    # Drafts are posted by now, and payments come with them.
    wanted = {*undisturbed.moves, *undisturbed.settlements}
    doubled = _doubled(books, entries, wanted)
    standing = moves_in(world)
    for one in some:
        ref = ref_of(before, one.number)
        told = bool(named(after, ref) - named(before, ref))
        right = standing.get(ref) == undisturbed.moves[ref]
        kept = _written(books, moves[one.number]) == written[one.number]
        ended = {Ends.TOLD: kept, Ends.HARMLESS: kept, Ends.MENDED: right}[one.ends]
        yield Result(
            fault=f"a bookkeeper: {one.name}",
            ledger=bench.ledger,
            met=1,
            damage=Damage(lost=0, doubled=doubled, half_paid=0, otherwise=int(not ended)),
            silent=int(one.ends is Ends.TOLD and not told),
            by_hand=int(one.ends is not Ends.TOLD and told),
        )
    wrong = [
        ref for ref, move in undisturbed.moves.items() if ref not in touched and standing.get(ref) != move
    ]  # fmt: skip
    if len(touched) < len(undisturbed.moves):
        yield Result(
            fault="a bookkeeper: the other documents meanwhile",
            ledger=bench.ledger,
            met=len(undisturbed.moves) - len(touched),
            damage=Damage(lost=0, doubled=doubled, half_paid=0, otherwise=len(wrong)),
        )


def _move(books: OdooBooks, ref: str) -> int:
    (move,) = books.do("account.move", "search", [("x_fc_source_ref", "=", ref)])
    return int(move)


def _entries(books: OdooBooks) -> dict[str, int]:
    """How many moves there are of each id of ours (without one: by "")."""
    found: dict[str, int] = {}
    rows = books.do("account.move", "search_read", [], fields=["x_fc_source_ref"])
    for row in rows:
        ref = row["x_fc_source_ref"] or ""
        found[ref] = found.get(ref, 0) + 1
    return found


def _doubled(books: OdooBooks, before: dict[str, int], wanted: set[str]) -> int:
    """Entries that the sync wrote beside the one of each wanted id."""
    now = _entries(books)
    return sum(
        max(0, count - (max(before.get(ref, 0), 1) if ref in wanted else before.get(ref, 0)))
        for ref, count in now.items()
    )


def _written(books: OdooBooks, move: int) -> Any:
    """When the move was last written, or that it is gone."""
    rows = books.do("account.move", "search_read", [("id", "=", move)], fields=["write_date"])
    return [row["write_date"] for row in rows]
