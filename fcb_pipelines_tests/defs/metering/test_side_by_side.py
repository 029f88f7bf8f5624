"""The former method beside this one, over the same database.

The former dual run counted nine rows of billing activity where there are six: it matched invoices
without a subscription to an empty one. And it joined items to invoices, which multiplies an invoice's
subtotal by its items and loses the invoices that have none.
"""

from collections import Counter
from decimal import Decimal

import pytest

from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.metering.dual_run import MeteringDelta, MeteringVerdict
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.defs.world import PERIODS, World

# Expected by list price, actual by a join of items; drafts left out, as far as NexaCloud tells them.
FORMER = """
with actual as (
    select coalesce(i.subscription_id::text, 'empty') as subscription,
           to_char(item.period_start at time zone 'America/Toronto', 'YYYY-MM') as period,
           sum(i.subtotal) as actual
      from invoices i join invoice_items item on item.invoice_id = i.id
     where i.status <> 'draft'
     group by 1, 2
), expected as (
    select s.id::text as subscription, p.price_monthly as expected
      from subscriptions s join plans p on p.id = s.plan_id
)
select subscription, period, coalesce(expected, 0) as expected, actual
  from actual left join expected using (subscription)
 order by period, subscription
"""


def former(world: World) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """(subscription, period) -> expected and actual, as the former SQL had them."""
    with world.server.connect(world.database) as connection, connection.cursor() as cursor:
        cursor.execute(FORMER)
        return {(sub, period): (expected, actual) for sub, period, expected, actual in cursor}


def now(world: World) -> list[MeteringDelta]:
    """The rows of this dual run, of all months."""
    frames = (world.frames.read(keys.METERING_DELTAS.path, period) for period in PERIODS)
    return [row for frame in frames if frame is not None for row in to_rows(frame, MeteringDelta)]


def test_nine_rows_by_the_former_method_and_six_by_this_one(closed: World) -> None:
    nine, rows = former(closed), now(closed)
    verdicts = Counter(
        abs(expected - actual) <= Decimal("0.01") for expected, actual in nine.values()
    )
    assert (len(nine), verdicts[True], verdicts[False]) == (9, 2, 7)
    empty = {period: actual for (sub, period), (_, actual) in nine.items() if sub == "empty"}
    assert empty == {
        "2026-03": Decimal("877.99"),
        "2026-04": Decimal("872.66"),
        "2026-05": Decimal("32.20"),
    }

    six = [row for row in rows if row.verdict is not MeteringVerdict.ONE_OFF]
    counts = Counter(row.verdict for row in six)
    assert (len(six), counts[MeteringVerdict.MATCH], counts[MeteringVerdict.DELTA]) == (6, 2, 4)
    assert {(row.subscription_id, row.period) for row in six} == {
        place for place in nine if place[0] != "empty"
    }
    assert all(row.explained for row in six)
    assert {row.detail for row in six if row.verdict is MeteringVerdict.DELTA} == {
        "200.00 x 122001 s of 2678400 s = 9.11",
        "50.00 x 489076 s of 2678400 s = 9.13",
        "200.00 x 122537 s of 2678400 s = 9.15",
        "50.00 x 491219 s of 2678400 s = 9.17",
    }


def test_the_invoices_that_were_matched_to_nothing_are_one_offs_one_by_one(closed: World) -> None:
    one_offs = [row for row in now(closed) if row.verdict is MeteringVerdict.ONE_OFF]
    lago = [row for row in one_offs if row.documents[0].startswith("lago:")]
    assert (len(one_offs), sum(row.actual for row in one_offs)) == (22, 288108)
    # The former join lost all of Lago's: their copies have no items.
    assert (len(lago), sum(row.actual for row in lago)) == (9, 109823)
    assert all(row.subscription_id is None and len(row.documents) == 1 for row in one_offs)


@pytest.mark.parametrize(
    ("change", "former_sum"),
    [
        ("insert into invoice_items select gen_random_uuid(), invoice_id, description, quantity, "
         "unit_price, 0, period_start, period_end from invoice_items where amount = 44.25", "88.50"),
        ("delete from invoice_items where amount = 44.25", None),
    ],
    ids=["an item more", "no items"],
)  # fmt: skip
def test_items_multiply_or_lose_an_invoice_for_the_former_method_alone(
    change: str, former_sum: str | None, closed: World
) -> None:
    with closed.server.connect(closed.database) as connection, connection.cursor() as cursor:
        cursor.execute(change)
    (starter,) = (row for row in now(closed) if row.actual == 4425)
    told = former(closed).get((str(starter.subscription_id), "2026-05"))
    assert (str(told[1]) if told else None) == former_sum
    assert closed.run("extract").success
    assert closed.month("2026-05").success
    assert [row for row in now(closed) if row.subscription_id == starter.subscription_id] == [
        starter
    ]
