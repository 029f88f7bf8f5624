"""What counts as lost of a JSON: a field, a value, a member of a list; not its prose, nor what is new."""

from fcb_pipelines_tests.compatibility.before import lost

BEFORE = {
    "gates": {"completeness": "pass"},
    "documents": [
        {"ref": "stripe:a:in_1", "total": 100, "detail": "as it was", "exceptions": ["unitemised"]},
        {"ref": "stripe:a:in_2", "total": 200, "detail": "", "exceptions": []},
    ],
}


def test_the_same_with_more_in_it_in_another_order_and_other_words_has_lost_nothing() -> None:
    first, second = BEFORE["documents"]
    now = {
        "gates": {"completeness": "pass", "another": "fail"},
        "documents": [
            second | {"payer": "cus_1"},
            first | {"detail": "in other words", "exceptions": ["unitemised", "overpaid"]},
            {"ref": "stripe:a:in_3"},
        ],
        "more": 1,
    }
    assert lost(BEFORE, now) == []


def test_what_is_gone_or_says_something_else_is_lost() -> None:
    first = BEFORE["documents"][0]
    now = {"documents": [first | {"total": 101, "exceptions": [], "detail": None}]}
    assert lost(BEFORE, now, "status") == [
        "status.gates",
        "status.documents[stripe:a:in_1].total: 101, before 100",
        "status.documents[stripe:a:in_1].detail: None, before 'as it was'",
        "status.documents[stripe:a:in_1].exceptions[unitemised]",
        "status.documents[stripe:a:in_2]",
    ]


def test_members_that_nothing_tells_apart_are_compared_in_their_order() -> None:
    before = {"rows": [{"amount": 1}, {"amount": 2}]}
    assert lost(before, {"rows": [{"amount": 1}, {"amount": 3}]}) == [
        ".rows[ #1].amount: 3, before 2"
    ]


def test_a_field_that_is_new_tells_no_member_apart() -> None:
    before = {"rows": [{"ref": "stripe:a:in_1", "amount": 1}]}
    now = {"rows": [{"ref": "stripe:a:in_1", "amount": 1, "date": "2026-04-03"}]}
    assert lost(before, now) == []
