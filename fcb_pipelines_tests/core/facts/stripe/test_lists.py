"""Lists that became bodies come back from them: what the next sync goes on from is what was read."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.facts.stripe.joins import Related
from fcb_pipelines.core.facts.stripe.lists import lists_of, rest_of

Json = dict[str, Any]
INTENTS = st.sampled_from(["pi_1", "pi_2", "pi_3"])


@st.composite
def lists(draw: st.DrawFn) -> dict[str, list[Json]]:
    """Invoices, notes, refunds and disputes over a few payments, some of them of no invoice."""

    def some(prefix: str) -> list[Json]:
        return [
            {"id": f"{prefix}_{n}", "created": draw(st.integers(0, 3))}
            for n in range(draw(st.integers(0, 4)))
        ]

    invoices, notes, refunds, disputes = map(some, ("in", "cn", "re", "dp"))
    for each in invoices:
        paid = some(f"inpay_{each['id']}")
        for payment in paid:
            payment["payment"] = {"type": "payment_intent", "payment_intent": draw(INTENTS)}
            payment["status_transitions"] = {"paid_at": draw(st.sampled_from([None, 1]))}
        each["payments"] = {"data": paid}
    for each in notes:
        each["invoice"] = draw(st.sampled_from(["in_0", "in_1", "in_9"]))
        each["refunds"] = [{"refund": draw(st.sampled_from(["re_0", "re_9"]))}]
    for each in (*refunds, *disputes):
        each["payment_intent"] = draw(INTENTS)
    return {
        "invoices": invoices,
        "credit_notes": notes,
        "refunds": refunds,
        "disputes": [{**each, "evidence": {"receipt": "file_1"}} for each in disputes],
    }


@given(lists())
def test_bodies_and_what_none_of_them_has_are_the_lists(read: dict[str, list[Json]]) -> None:
    related = Related(*(read[name] for name in ("invoices", "credit_notes", "refunds", "disputes")))
    bodies = [
        *({"invoice": each, **related.of_invoice(each)} for each in read["invoices"]),
        *({"credit_note": each, **related.of_note(each)} for each in read["credit_notes"]),
    ]
    rest = rest_of(read, bodies)
    assert not [each for each in rest["disputes"] if "evidence" in each]
    again = lists_of(bodies, rest)
    for name, objects in again.items():
        expected = {each["id"]: {**each} for each in read[name]}
        for each in expected.values():
            each.pop("evidence", None)
        assert objects == expected
        created = [each["created"] for each in objects.values()]
        assert created == sorted(created, reverse=True)
