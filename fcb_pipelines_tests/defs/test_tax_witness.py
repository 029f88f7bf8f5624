"""The tax witness in the whole graph: it tells, in check, status and report, and holds nothing."""

import simplejson

from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.defs.world import World, why

MARCH, APRIL = "2026-03", "2026-04"


def test_tax_that_the_address_does_not_explain_is_told_and_posted_as_billed(fresh: World) -> None:
    with fresh.objects("stripe/invoices") as invoices:
        (moved,) = (each for each in invoices if each["number"] == "NXC-0001")
        moved["customer_address"] |= {"state": "NB", "city": "Moncton"}
    assert fresh.extract().success
    for period in (MARCH, APRIL):
        done = fresh.month(period, post=True)
        assert done.success, why(done)
    status = fresh.status()
    gates = {period: status["periods"][period]["gates"] for period in (MARCH, APRIL)}
    assert gates[MARCH]["tax_as_expected"] == "warn"
    assert gates[APRIL]["tax_as_expected"] == "pass"
    (document,) = (each for each in status["documents"] if each["number"] == "NXC-0001")
    assert (document["state"], document["exceptions"]) == ("posted", [])

    rows = fresh.frames.read(keys.TAX_WITNESS.path, MARCH)
    assert rows is not None
    told = rows.set_index("number")
    assert told["verdict"].value_counts().to_dict() == {"match": 6, "differs": 1}
    assert (
        told.loc["NXC-0001", "difference"] == document["tax"] - told.loc["NXC-0001", "expected_tax"]
    )
    page = fresh.found.data_home / "reports" / f"{MARCH}.json"
    report = simplejson.loads(page.read_text("utf-8"))["tax_witness"]
    assert report["verdicts"] == {"match": 6, "differs": 1, "unknown_address": 0, "exempt": 0}
    assert [row["number"] for row in report["rows"]] == ["NXC-0001"]
    assert report["rows"][0]["detail"].startswith("NB, on 2026-03-")
