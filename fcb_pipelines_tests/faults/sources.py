"""Sources that lie or fail while they are read: the books keep, and a later sync makes up for it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from fcb_pipelines.connectors.stripe import client as stripe_client
from fcb_pipelines_tests.defs.world import PERIODS, World, named, ref_of
from fcb_pipelines_tests.faults.bench import Bench
from fcb_pipelines_tests.faults.books import damage, stand
from fcb_pipelines_tests.faults.result import Result

Lie = Callable[[World], None]


def _throttle(world: World) -> None:
    world.stripe_faults.throttle = world.lago_faults.throttle = 3


def _skip(world: World) -> None:
    world.stripe_faults.skip = frozenset({"invoices"})


def _repeat(world: World) -> None:
    world.stripe_faults.repeat = frozenset({"invoices"})


def _skip_lago(world: World) -> None:
    world.lago_faults.skip = frozenset({"invoices"})


def _forbid(world: World) -> None:
    world.stripe_faults.forbidden = frozenset({"refunds"})


LIES: dict[str, Lie] = {
    "429 three times running": _throttle,
    "a page shifts while the list of Stripe is read: one is left out": _skip,
    "a page shifts while the list of Stripe is read: one comes twice": _repeat,
    "a page of Lago's list is left out": _skip_lago,
    "the key loses a right": _forbid,
}


def source_faults(bench: Bench, some: Iterable[str] = LIES) -> Iterator[Result]:
    """Each of these lies over a whole sync into empty books, then a sync without it."""
    undisturbed = bench.undisturbed
    for name in some:
        with bench.world() as world:
            with lying(world, name):
                world.again(bench.periods)
                early = [ref for ref in stand(world).moves if ref not in undisturbed.moves]
            world.again(bench.periods)
            world.months([])
            found = damage(undisturbed, stand(world))
        yield Result(fault=name, ledger=bench.ledger, met=1, damage=found, silent=len(early))


def changed_between(bench: Bench) -> Result:
    """An invoice changes after it was listed and before its month is built: the next sync tells."""
    with bench.world() as world:
        assert world.extract().success
        with world.objects("stripe/invoices") as invoices:
            (one,) = (each for each in invoices if each["number"] == "NXC-0001")
            one["lines"]["data"][0]["description"] = "Another description"
        for period in PERIODS:
            assert world.month(period, post=True).success
        status = world.again()
        told = "source_changed" in named(status, ref_of(status, "NXC-0001"))
        (document,) = (each for each in status["documents"] if each["number"] == "NXC-0001")
        before = bench.undisturbed
        found = stand(world)
        doubled = len(found.moves) - len(before.moves)
        clean = damage(before, before)
    return Result(
        fault="an invoice changes between its listing and its month",
        ledger=bench.ledger,
        met=1,
        damage=clean,
        by_hand=abs(doubled) + (document["state"] != "posted"),
        silent=int(not told),
    )


@contextmanager
def lying(world: World, name: str) -> Iterator[None]:
    """The sources lie so in the block, in pages of five."""
    LIES[name](world)
    try:
        with _small_pages():
            yield
    finally:
        for faults in (world.stripe_faults, world.lago_faults):
            faults.throttle = 0
            faults.skip = faults.repeat = faults.forbidden = frozenset()


@contextmanager
def _small_pages() -> Iterator[None]:
    size = stripe_client.PAGE_SIZE
    stripe_client.PAGE_SIZE = 5
    try:
        yield
    finally:
        stripe_client.PAGE_SIZE = size
